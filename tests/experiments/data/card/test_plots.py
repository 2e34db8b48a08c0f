"""The card's figures: bars as high as what they stand for."""

from dataclasses import replace

from experiments.data.card.plots import card_figures
from tests.experiments.data.card.test_page import CARD


def test_bars_are_as_high_as_their_values_and_named_by_what_they_count() -> None:
    rates, clicks, times = (item.figure.data[0] for item in card_figures(CARD))
    assert list(rates.y) == CARD.click_rate_by_position
    assert list(rates.x)[:2] == ["0", "1"]
    assert list(clicks.y) == CARD.clicks_a_session_counts
    assert list(clicks.x)[-2:] == ["9", "10+"]
    assert list(times.y) == CARD.sessions_over_time
    assert list(times.x) == ["1", "2"]


def test_a_log_without_sessions_still_has_a_card() -> None:
    empty = replace(CARD, click_rate_by_position=[], sessions_over_time=[])
    assert [len(item.figure.data[0].y) for item in card_figures(empty)] == [0, 11, 0]
