"""The data card for readers: as a table on the terminal, and as a page with figures."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from experiments.common.pages import render
from experiments.common.wording import grid
from experiments.data.card.card import DataCard
from experiments.data.card.plots import card_figures


def card_rows(card: DataCard) -> list[tuple[str, str]]:
    """The card as (what, figure)."""
    clicks = card.clicks_a_session
    rates = card.click_rate_by_position
    span = (card.last_session - card.first_session) / 86_400
    return [
        ("sessions", f"{card.sessions:,}"),
        ("users", f"{card.users:,}"),
        ("objects in the index", f"{card.objects:,}"),
        ("distinct queries", f"{card.queries:,}"),
        ("impressions", f"{card.impressions:,}"),
        ("clicks", f"{card.events:,}"),
        ("time span", f"{day(card.first_session)} to {day(card.last_session)} ({span:,.1f} days)"),
        ("sessions with a click", percent(card.sessions_with_clicks)),
        (
            "clicks a session",
            f"mean {clicks['mean']:.2f}, median {clicks['median']:.0f}, "
            f"90th percentile {clicks['ninetieth_percentile']:.0f}, most {clicks['maximum']:.0f}",
        ),
        ("click rate at positions 0, 1, 2 …", " ".join(f"{rate:.3f}" for rate in rates[:10])),
        ("sessions that repeat a query", percent(card.repeat_rate["query"])),
        ("sessions of a returning user", percent(card.repeat_rate["user"])),
        ("impressions their user saw before", percent(card.repeat_rate["user_object"])),
        *(
            (f"expected reach, personalize_by={scope}", _reach(card, scope, value))
            for scope, value in card.expected_reach.items()
        ),
        ("impressions with a judgement", percent(card.judged)),
        ("impressions with a propensity", percent(card.with_propensity)),
    ]


def _reach(card: DataCard, scope: str, value: float) -> str:
    at_once = card.reach_at_once[scope]
    if value == at_once:
        return percent(value)
    ticks = f"ticks every {card.interval_seconds:,} s, quiet {card.quiet_seconds:,} s"
    return f"{percent(value)} ({ticks}; learnt at once {percent(at_once)})"


def row_lines(rows: dict[str, dict[str, int]]) -> list[str]:
    """What an import made of its source's rows, a line a table."""
    lines = []
    for table, count in rows.items():
        parts = " + ".join(f"{n:,} {what}" for what, n in count.items() if what != "read" and n)
        lines.append(f"{table:<12} {count['read']:,} read = {parts or 'none'}")
    return lines


CAN_TELL = "What this data can tell"


def card_text(card: DataCard, can_tell: Sequence[str] = ()) -> str:
    """The card as a table of two columns, warnings below.

    Args:
        card: The card.
        can_tell: Sentences on what a study of these data can find, if the log was replayed.
    """
    lines = [f"Data card of {card.name}", ""]
    lines += [f"  {line}" for line in grid(card_rows(card), n_left=2)]
    if card.rows:
        lines += ["", "Rows of the source", *(f"  {line}" for line in row_lines(card.rows))]
    if can_tell:
        lines += ["", CAN_TELL, *(f"  {line}" for line in can_tell)]
    if card.warnings:
        lines += ["", "Warnings", *(f"  ! {warning}" for warning in card.warnings)]
    return "\n".join(lines)


def card_html(card: DataCard, can_tell: Sequence[str] = ()) -> str:
    """The card as a page that needs nothing else, in the style of a study's report.

    Args:
        card: The card.
        can_tell: As in `card_text`.
    """
    return render(
        "experiments.data.card",
        "card.html",
        title=f"What does {card.name} hold, and what can it tell?",
        about=f"Data card: {card.sessions:,} sessions of {card.users:,} users.",
        warnings=card.warnings,
        can_tell=can_tell,
        can_tell_title=CAN_TELL,
        rows=[("what", "figure"), *card_rows(card)],
        source_rows=row_lines(card.rows),
        figures=card_figures(card),
    )


def day(seconds: int) -> str:
    """The day of a time, UTC.

    Example:
        >>> day(0)
        '1970-01-01'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def percent(share: float) -> str:
    """A share in words.

    Example:
        >>> percent(0.125), percent(float("nan"))
        ('12.5 %', 'none')
    """
    return "none" if math.isnan(share) else f"{share * 100:.1f} %"
