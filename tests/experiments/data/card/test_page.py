"""The card for readers: the same figures on the terminal and on a page."""

import math
import re
from dataclasses import replace

from experiments.data.card.card import DataCard
from experiments.data.card.page import (
    card_html,
    card_rows,
    card_text,
    day,
    percent,
    row_lines,
)
from experiments.data.card.plots import card_figures

CARD = DataCard(
    name="shop <1> & more",
    sessions=12_345,
    users=1_000,
    objects=77,
    queries=5,
    impressions=50_000,
    events=6_000,
    first_session=0,
    last_session=129_600,
    clicks_a_session={"mean": 0.486, "median": 0, "ninetieth_percentile": 2, "maximum": 9},
    sessions_with_clicks=0.25,
    click_rate_by_position=[0.5, 0.25, 0.125, *[0.0] * 9],
    clicks_a_session_counts=[3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2],
    sessions_over_time=[4, 2],
    repeat_rate={"query": 0.9, "user": math.nan, "user_object": 0.111},
    expected_reach={"user_id": 0.4, "none": 0.8},
    reach_at_once={"user_id": 0.4, "none": 0.8},
    interval_seconds=3600,
    quiet_seconds=1800,
    judged=0.0,
    with_propensity=1.0,
    warnings=["Few users & <odd> clicks."],
    rows={
        "events": {"read": 7_000, "written": 6_000, "quarantined": 0, "left_out": 1_000},
        "items": {"read": 0, "written": 0, "quarantined": 0, "left_out": 0},
    },
)


def test_figures_are_put_as_a_reader_reads_them() -> None:
    rows = dict(card_rows(CARD))
    assert rows["sessions"] == "12,345"
    assert rows["time span"] == "1970-01-01 to 1970-01-02 (1.5 days)"
    assert rows["clicks a session"] == "mean 0.49, median 0, 90th percentile 2, most 9"
    assert rows["sessions that repeat a query"] == "90.0 %"
    assert rows["sessions of a returning user"] == "none"
    assert rows["expected reach, personalize_by=none"] == "80.0 %"


def test_ten_positions_are_told_at_most() -> None:
    rates = dict(card_rows(CARD))["click rate at positions 0, 1, 2 …"].split()
    assert rates == ["0.500", "0.250", "0.125", *["0.000"] * 7]


def test_rows_of_the_source_are_told_as_a_sum() -> None:
    events, items = row_lines(CARD.rows)
    assert events.split() == [
        "events",
        "7,000",
        "read",
        "=",
        "6,000",
        "written",
        "+",
        "1,000",
        "left_out",
    ]
    assert items.split() == ["items", "0", "read", "=", "none"]


def test_the_terminal_shows_every_figure_rows_and_warnings() -> None:
    text = card_text(CARD)
    lines = text.splitlines()
    assert lines[:2] == ["Data card of shop <1> & more", ""]
    for (what, figure), line in zip(card_rows(CARD), lines[2:], strict=False):
        assert line.startswith(f"  {what}")
        assert line.rstrip().endswith(figure)
    assert text.endswith("\n\nWarnings\n  ! Few users & <odd> clicks.")


def test_what_the_data_can_tell_is_told_on_both() -> None:
    told = ("One <sentence>.", "And another.")
    assert "\n\nWhat this data can tell\n  One <sentence>.\n  And another.\n" in card_text(
        CARD, told
    )
    page = card_html(CARD, told)
    text = "<h2>What this data can tell</h2>\n<p>One &lt;sentence&gt;.</p>\n<p>And another.</p>"
    assert text in page


def test_what_there_is_not_has_no_heading() -> None:
    bare = replace(CARD, warnings=[], rows={})
    assert "can tell" not in card_text(bare) + card_html(bare)
    assert "Warnings" not in card_text(bare)
    assert "Rows of the source" not in card_text(bare)
    assert "<ul" not in card_html(bare)
    assert "Rows of the source" not in card_html(bare)


def test_names_and_warnings_are_text_on_the_page() -> None:
    page = card_html(CARD)
    title = "What does shop &lt;1&gt; &amp; more hold, and what can it tell?"
    assert f"<title>{title}</title>" in page
    assert f"<h1>{title}</h1>" in page
    assert "<li>Few users &amp; &lt;odd&gt; clicks.</li>" in page
    assert "<odd>" not in page


def test_the_page_needs_nothing_else_and_can_be_mailed() -> None:
    page = card_html(CARD)
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=", page)
    assert "default-src 'none'" in page
    assert len(page.encode()) < 1_500_000


def test_the_page_shows_each_figure_once() -> None:
    cells = re.findall("<tr><td>(.*?)</td><td>(.*?)</td></tr>", card_html(CARD))
    assert cells == card_rows(CARD)


def test_the_page_draws_every_figure_in_order() -> None:
    drawn = re.findall('id="figure-([a-z_]+)"', card_html(CARD))
    assert drawn == [item.name for item in card_figures(CARD)]


def test_days_are_told_in_utc_and_shares_with_one_place() -> None:
    assert (day(86_399), day(86_400), day(1_709_164_800)) == (
        "1970-01-01",
        "1970-01-02",
        "2024-02-29",
    )
    assert (percent(0), percent(1), percent(0.0004)) == ("0.0 %", "100.0 %", "0.0 %")
