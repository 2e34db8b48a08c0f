"""Figures of a study's trials: history, drift against gain, importances, slices and contours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.interpolate import griddata

from experiments.common.wording import label
from experiments.config.study import GuardrailsConfig
from experiments.replay.guardrails import DRIFT, GUARDRAILS
from experiments.review.figures.theme import BLUE, GREEN, GREY, RED, REFERENCE_STYLES, style

N_CONTOUR = 40


def history_frame(trials: pd.DataFrame, guardrails: GuardrailsConfig) -> pd.DataFrame:
    """What the study found, trial by trial.

    Args:
        trials: A row a trial: ``number``, ``state``, ``value``, ``drift_at_log_end``,
            ``harmed_share`` and a ``param_<name>`` a parameter.
        guardrails: The bounds.

    Returns:
        The finished and pruned trials in order, with ``kept`` (finished within the guardrails)
        and ``best`` (the best value kept so far, NaN before the first).
    """
    frame = trials[trials["state"].isin(["complete", "pruned"])].sort_values("number").copy()
    frame["kept"] = (frame["state"] == "complete") & within_guardrails(frame, guardrails)
    frame["best"] = frame["value"].where(frame["kept"]).cummax().ffill()
    return frame.reset_index(drop=True)


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
            )
    figure.add_scatter(
        x=history["number"],
        y=history["best"],
        mode="lines",
        name="best so far",
        line={"color": GREEN, "width": 2.5, "shape": "hv"},
    )
    add_references(figure, references, history["number"])
    return style(figure, x="trial", y=label(metric))


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
            annotation_text="guardrail",
            annotation_position="bottom right",
        )
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    return style(figure, x=f"{DRIFT.words} (1 - cosine)", y=f"gain in {label(metric)}")


def importance_frame(importances: Mapping[str, float]) -> pd.DataFrame:
    """Parameters from least to most important, with ``share`` of the explained variance.

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
            text=[f"{share:.2f}" for share in frame["share"]],
            textposition="auto",
        )
    )
    height = 120 + 26 * max(len(frame), 4)
    return style(figure, x="share of the variance explained", y="", height=height)


def slice_frame(history: pd.DataFrame, parameters: Sequence[str]) -> pd.DataFrame:
    """One row a trial and parameter that it set.

    Returns:
        ``number``, ``value``, ``kept``, ``parameter`` and ``setting``.
    """
    finished = history[history["state"] == "complete"]
    long = finished.melt(
        id_vars=["number", "value", "kept"],
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
        )
    )
    style(figure, x=parameter, y=label(metric), height=280)
    figure.update_layout(margin={"t": 16})
    figure.update_xaxes(**axis_kind(parameter, log_scaled))
    return figure


def axis_kind(parameter: str, log_scaled: Sequence[str]) -> dict[str, Any]:
    """Axis settings of a parameter: powers of ten for one that was searched in the logarithm."""
    if parameter not in log_scaled:
        return {}
    return {"type": "log", "dtick": 1, "exponentformat": "power"}


def contour_frame(
    history: pd.DataFrame, x: str, y: str, log_scaled: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The metric over two parameters, interpolated linearly between the trials.

    Args:
        history: The answer of `history_frame`.
        x: One parameter, a number.
        y: The other.
        log_scaled: Parameters whose distances are taken in the logarithm.

    Returns:
        The trials as columns ``x``, ``y``, ``value``; and the interpolated values, indexed by y,
        a column an x, NaN outside the trials' hull (empty with fewer than 4 trials or where they
        lie on a line).
    """
    columns = {"x": f"param_{x}", "y": f"param_{y}", "value": "value"}
    finished = history[history["state"] == "complete"]
    points = finished[list(columns.values())].set_axis(list(columns), axis=1)
    points = points.dropna().astype(float).reset_index(drop=True)
    scaled = [
        _unit(np.log(points[axis]) if name in log_scaled else points[axis])
        for axis, name in (("x", x), ("y", y))
    ]
    if (
        np.linalg.matrix_rank(np.column_stack([*scaled, np.ones(len(points))])) < 3
        or len(points) < 4
    ):
        return points, pd.DataFrame()
    grid = np.linspace(0, 1, N_CONTOUR)
    values = griddata(tuple(scaled), points["value"], tuple(np.meshgrid(grid, grid)))
    edges = [_stretch(points[axis], name in log_scaled) for axis, name in (("x", x), ("y", y))]
    return points, pd.DataFrame(values, columns=edges[0], index=edges[1])


def _unit(values: pd.Series) -> NDArray[np.float64]:
    span = values.max() - values.min()
    unit: NDArray[np.float64] = ((values - values.min()) / (span or 1)).to_numpy(np.float64)
    return unit


def _stretch(values: pd.Series, log: bool) -> NDArray[np.float64]:
    space = np.geomspace if log else np.linspace
    edges: NDArray[np.float64] = space(values.min(), values.max(), N_CONTOUR)
    return edges


def contour_figure(
    points: pd.DataFrame,
    surface: pd.DataFrame,
    x: str,
    y: str,
    log_scaled: Sequence[str],
    metric: str,
) -> go.Figure:
    """The interpolated metric as filled contours with the trials on top."""
    figure = go.Figure()
    if len(surface):
        figure.add_contour(
            x=surface.columns,
            y=surface.index,
            z=surface.to_numpy(),
            colorscale="Viridis",
            contours={"coloring": "heatmap", "showlines": False},
            colorbar={"title": label(metric), "thickness": 12},
        )
    figure.add_scatter(
        x=points["x"],
        y=points["y"],
        text=[f"{value:.4f}" for value in points["value"]],
        mode="markers",
        showlegend=False,
        marker={"color": "white", "size": 6, "line": {"color": "black", "width": 1}},
    )
    style(figure, x=x, y=y)
    figure.update_xaxes(**axis_kind(x, log_scaled))
    figure.update_yaxes(**axis_kind(y, log_scaled))
    return figure
