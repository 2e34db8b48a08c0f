"""The data card's figures: bars of what a log holds."""

from collections.abc import Sequence

import plotly.graph_objects as go

from experiments.common.plots import BLUE, NamedFigure, style
from experiments.data.card.card import DataCard

HEIGHT = 260


def card_figures(card: DataCard) -> list[NamedFigure]:
    """Click rate by position, clicks per session, and sessions over time.

    Args:
        card: The card.
    """
    rates, counts = card.click_rate_by_position, card.clicks_a_session_counts
    stretches = len(card.sessions_over_time)
    return [
        NamedFigure(
            "click_rate",
            "Click rate by position",
            "Share of the objects shown there that were clicked.",
            _bars(
                range(len(rates)),
                rates,
                "position (0 is the top)",
                "click rate (0 to 1)",
            ),
        ),
        NamedFigure(
            "clicks",
            "Sessions by number of clicks",
            "The last bar holds the sessions with ten or more.",
            _bars(_up_to(len(counts)), counts, "clicks (number)", "sessions (number)"),
        ),
        NamedFigure(
            "over_time",
            "Sessions over time",
            f"In {stretches} stretches of equal length, from the first session to the last.",
            _bars(
                range(1, stretches + 1),
                card.sessions_over_time,
                "stretch (number)",
                "sessions (number)",
            ),
        ),
    ]


def _up_to(n: int) -> list[str]:
    """Numbers from 0; the last of more than one stands for all above it too."""
    names = [str(number) for number in range(n)]
    return [*names[:-1], f"{names[-1]}+"] if n > 1 else names


def _bars(names: Sequence[object], values: Sequence[float], x: str, y: str) -> go.Figure:
    figure = go.Figure(
        go.Bar(x=[str(name) for name in names], y=list(values), marker_color=BLUE, name="")
    )
    style(figure, x=x, y=y, height=HEIGHT)
    figure.update_layout(margin={"t": 8})
    figure.update_xaxes(type="category")
    return figure
