"""How figures look: colours that stay apart in print and for colour-blind eyes, one layout."""

from dataclasses import dataclass

import plotly.graph_objects as go

PAPER, PANEL, LINE = "#ffffff", "#f5f7f9", "#dfe3e8"
INK, SOFT = "#1d2733", "#55606d"
BLUE, ORANGE, GREEN = "#1f5f99", "#a85408", "#2a7f4f"
RED, VIOLET, GREY = "#b5322a", "#7a4ea3", "#6a717b"

IN_THE_DARK = {
    PAPER: "#12171d",
    PANEL: "#1b222a",
    LINE: "#323b46",
    INK: "#e4e9ee",
    SOFT: "#a3aeba",
    BLUE: "#6fb1ea",
    ORANGE: "#f0a256",
    GREEN: "#6cc592",
    RED: "#f2857d",
    VIOLET: "#c19de8",
    GREY: "#949eaa",
}
"""Each colour → what stands for it where the reader asked for a dark page."""

NAMES = {
    "paper": PAPER,
    "panel": PANEL,
    "line": LINE,
    "ink": INK,
    "soft": SOFT,
    "green": GREEN,
    "orange": ORANGE,
    "grey": GREY,
}
"""Colours that the pages themselves use, by their name there."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

REFERENCE_STYLES: dict[str, tuple[str, str]] = {
    "no adjustment": (GREY, "dash"),
    "published defaults": (ORANGE, "dot"),
    "popularity": (VIOLET, "dashdot"),
}
"""Reference line by its name: colour and dash."""


@dataclass(frozen=True)
class NamedFigure:
    """A figure with its file name, its title and how to read it.

    Args:
        name: Of its file; stays the same from version to version.
        title: In words.
        caption: How to read it, a sentence or two.
        figure: The drawing.
        part: Which part of a report it belongs to.
    """

    name: str
    title: str
    caption: str
    figure: go.Figure
    part: str = ""

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.figure.layout.height)

    @property
    def data(self) -> str:
        """What Plotly draws, as JSON that can stand inside a page's script."""
        return str(self.figure.to_json()).replace("<", "\\u003c")


def style(figure: go.Figure, *, x: str, y: str, height: int = 380) -> go.Figure:
    """Give a figure the common look and its axes their titles.

    Args:
        figure: The figure; changed and returned.
        x: Title of the horizontal axis, in words with its unit.
        y: Title of the vertical axis, likewise.
        height: In pixels; the width follows the page.
    """
    axis = {
        "gridcolor": LINE,
        "zerolinecolor": GREY,
        "zerolinewidth": 2,
        "linecolor": GREY,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        height=height,
        margin={"l": 12, "r": 16, "t": 44, "b": 12},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        hoverlabel={"font": {"family": FONT, "color": INK}, "bgcolor": PANEL},
    )
    # Below the lowest label of the other axis, which it would else touch in the corner.
    figure.update_xaxes(**axis, ticklabelstandoff=6, title_text=_on_two_lines(x))
    figure.update_yaxes(**axis, title_text=_on_two_lines(y))
    return figure


def _on_two_lines(title: str) -> str:
    """The unit stands below the words, so that both fit on a phone."""
    return title.replace(" (", "<br>(", 1)
