"""Figures of the decision: every comparison with its interval, and tune against test."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from experiments.common.plots import BLUE, GREEN, GREY, ORANGE, RED, style
from experiments.common.wording import signed
from experiments.judging.clustered_interval import ClusteredInterval
from experiments.judging.comparison import Comparison
from experiments.review.figures.axes import gain_title
from experiments.study_folder.judged_records import FinalistRecord, TestRecord

ROW, AROUND = 42, 84
"""Height of a row, and of what stands above and below the rows; in pixels."""

NAME_WIDTH, NUMBER_MARGIN = 22, 62
"""Letters of a name that stand on one line, and pixels right of the rows for their numbers."""


def comparisons_frame(
    comparisons: Mapping[str, Comparison | ClusteredInterval | None],
) -> pd.DataFrame:
    """The comparisons that a verdict rests on, in the order given.

    Args:
        comparisons: What is compared, in words → the comparison; None where it was not made.

    Returns:
        ``what``, ``gain``, ``low``, ``high`` and ``colour`` (green: clearly above 0, red: clearly
        below, grey: may be chance).
    """
    rows = [(what, *_ends(item)) for what, item in comparisons.items() if item is not None]
    frame = pd.DataFrame(rows, columns=["what", "gain", "low", "high"])
    frame["colour"] = np.select([frame["low"] > 0, frame["high"] < 0], [GREEN, RED], GREY)
    return frame


def _ends(item: Comparison | ClusteredInterval) -> tuple[float, float, float]:
    if isinstance(item, Comparison):
        return item.gain, item.low, item.high
    return item.estimate, item.interval.low, item.interval.high


def comparisons_figure(frame: pd.DataFrame, metric: str) -> go.Figure:
    """A row for each comparison: its name, the gain with its interval around 0, the number."""
    names = ["<br>".join(wrap(what, NAME_WIDTH)) for what in frame["what"]]
    figure = go.Figure(
        go.Scatter(
            x=frame["gain"],
            y=list(range(len(frame))),
            error_x=_bars(frame),
            mode="markers",
            marker={"color": frame["colour"], "size": 11},
            hovertext=[
                f"{row['what']}: {signed(row['gain'])} "
                f"({signed(row['low'])} to {signed(row['high'])})"
                for row in frame.to_dict("records")
            ],
            hoverinfo="text",
            showlegend=False,
        )
    )
    for row, gain in enumerate(frame["gain"].tolist()):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=8, y=row, showarrow=False, text=signed(gain)
        )
    style(figure, x=gain_title(metric), y="", height=AROUND + ROW * len(frame))
    figure.update_layout(margin={"l": 12, "r": NUMBER_MARGIN, "t": 8, "b": 12})
    figure.update_xaxes(nticks=6)
    figure.update_yaxes(
        range=[len(frame) - 0.5, -0.5],
        tickvals=list(range(len(frame))),
        ticktext=names,
        showgrid=False,
        zeroline=False,
    )
    return figure


def _bars(frame: pd.DataFrame) -> dict[str, object]:
    """Intervals as Plotly's error bars."""
    return {
        "array": frame["high"] - frame["gain"],
        "arrayminus": frame["gain"] - frame["low"],
        "color": GREY,
        "thickness": 2,
        "width": 5,
    }


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
    trials = list(dict.fromkeys(frame["trial"]))
    figure = go.Figure()
    kinds = (
        ("tune", "tune: chosen here", BLUE, "circle", -0.12),
        ("test", "sealed test", ORANGE, "diamond", 0.12),
    )
    for split, name, colour, symbol, aside in kinds:
        mine = frame[frame["split"] == split]
        figure.add_scatter(
            x=[trials.index(trial) + aside for trial in mine["trial"]],
            y=mine["gain"],
            error_y=_bars(mine),
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": symbol},
            name=name,
        )
    style(figure, x="finalist (number of the trial, best on tune first)", y=gain_title(metric))
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(
        tickvals=list(range(len(trials))),
        ticktext=[str(trial) for trial in trials],
        range=[-0.6, len(trials) - 0.4],
        zeroline=False,
    )
    return figure
