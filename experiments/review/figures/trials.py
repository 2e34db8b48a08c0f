"""Figures of a study's trials: history, drift against gain, importances, slices and pairs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from experiments.common.plots import BLUE, GREEN, GREY, LINE, RED, REFERENCE_STYLES, style
from experiments.common.wording import label
from experiments.config.study import GuardrailsConfig
from experiments.replay.guardrails import DRIFT, GUARDRAILS
from experiments.review.figures.axes import gain_title, metric_title, setting_title
from experiments.study_folder.judged_records import FinalistRecord

MOST_DOTS = 3000
"""Trials that all figures together draw at most: more are no clearer, and make the page large."""

MOST_POWERS = 3
"""Powers of ten that are named along an axis, about."""


def history_frame(
    trials: pd.DataFrame,
    guardrails: GuardrailsConfig,
    finalists: Sequence[FinalistRecord] = (),
) -> pd.DataFrame:
    """What the study found, trial by trial.

    Args:
        trials: A row a trial: ``number``, ``state``, ``value``, ``drift_at_log_end``,
            ``harmed_share``, a ``param_<name>`` a parameter, and from this version on the ends of
            the gain's interval, ``gain_low`` and ``gain_high``.
        guardrails: The bounds.
        finalists: The trials whose intervals know of what their sessions share, too.

    Returns:
        The finished and pruned trials in order, with ``kept`` (finished within the guardrails),
        ``best`` (the best value kept so far, NaN before the first), ``finalist``, and how far the
        interval of the gain goes ``above`` and ``below`` (NaN where it is not known: pruned).
    """
    frame = trials[trials["state"].isin(["complete", "pruned"])].sort_values("number").copy()
    frame["kept"] = (frame["state"] == "complete") & within_guardrails(frame, guardrails)
    frame["best"] = frame["value"].where(frame["kept"]).cummax().ffill()
    ends = {item.trial: item.gain for item in finalists}
    known = [ends.get(int(number)) for number in frame["number"]]
    frame["finalist"] = [item is not None for item in known]
    half = [np.nan] * len(frame)
    if "gain_low" in frame:
        half = ((frame["gain_high"] - frame["gain_low"]) / 2).tolist()
    pairs = list(zip(known, half, strict=True))
    frame["above"] = [item.high - item.gain if item else other for item, other in pairs]
    frame["below"] = [item.gain - item.low if item else other for item, other in pairs]
    return frame.reset_index(drop=True)


def thinned(history: pd.DataFrame, best: int | None, most: int) -> pd.DataFrame:
    """As many trials as can be drawn: all, or every so manieth with the finalists and the best.

    Args:
        history: The answer of `history_frame`.
        best: Number of a trial that stays.
        most: How many are drawn, beside those.

    Example:
        >>> rows = pd.DataFrame({"number": range(9), "finalist": False})
        >>> thinned(rows, 7, most=3)["number"].tolist()
        [0, 3, 6, 7]
    """
    every = max(1, -(-len(history) // most))
    stays = (np.arange(len(history)) % every == 0) | history["finalist"]
    drawn: pd.DataFrame = history.loc[stays | (history["number"] == best)]
    return drawn.reset_index(drop=True)


def within_guardrails(trials: pd.DataFrame, guardrails: GuardrailsConfig) -> pd.Series:
    """Which trials keep the bounds on mean drift and harmed share."""
    kept = pd.Series(True, index=trials.index)
    for item in GUARDRAILS:
        bound = item.bound(guardrails)
        if bound is not None:
            kept &= trials[item.metric] <= bound
    return kept


def history_figure(
    history: pd.DataFrame, references: Mapping[str, float], metric: str
) -> go.Figure:
    """Values of the trials, the best so far, and the references as lines."""
    figure = go.Figure()
    groups = (
        ("within the guardrails", history["kept"], BLUE, "circle"),
        ("broke a guardrail", ~history["kept"] & (history["state"] == "complete"), RED, "x"),
        ("pruned (running mean)", history["state"] == "pruned", GREY, "circle-open"),
    )
    for name, rows, colour, symbol in groups:
        if rows.any():
            figure.add_scatter(
                x=history["number"][rows],
                y=history["value"][rows],
                mode="markers",
                name=name,
                marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.75},
                error_y=_bars(history[rows]),
            )
    figure.add_scatter(
        x=history["number"],
        y=history["best"],
        mode="lines",
        name="best so far",
        line={"color": GREEN, "width": 2.5, "shape": "hv"},
    )
    add_references(figure, references, history["number"])
    style(figure, x="trial (in the order of the search)", y=metric_title(metric))
    return figure.update_xaxes(zeroline=False)


def _bars(trials: pd.DataFrame) -> dict[str, Any]:
    """Intervals as Plotly's error bars."""
    ends = {"array": trials["above"], "arrayminus": trials["below"]}
    return {**ends, "color": GREY, "thickness": 1, "width": 2}


def add_references(figure: go.Figure, references: Mapping[str, float], x: pd.Series) -> None:
    """Draw each reference value as a line over the range of x, with a place in the legend."""
    if not len(x):
        return
    ends = [x.min(), x.max()]
    for name, value in references.items():
        colour, dash = REFERENCE_STYLES[name]
        figure.add_scatter(
            x=ends,
            y=[value, value],
            mode="lines",
            name=name,
            line={"color": colour, "dash": dash, "width": 1.8},
        )


def drift_figure(
    history: pd.DataFrame, metric: str, guardrails: GuardrailsConfig, best: int | None
) -> go.Figure:
    """Gain over no adjustment against mean drift by the end of the log, with the guardrail.

    Args:
        history: The answer of `history_frame`; uses ``delta_<metric>`` and
            ``drift_at_log_end``.
        metric: The study's metric.
        guardrails: The bounds.
        best: Number of the best trial, marked.
    """
    finished = history[history["state"] == "complete"]
    figure = go.Figure()
    for name, rows, colour in (
        ("within the guardrails", finished["kept"], BLUE),
        ("broke a guardrail", ~finished["kept"], RED),
    ):
        figure.add_scatter(
            x=finished[DRIFT.metric][rows],
            y=finished[f"delta_{metric}"][rows],
            text="trial " + finished["number"][rows].astype(str),
            mode="markers",
            name=name,
            marker={"color": colour, "size": 8, "opacity": 0.7},
            error_y=_bars(finished[rows]),
        )
    chosen = finished[finished["number"] == best]
    figure.add_scatter(
        x=chosen[DRIFT.metric],
        y=chosen[f"delta_{metric}"],
        mode="markers",
        name="best",
        marker={"color": GREEN, "size": 14, "symbol": "star"},
    )
    if guardrails.max_mean_drift is not None:
        figure.add_vline(
            x=guardrails.max_mean_drift,
            line={"color": RED, "dash": "dash"},
            name=f"guardrail ({guardrails.max_mean_drift:g})",
            showlegend=True,
        )
    return style(figure, x=f"{DRIFT.words} (1 - cosine, 0 to 2)", y=gain_title(metric))


def importance_frame(importances: Mapping[str, float]) -> pd.DataFrame:
    """Parameters from least to most important, with their ``share`` in the best tenth.

    Args:
        importances: Parameter → share.
    """
    items = sorted(importances.items(), key=lambda item: (item[1], item[0]))
    return pd.DataFrame(items, columns=["parameter", "share"])


def importance_figure(frame: pd.DataFrame) -> go.Figure:
    """A bar for each parameter, the most important on top."""
    figure = go.Figure(
        go.Bar(
            x=frame["share"],
            y=frame["parameter"],
            orientation="h",
            marker_color=BLUE,
        )
    )
    style(figure, x="share in reaching the best tenth (%)", y="", height=84 + 30 * len(frame))
    figure.update_layout(margin={"t": 8})
    figure.update_xaxes(tickformat=".0%")
    return figure


def slice_frame(history: pd.DataFrame, parameters: Sequence[str]) -> pd.DataFrame:
    """One row a trial and parameter that it set.

    Returns:
        ``number``, ``value``, ``kept``, ``above``, ``below``, ``parameter`` and ``setting``.
    """
    finished = history[history["state"] == "complete"]
    long = finished.melt(
        id_vars=["number", "value", "kept", "above", "below"],
        value_vars=[f"param_{name}" for name in parameters],
        var_name="parameter",
        value_name="setting",
    )
    long["parameter"] = long["parameter"].str.removeprefix("param_")
    return long.dropna(subset=["setting"]).reset_index(drop=True)


def slice_figure(
    frame: pd.DataFrame, parameter: str, log_scaled: Sequence[str], metric: str
) -> go.Figure:
    """One parameter's values against the metric; trials that broke a guardrail in red.

    Args:
        frame: The answer of `slice_frame`.
        parameter: One of its parameters.
        log_scaled: Parameters drawn on a logarithmic axis.
        metric: The study's metric.
    """
    mine = frame[frame["parameter"] == parameter]
    figure = go.Figure(
        go.Scatter(
            x=mine["setting"],
            y=mine["value"],
            text="trial " + mine["number"].astype(str),
            mode="markers",
            marker={"color": np.where(mine["kept"], BLUE, RED), "size": 7, "opacity": 0.7},
            error_y=_bars(mine),
        )
    )
    style(figure, x=setting_title(parameter), y=metric_title(metric), height=320)
    figure.update_layout(margin={"t": 16})
    figure.update_xaxes(**axis_kind(parameter, log_scaled, mine["setting"]))
    return figure


def axis_kind(parameter: str, log_scaled: Sequence[str], values: pd.Series) -> dict[str, Any]:
    """Axis settings of a parameter: powers of ten for one that was searched in the logarithm.

    Args:
        parameter: Its name.
        log_scaled: Parameters drawn on a logarithmic axis.
        values: What it was set to; so many powers are named as a phone has room for. With a 0
            among them, which no power is, the axis is even: a trial is never left out.
    """
    if parameter not in log_scaled or not len(values) or not values.astype(float).min() > 0:
        return {}
    decades = np.log10(values.astype(float).max() / values.astype(float).min())
    every = max(1, int(np.ceil(decades / MOST_POWERS)))
    return {"type": "log", "dtick": every, "exponentformat": "power"}


def pair_frame(history: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """The metric over two parameters.

    Args:
        history: The answer of `history_frame`.
        x: One parameter, a number.
        y: The other.

    Returns:
        The complete trials that set both, as ``x``, ``y`` and ``value``.
    """
    columns = {"x": f"param_{x}", "y": f"param_{y}", "value": "value"}
    finished = history[history["state"] == "complete"]
    points = finished[list(columns.values())].set_axis(list(columns), axis=1)
    return points.dropna().astype(float).reset_index(drop=True)


def pair_figure(
    points: pd.DataFrame, x: str, y: str, log_scaled: Sequence[str], metric: str
) -> go.Figure:
    """A dot a trial at its two settings, the darker the higher its metric.

    Args:
        points: The answer of `pair_frame`.
        x: The parameter drawn to the right.
        y: The one drawn upward.
        log_scaled: Parameters drawn on a logarithmic axis.
        metric: The study's metric.
    """
    figure = go.Figure(
        go.Scatter(
            x=points["x"],
            y=points["y"],
            text=[f"{label(metric)} {value:.4f}" for value in points["value"]],
            mode="markers",
            showlegend=False,
            marker={
                "color": points["value"],
                "colorscale": [[0, LINE], [1, BLUE]],
                "size": 10,
                "line": {"color": GREY, "width": 1},
                "colorbar": {
                    "title": {"text": label(metric), "side": "right", "font": {"size": 13}},
                    "thickness": 12,
                    "nticks": 6,
                },
            },
        )
    )
    style(figure, x=setting_title(x), y=setting_title(y), height=320)
    figure.update_layout(margin={"t": 16})
    figure.update_xaxes(**axis_kind(x, log_scaled, points["x"]))
    figure.update_yaxes(**axis_kind(y, log_scaled, points["y"]))
    return figure
