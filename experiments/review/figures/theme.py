"""How the figures look: colours that stay apart in print and for colour-blind eyes, one layout."""

import plotly.graph_objects as go

BLUE = "#1f5f99"
ORANGE = "#c96a12"
GREY = "#6f7680"
RED = "#b5322a"
GREEN = "#2a7f4f"
VIOLET = "#7a4ea3"
LIGHT = "#e3e6ea"
INK = "#1d2733"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

REFERENCE_STYLES: dict[str, tuple[str, str]] = {
    "no adjustment": (GREY, "dash"),
    "published defaults": (ORANGE, "dot"),
    "popularity": (VIOLET, "dashdot"),
}
"""Reference line by its name: colour and dash."""


def style(figure: go.Figure, *, x: str, y: str, height: int = 380) -> go.Figure:
    """Give a figure the common look and its axes their titles.

    Args:
        figure: The figure; changed and returned.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        height: In pixels; the width follows the page.
    """
    axis = {
        "gridcolor": LIGHT,
        "zerolinecolor": GREY,
        "linecolor": GREY,
        "automargin": True,
        "title_standoff": 8,
    }
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        height=height,
        margin={"l": 12, "r": 16, "t": 44, "b": 12},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        hoverlabel={"font": {"family": FONT}},
    )
    figure.update_xaxes(title_text=x, **axis)
    figure.update_yaxes(title_text=y, **axis)
    return figure
