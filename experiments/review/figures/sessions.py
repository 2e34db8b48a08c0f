"""Figures of one replay's sessions: over time, who gains and who is harmed, and where."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from experiments.common.plots import BLUE, GREEN, GREY, RED, style
from experiments.common.wording import label, plain, signed
from experiments.judging.statistics import cluster_means, cluster_numbers, mean_interval
from experiments.review.figures.axes import gain_title

N_RESAMPLES = 1000

MIN_CLUSTERS = 5
"""A bin of fewer users is not drawn: its interval would fill the figure."""

MEANS = ("n_sessions", "before", "after", "gain", "low", "high")
"""What is known of a part of the sessions."""

TRAITS: dict[str, tuple[str, tuple[int, ...]]] = {
    "click_position": ("position of the topmost click (0 is the top)", (0, 1, 2, 3, 5, 10, 20)),
    "user_history": ("earlier sessions of the user (number)", (0, 1, 2, 5, 10, 30, 100)),
    "query_frequency": (
        "earlier sessions with the query (number)",
        (0, 1, 2, 5, 10, 30, 100, 1000),
    ),
}
"""Trait → how it is called, and the lower ends of its bins (whole numbers)."""


def curve_frame(sessions: pd.DataFrame, metric: str, n_points: int = 12) -> pd.DataFrame:
    """Gain over time, in stretches of (nearly) as many sessions each.

    Args:
        sessions: A session table.
        metric: The metric.
        n_points: Stretches, at most one a session.

    Returns:
        ``time`` (of the stretch's last session), ``n_sessions``, and the means of users' means
        ``before``, ``after`` and ``gain`` with ``low`` and ``high``, as in `trait_frame`.
    """
    ordered = sessions.sort_values("created_at", kind="stable")
    n = len(ordered)
    stretch = np.arange(n) * min(n_points, n) // max(n, 1)
    rows = [
        (pd.to_datetime(mine["created_at"].iloc[-1], unit="s", utc=True), *_means(mine, metric))
        for _, mine in ordered.groupby(stretch)
    ]
    return pd.DataFrame(rows, columns=["time", *MEANS])


def curve_figure(frame: pd.DataFrame, metric: str) -> go.Figure:
    """The gain of each stretch with its interval; hovering tells before and after."""
    figure = _gains(frame, "time")
    style(figure, x="end of the stretch (day, UTC)", y=gain_title(metric), height=320)
    figure.update_layout(margin={"t": 16})
    figure.update_yaxes(rangemode="tozero")
    return figure


def _gains(frame: pd.DataFrame, x: str) -> go.Figure:
    """A dot for each gain whose interval is known."""
    drawn = frame[frame["low"].notna() & frame["high"].notna()]
    return go.Figure(
        go.Scatter(
            x=drawn[x],
            y=drawn["gain"],
            error_y={
                "array": drawn["high"] - drawn["gain"],
                "arrayminus": drawn["gain"] - drawn["low"],
                "color": GREY,
                "width": 4,
            },
            mode="markers",
            marker={"color": np.where(drawn["gain"] < 0, RED, BLUE), "size": 9},
            hovertext=[_told(row) for row in drawn.to_dict("records")],
            hoverinfo="text",
        )
    )


def _told(row: Mapping[Hashable, Any]) -> str:
    """What hovering tells of a part of the sessions."""
    return (
        f"{row['n_sessions']:,} sessions: {plain(row['before'])} before, {plain(row['after'])} "
        f"after, {signed(row['gain'])} ({signed(row['low'])} to {signed(row['high'])})"
    )


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
    title = f"change in a session's {label(metric)} ({same:.1%} unchanged, not drawn)"
    style(figure, x=title, y="share of the sessions (%)", height=320)
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
        A row a bin that holds sessions: ``bin`` (words), ``n_sessions``, and the means of users'
        means ``before``, ``after`` and ``gain`` with ``low`` and ``high`` (95 % interval
        clustered by user, NaN with fewer than `MIN_CLUSTERS` users).
    """
    starts = TRAITS[trait][1]
    known = sessions[sessions[trait] >= 0]
    number = np.searchsorted(starts, known[trait].to_numpy(), side="right") - 1
    parts = ((words, known[number == index]) for index, words in enumerate(_bin_names(starts)))
    rows = [(words, *_means(mine, metric)) for words, mine in parts if len(mine)]
    return pd.DataFrame(rows, columns=["bin", *MEANS])


def _means(sessions: pd.DataFrame, metric: str) -> tuple[int, float, float, float, float, float]:
    """What `MEANS` names, of these sessions."""
    users = cluster_numbers(sessions["user"].to_numpy())
    before = cluster_means(sessions[f"before_{metric}"].to_numpy(), users)
    after = cluster_means(sessions[f"after_{metric}"].to_numpy(), users)
    gain = after - before
    return len(sessions), before.mean(), after.mean(), gain.mean(), *_ends(gain)


def _ends(means: NDArray[np.float64]) -> tuple[float, float]:
    if len(means) < MIN_CLUSTERS:
        return math.nan, math.nan
    interval = mean_interval(means, seed=0, n_resamples=N_RESAMPLES)
    return interval.low, interval.high


def _bin_names(starts: tuple[int, ...]) -> list[str]:
    ends = [end - 1 for end in starts[1:]]
    closed = [
        str(low) if low == high else f"{low}–{high}"
        for low, high in zip(starts, ends, strict=False)
    ]
    return [*closed, f"{starts[-1]}+"]


def trait_figure(frame: pd.DataFrame, trait: str, metric: str) -> go.Figure:
    """The gain of each bin with its interval; hovering tells its sessions."""
    figure = _gains(frame, "bin")
    style(figure, x=TRAITS[trait][0], y=gain_title(metric), height=320)
    figure.update_layout(margin={"t": 16})
    figure.update_xaxes(type="category")
    figure.update_yaxes(rangemode="tozero")
    return figure
