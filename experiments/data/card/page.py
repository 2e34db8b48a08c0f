"""The data card for readers: as a table on the terminal, and as a page with small plots."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from experiments.common.wording import grid
from experiments.data.card.card import DataCard

BAR_WIDTH, PLOT_HEIGHT = 14, 90
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:52em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td{padding:.15em 1em .15em 0;vertical-align:top}"
    "svg{background:#f6f6f6;border-radius:4px}rect{fill:#3a6ea5}figure{margin:1em 0}"
    ".warnings{background:#fff3cd;padding:.5em 1em;border-radius:4px}"
)


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
    """The card as a page that needs nothing else.

    Args:
        card: The card.
        can_tell: As in `card_text`.
    """
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(figure)}</td></tr>"
        for name, figure in card_rows(card)
    )
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in card.warnings)
    told = "".join(f"<p>{escape(line)}</p>" for line in can_tell)
    plots = (
        ("Click rate by position", card.click_rate_by_position, "position, from 0"),
        ("Sessions by number of clicks", card.clicks_a_session_counts, "clicks: 0 … 9, 10 or more"),
        (
            "Sessions over time",
            card.sessions_over_time,
            f"{day(card.first_session)} to {day(card.last_session)}",
        ),
    )
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(card.name)}</title>"
        f"<style>{STYLE}</style><h1>Data card of {escape(card.name)}</h1>"
        + (f"<ul class='warnings'>{warnings}</ul>" if warnings else "")
        + f"<table>{rows}</table>"
        + "".join(f"<p>{escape(line)}</p>" for line in row_lines(card.rows))
        + (f"<h2>{CAN_TELL}</h2>{told}" if told else "")
        + "".join(_plot(title, [float(v) for v in values], axis) for title, values, axis in plots)
        + "</html>\n"
    )


def _plot(title: str, values: list[float], axis: str) -> str:
    top = max([*values, 1e-12])
    bars = []
    for number, value in enumerate(values):
        height = PLOT_HEIGHT * value / top
        bars.append(
            f"<rect x='{number * BAR_WIDTH + 1}' y='{PLOT_HEIGHT - height:.1f}' "
            f"width='{BAR_WIDTH - 2}' height='{height:.1f}'><title>{value:,.4g}</title></rect>"
        )
    width = len(values) * BAR_WIDTH
    return (
        f"<figure><figcaption>{escape(title)} (highest: {top:,.4g})</figcaption>"
        f"<svg width='{width}' height='{PLOT_HEIGHT}' role='img' aria-label='{escape(title)}'>"
        f"{''.join(bars)}</svg><div>{escape(axis)}</div></figure>"
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
