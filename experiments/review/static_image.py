"""The report's first screen as one picture, for mail, slides and papers."""

from io import BytesIO
from textwrap import fill, wrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common.plots import GREEN, GREY, INK, LINE, ORANGE, PAPER, SOFT
from experiments.common.wording import signed
from experiments.judging.verdict import ADOPT, KEEP_OFF
from experiments.review.answer import question, verdict_lines
from experiments.review.figures.axes import gain_title
from experiments.review.figures.decision import comparisons_frame
from experiments.review.figures.of_study import compared
from experiments.study_folder.finished_study import FinishedStudy

WIDTH, DPI = 10.0, 120
"""Of the picture in inches, and its pixels to the inch."""

HEADLINE_COLOURS = {ADOPT: GREEN, KEEP_OFF: ORANGE}

MARGIN, TITLE, TEXT_LINE, ROW, AXIS = 0.35, 0.75, 0.24, 0.42, 0.75
"""Heights in inches: around the picture, of title and headline, of a line, a row and the axis."""

LETTERS, NAME_LETTERS = 112, 24
"""Letters on a line of the explanation, and of a comparison's name."""

NAMES_END, ROWS_END = 0.24, 0.76
"""Where the rows' drawing begins and ends, as shares of the width."""


def static_image(study: FinishedStudy) -> bytes:
    """Question, verdict, and every comparison with its interval, as a PNG on white.

    Args:
        study: What the study left on disk.
    """
    lines = verdict_lines(study.summary, best=study.tune_best)
    explanation = fill(lines.explanation, LETTERS)
    frame = comparisons_frame(compared(study))
    head = MARGIN + TITLE + TEXT_LINE * (explanation.count("\n") + 1)
    height = head + MARGIN + (ROW * len(frame) + AXIS if len(frame) else 0)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)
    edge, colour = MARGIN / WIDTH, HEADLINE_COLOURS.get(lines.decision, INK)
    for inches, text, size, ink, weight in (
        (MARGIN, question(study.summary), 14, INK, "bold"),
        (MARGIN + TITLE / 2, lines.headline, 13, colour, "bold"),
        (MARGIN + TITLE, explanation, 10.5, INK, "normal"),
    ):
        figure.text(
            edge,
            1 - inches / height,
            _letters(text),
            size=size,
            color=ink,
            weight=weight,
            va="top",
            linespacing=1.35,
        )
    if len(frame):
        rows = ROW * len(frame) / height
        bottom = 1 - (head + MARGIN / 2) / height - rows
        axes = figure.add_axes((NAMES_END, bottom, ROWS_END - NAMES_END, rows))
        _draw(axes, frame, gain_title(study.metric))
    return _png(figure)


def _draw(axes: Axes, frame: pd.DataFrame, title: str) -> None:
    """A row for each comparison: its name, its interval around 0, its numbers."""
    axes.axvline(0, color=GREY, linewidth=1.2, zorder=1)
    for row, item in enumerate(frame.to_dict("records")):
        gain, low, high = item["gain"], item["low"], item["high"]
        bars = {"color": item["colour"], "ecolor": GREY, "capsize": 3, "zorder": 2}
        axes.errorbar(gain, row, xerr=[[gain - low], [high - gain]], fmt="o", **bars)
        numbers = f"{signed(gain)} ({signed(low)} to {signed(high)})"
        axes.annotate(
            numbers,
            (1.02, row),
            xycoords=axes.get_yaxis_transform(),
            annotation_clip=False,
            va="center",
            size=9.5,
            color=INK,
        )
    axes.set_ylim(len(frame) - 0.5, -0.5)
    names = ["\n".join(wrap(_letters(what), NAME_LETTERS)) for what in frame["what"]]
    axes.set_yticks(range(len(frame)), names, size=9.5)
    axes.set_xlabel(title, size=9.5, color=SOFT)
    axes.tick_params(length=0, labelsize=9.5, colors=INK)
    axes.grid(axis="x", color=LINE, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _letters(text: str) -> str:
    """Text of the data, in which a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    """The same bytes for the same picture: without the time and the maker."""
    content = BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
