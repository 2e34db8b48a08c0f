"""Figures of one replay's sessions: over time, who gains and who is harmed, and where."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from experiments.common.wording import label
from experiments.judging.statistics import cluster_means, cluster_numbers, mean_interval
from experiments.review.figures.theme import BLUE, GREEN, GREY, RED, style

N_RESAMPLES = 1000

MIN_CLUSTERS = 5
"""A bin of fewer users is drawn without an interval: it would fill the figure."""

TRAITS: dict[str, tuple[str, tuple[int, ...]]] = {
    "click_position": ("place of the topmost click (0 is the top)", (0, 1, 2, 3, 5, 10, 20)),
    "user_history": ("earlier sessions of the user", (0, 1, 2, 5, 10, 30, 100)),
    "query_frequency": ("earlier sessions with the query", (0, 1, 2, 5, 10, 30, 100, 1000)),
}
"""Trait → how it is called, and the lower ends of its bins (whole numbers)."""


def curve_frame(sessions: pd.DataFrame, metric: str, n_points: int = 24) -> pd.DataFrame:
    """Before and after over time, in stretches of (nearly) as many sessions each.

    Args:
        sessions: A session table.
        metric: The metric.
        n_points: Stretches, at most one a session.

    Returns:
        ``time`` (of the stretch's last session), ``n_sessions``, ``before`` and ``after``.
    """
    ordered = sessions.sort_values("created_at", kind="stable")
    n = len(ordered)
    stretch = np.arange(n) * min(n_points, n) // max(n, 1)
    grouped = ordered.groupby(stretch)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(grouped["created_at"].last(), unit="s", utc=True),
            "n_sessions": grouped.size(),
            "before": grouped[f"before_{metric}"].mean(),
            "after": grouped[f"after_{metric}"].mean(),
        }
    )


def curve_figure(frame: pd.DataFrame, metric: str) -> go.Figure:
    """Two lines: the ranking with the originals and with the adjusted vectors."""
    figure = go.Figure()
    for column, name, line in (
        ("before", "before adjustment", {"color": GREY, "dash": "dash"}),
        ("after", "after adjustment", {"color": BLUE, "width": 2.5}),
    ):
        figure.add_scatter(
            x=frame["time"], y=frame[column], name=name, mode="lines+markers", line=line
        )
    return style(figure, x="", y=label(metric))


def change_frame(sessions: pd.DataFrame, metric: str) -> pd.DataFrame:
    """How the sessions changed, as a histogram.

    Returns:
        The bins of width .05 that hold sessions, without the unchanged ones: ``change`` (middle),
        ``share`` of all sessions, ``harmed``; and a row with change 0 for the unchanged.
    """
    change = (sessions[f"after_{metric}"] - sessions[f"before_{metric}"]).to_numpy()
    moved = change[change != 0]
    counts, edges = np.histogram(moved, bins=np.linspace(-1, 1, 41))
    middle = (edges[:-1] + edges[1:]) / 2
    total = max(len(change), 1)
    bins = pd.DataFrame({"change": middle, "share": counts / total, "harmed": middle < 0})
    same = pd.DataFrame({"change": [0.0], "share": [(change == 0).sum() / total], "harmed": False})
    return pd.concat([bins[counts > 0], same]).sort_values("change").reset_index(drop=True)


def change_figure(frame: pd.DataFrame, metric: str) -> go.Figure:
    """Histogram of the sessions' change, the harmed side in red and counted in the legend."""
    figure = go.Figure()
    unchanged = frame["change"] == 0
    for name, rows, colour in (
        ("harmed", frame["harmed"], RED),
        ("improved", ~frame["harmed"] & ~unchanged, GREEN),
    ):
        mine = frame[rows]
        figure.add_bar(
            x=mine["change"],
            y=mine["share"],
            width=0.047,
            marker_color=colour,
            name=f"{name}: {mine['share'].sum():.1%} of the sessions",
        )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    same = frame["share"][unchanged].sum()
    title = f"change in {label(metric)} of a session ({same:.1%} unchanged, not drawn)"
    style(figure, x=title, y="share of the sessions")
    figure.update_layout(barmode="overlay")
    far = frame["change"].abs().max() + 0.05
    figure.update_xaxes(range=[-far, far])
    figure.update_yaxes(tickformat=".0%")
    return figure


def trait_frame(sessions: pd.DataFrame, metric: str, trait: str) -> pd.DataFrame:
    """Gain over no adjustment by a trait of the sessions.

    Args:
        sessions: A session table.
        metric: The metric.
        trait: A key of `TRAITS`; sessions where it is unknown (-1) are left out.

    Returns:
        A row a bin that holds sessions: ``bin`` (words), ``n_sessions``, ``gain`` (mean of users'
        means), ``low`` and ``high`` (95 % interval clustered by user, NaN with
        fewer than `MIN_CLUSTERS` users).
    """
    starts = TRAITS[trait][1]
    known = sessions[sessions[trait] >= 0]
    number = np.searchsorted(starts, known[trait].to_numpy(), side="right") - 1
    rows = []
    for index, words in enumerate(_bin_names(starts)):
        mine = known[number == index]
        if not len(mine):
            continue
        change = (mine[f"after_{metric}"] - mine[f"before_{metric}"]).to_numpy()
        means = cluster_means(change, cluster_numbers(mine["user"].to_numpy()))
        rows.append((words, len(mine), means.mean(), *_ends(means)))
    return pd.DataFrame(rows, columns=["bin", "n_sessions", "gain", "low", "high"])


def _ends(means: NDArray[np.float64]) -> tuple[float, float]:
    if len(means) < MIN_CLUSTERS:
        return math.nan, math.nan
    interval = mean_interval(means, seed=0, n_resamples=N_RESAMPLES)
    return interval.low, interval.high


def _bin_names(starts: tuple[int, ...]) -> list[str]:
    ends = [end - 1 for end in starts[1:]]
    closed = [
        str(low) if low == high else f"{low} to {high}"
        for low, high in zip(starts, ends, strict=False)
    ]
    return [*closed, f"{starts[-1]}+"]


def trait_figure(frame: pd.DataFrame, trait: str, metric: str) -> go.Figure:
    """The gain of each bin with its interval; hovering tells its sessions."""
    figure = go.Figure(
        go.Scatter(
            x=frame["bin"],
            y=frame["gain"],
            error_y={
                "array": frame["high"] - frame["gain"],
                "arrayminus": frame["gain"] - frame["low"],
                "color": GREY,
            },
            mode="markers",
            marker={"color": np.where(frame["gain"] < 0, RED, BLUE), "size": 9},
            text=[f"{n} sessions" for n in frame["n_sessions"]],
        )
    )
    figure.add_hline(y=0, line={"color": GREY, "dash": "dash"})
    style(figure, x=TRAITS[trait][0], y=f"gain in {label(metric)}", height=300)
    figure.update_layout(margin={"t": 16})
    figure.update_xaxes(type="category")
    return figure
