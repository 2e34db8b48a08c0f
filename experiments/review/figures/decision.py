"""Figures of the decision: every comparison with its interval, and tune against test."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from experiments.common.wording import label, signed
from experiments.judging.comparison import Comparison
from experiments.review.figures.theme import BLUE, GREEN, GREY, ORANGE, RED, style
from experiments.study_folder.judged_records import FinalistRecord, TestRecord


def comparisons_frame(comparisons: Mapping[str, Comparison | None]) -> pd.DataFrame:
    """The comparisons that a verdict rests on, in the order given.

    Args:
        comparisons: What is compared, in words → the comparison; None where it was not made.

    Returns:
        ``what``, ``gain``, ``low``, ``high``, ``n_clusters`` and ``colour`` (green: clearly above
        0, red: clearly below, grey: may be chance).
    """
    rows = [
        (what, item.gain, item.low, item.high, item.n_clusters)
        for what, item in comparisons.items()
        if item is not None
    ]
    frame = pd.DataFrame(rows, columns=["what", "gain", "low", "high", "n_clusters"])
    frame["colour"] = np.select([frame["low"] > 0, frame["high"] < 0], [GREEN, RED], GREY)
    return frame


def comparisons_figure(frame: pd.DataFrame, metric: str) -> go.Figure:
    """One line for each comparison: the gain, its interval, and 0 as the line to be clear of."""
    figure = go.Figure(
        go.Scatter(
            x=frame["gain"],
            y=[what.replace(", ", ",<br>") for what in frame["what"]],
            error_x={
                "array": frame["high"] - frame["gain"],
                "arrayminus": frame["gain"] - frame["low"],
                "color": GREY,
                "thickness": 2,
                "width": 6,
            },
            mode="markers+text",
            marker={"color": frame["colour"], "size": 13},
            text=[signed(gain) for gain in frame["gain"]],
            textposition="top center",
            hovertext=[f"{n} users or sessions of unknown users" for n in frame["n_clusters"]],
            showlegend=False,
        )
    )
    figure.add_vline(x=0, line={"color": GREY, "dash": "dash"})
    style(figure, x=f"gain in {label(metric)}", y="", height=110 + 62 * len(frame))
    figure.update_layout(margin={"l": 12, "r": 16, "t": 16, "b": 12})
    figure.update_yaxes(range=[len(frame) - 0.6, -0.6])
    return figure


def optimism_frame(finalists: Sequence[FinalistRecord], test: TestRecord | None) -> pd.DataFrame:
    """Gains on the sessions that chose the trials, and the test's beside the one it opened.

    Args:
        finalists: Best first.
        test: What the sealed test said; None while it is sealed.

    Returns:
        ``trial``, ``split`` (tune or test), ``gain``, ``low`` and ``high``.
    """
    rows = [(item.trial, "tune", item.gain) for item in finalists]
    if test is not None:
        rows.append((test.trial, "test", test.test))
    return pd.DataFrame(
        [(trial, split, gain.gain, gain.low, gain.high) for trial, split, gain in rows],
        columns=["trial", "split", "gain", "low", "high"],
    )


def optimism_figure(frame: pd.DataFrame, metric: str) -> go.Figure:
    """Gain of each finalist on tune, and on the test where that was opened."""
    figure = go.Figure()
    for split, colour, symbol in (("tune", BLUE, "circle"), ("test", ORANGE, "diamond")):
        mine = frame[frame["split"] == split]
        figure.add_scatter(
            x="trial " + mine["trial"].astype(str),
            y=mine["gain"],
            error_y={
                "array": mine["high"] - mine["gain"],
                "arrayminus": mine["gain"] - mine["low"],
                "color": GREY,
            },
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": symbol},
            name=f"{split}: chosen here" if split == "tune" else "sealed test",
        )
    figure.add_hline(y=0, line={"color": GREY, "dash": "dash"})
    return style(figure, x="", y=f"gain in {label(metric)} over no adjustment")
