"""The data card: its figures against a naive count, and its warnings."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster.ticks import NEVER
from experiments.data.card import card as card_module
from experiments.data.card.card import expected_reach, make_card
from experiments.data.card.counts import CardData, card_data_of
from experiments.data.card.page import card_html, card_text, day, percent
from experiments.data.format.folder import load_click_log
from experiments.inspect import main as inspect_main


def some_data(rng: np.random.Generator, n_sessions: int = 30) -> CardData:
    n_objects = 7
    n_shown = rng.integers(1, 5, n_sessions)
    shown = np.concatenate([rng.permutation(n_objects)[:n] for n in n_shown]).astype(np.int32)
    clicked = rng.random(len(shown)) < 0.3
    created_at = np.sort(rng.integers(0, 10**6, n_sessions))
    session = np.repeat(np.arange(n_sessions), n_shown)
    has_click = np.bincount(session[clicked], minlength=n_sessions) > 0
    return CardData(
        n_objects=n_objects,
        query=rng.integers(0, 5, n_sessions),
        user=rng.integers(-1, 4, n_sessions),
        segment=rng.integers(-1, 2, n_sessions),
        created_at=created_at,
        is_irrelevant=rng.random(n_sessions) < 0.2,
        marked_at=np.where(has_click, created_at + rng.integers(0, 90_000, n_sessions), NEVER),
        n_shown=n_shown,
        shown=shown,
        position=(np.arange(len(shown)) - np.repeat(np.cumsum(n_shown) - n_shown, n_shown)).astype(
            np.uint16
        ),
        clicked=clicked,
        judged=3,
        with_propensity=0,
        n_events=int(clicked.sum()),
        n_early=0,
    )


def sessions_of(data: CardData) -> list[list[tuple[int, bool]]]:
    ends = np.cumsum(data.n_shown)
    rows = list(zip(data.shown.tolist(), data.clicked.tolist(), strict=True))
    return [rows[end - n : end] for n, end in zip(data.n_shown, ends, strict=True)]


def naive_reach(data: CardData, scope: str, interval: int | None) -> float:
    """Every session against every session that was learnt from before it."""
    everyone = np.zeros(len(data.query), np.int64)
    owner = {"user_id": data.user, "segment": data.segment, "none": everyone}[scope]
    rows = sessions_of(data)
    n_reached = 0
    for late in range(len(rows)):
        items = {item for item, _ in rows[late]}
        n_reached += owner[late] >= 0 and any(
            owner[early] == owner[late]
            and any(clicked for _, clicked in rows[early])
            and not data.is_irrelevant[early]
            and items & {item for item, _ in rows[early]}
            and learnt_before(data, early, late, interval)
            for early in range(late)
        )
    return n_reached / len(data.query)


def learnt_before(data: CardData, early: int, late: int, interval: int | None) -> bool:
    if interval is None:
        return True
    tick = int(data.marked_at[early])
    while interval and tick % interval:
        tick += 1
    return tick < data.created_at[late]


@given(
    seed=st.integers(0, 2**32 - 1),
    scope=st.sampled_from(["user_id", "segment", "none"]),
    interval=st.sampled_from([None, 0, 60, 3600]),
)
@settings(deadline=None, max_examples=40)
def test_expected_reach_equals_a_naive_count(seed, scope, interval):
    data = some_data(np.random.default_rng(seed))
    assert expected_reach(data, scope, interval) == pytest.approx(
        naive_reach(data, scope, interval)
    )


def test_reach_does_not_depend_on_the_size_of_buckets(monkeypatch):
    data = some_data(np.random.default_rng(3))
    whole = [expected_reach(data, scope, 60) for scope in ("user_id", "segment", "none")]
    monkeypatch.setattr(card_module, "BUCKET_ROWS", 5)
    assert [expected_reach(data, s, 60) for s in ("user_id", "segment", "none")] == whole


def test_ticks_that_come_too_late_reach_nothing_and_are_named():
    data = replace(some_data(np.random.default_rng(0)), created_at=np.arange(30) * 60)
    late = replace(data, marked_at=np.where(data.marked_at < NEVER, data.created_at + 1800, NEVER))
    card = make_card("x", late, interval_seconds=3600)
    assert card.expected_reach["none"] == 0
    assert card.reach_at_once["none"] > 0.5
    said = "\n".join(card.warnings)
    assert (
        "personalize_by=none would reach 0.00% of the sessions: ticks every 3,600 s after" in said
    )
    assert f"would reach {card.reach_at_once['none']:.2%}" in said


def test_figures_by_hand(folder):
    card = make_card("tiny", card_data_of(load_click_log(folder)))
    assert (card.sessions, card.users, card.objects, card.queries) == (3, 2, 3, 2)
    assert (card.impressions, card.events) == (6, 3)
    assert (card.first_session, card.last_session) == (100, 300)
    assert card.clicks_a_session == {
        "mean": 1.0,
        "median": 1.0,
        "ninetieth_percentile": pytest.approx(1.8),
        "maximum": 2.0,
    }
    assert card.clicks_a_session_counts[:3] == [1, 1, 1]
    assert card.click_rate_by_position == pytest.approx([2 / 3, 1 / 2, 0])
    assert card.sessions_with_clicks == pytest.approx(2 / 3)
    assert card.repeat_rate == {
        "query": pytest.approx(1 / 3),
        "user": 0,
        "user_object": 0,
    }
    assert card.reach_at_once == {"user_id": 0, "segment": 0, "none": pytest.approx(2 / 3)}
    assert card.expected_reach == {"user_id": 0, "segment": 0, "none": 0}
    assert card.judged == pytest.approx(4 / 6)
    assert card.with_propensity == pytest.approx(4 / 6)
    assert sum(card.sessions_over_time) == 3


def warnings_of(**changes) -> str:
    data = replace(some_data(np.random.default_rng(0)), **changes)
    return "\n".join(make_card("x", data).warnings)


def test_a_heavy_user_is_warned_of():
    data = some_data(np.random.default_rng(0))
    session = np.repeat(np.arange(30), data.n_shown)
    clicked = session == 4
    user = np.arange(30)
    said = warnings_of(clicked=clicked, user=user)
    assert "One user has 100% of all clicks" in said
    assert "One user has" not in warnings_of(user=np.arange(30) % 10)


def test_clicks_before_the_search_are_warned_of():
    assert "4 events (50.0%) came before their search." in warnings_of(n_early=4, n_events=8)


def test_clicks_all_at_the_top_are_warned_of():
    data = some_data(np.random.default_rng(0))
    top = np.zeros(len(data.shown), bool)
    top[np.cumsum(data.n_shown) - data.n_shown] = True
    assert "All clicks are at position 0" in warnings_of(clicked=top)


def test_a_log_of_clicked_results_only_is_warned_of():
    data = some_data(np.random.default_rng(0))
    assert "Every shown result was clicked" in warnings_of(clicked=np.ones(len(data.shown), bool))


def test_a_reach_near_zero_is_warned_of_for_scopes_that_exist():
    said = warnings_of(user=np.arange(30), segment=np.full(30, -1))
    assert "personalize_by=user_id would reach 0.00% of the sessions" in said
    assert "personalize_by=segment" not in said


def test_a_short_log_is_warned_of():
    assert "spans less than a day" in warnings_of(created_at=np.arange(30))


def test_few_clicks_are_warned_of():
    data = some_data(np.random.default_rng(0))
    clicked = np.zeros(len(data.shown), bool)
    clicked[0] = True
    assert "Only 3.3% of the sessions have a click." in warnings_of(clicked=clicked)


def test_the_text_holds_every_figure_and_warning(folder):
    card = replace(make_card("tiny", card_data_of(load_click_log(folder))), warnings=["Look out."])
    text = card_text(card)
    assert "Data card of tiny" in text
    assert "expected reach, personalize_by=none" in text
    assert "66.7 %" in text
    assert "! Look out." in text


def test_the_page_shows_plots_and_escapes_names(folder):
    card = make_card("<shop>", card_data_of(load_click_log(folder)))
    page = card_html(card)
    assert page.count('<div class="plot"') == 3
    assert "<shop>" not in page
    assert "&lt;shop&gt;" in page


def test_days_and_shares_are_put_into_words():
    assert day(86_400 * 365) == "1971-01-01"
    assert percent(math.nan) == "none"


def inspect(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["inspect", *map(str, arguments)])
    return inspect_main()


def test_the_command_prints_and_writes_the_card(folder, tmp_path, monkeypatch, capsys):
    done = inspect(monkeypatch, f"dataset.path={folder}", f"output_dir={tmp_path}/o")
    assert done == 0
    assert "Data card of tiny" in capsys.readouterr().out
    written = json.loads((tmp_path / "o/cards/tiny/card.json").read_text())
    assert written["sessions"] == 3
    assert written["fingerprint"] == load_click_log(folder).fingerprint
    assert "<svg" in (tmp_path / "o/cards/tiny/card.html").read_text()


def test_the_command_says_what_is_wrong_with_a_folder(tmp_path, monkeypatch, capsys):
    assert inspect(monkeypatch, f"dataset.path={tmp_path}/none") == 2
    assert "which is not there" in capsys.readouterr().err
