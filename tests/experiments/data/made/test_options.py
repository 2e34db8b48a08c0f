"""Every option of the simulated shop does what it says, and nothing where it is not used."""

import hashlib
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from experiments.config.data import SimulatedConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.browsing import NULL_ATTRACTION, draw_results, draw_searches, examination
from experiments.data.made.refinding import REFIND_CHANCE, REFIND_DAYS
from experiments.data.made.shop import build_shop
from experiments.data.made.simulated import prepare_simulated, simulate

SMALL = SimulatedConfig(
    n_sessions=3_000, n_users=30, n_objects=120, n_topics=3, n_queries=12, dimensions=16
)


def drawn(**options):
    config = replace(SMALL, **options)
    rng = np.random.default_rng(7)
    shop = build_shop(config, rng)
    searches = draw_searches(shop, config, rng)
    return config, searches, draw_results(shop, searches, config, rng)


def close(rate, expected, n):
    return abs(rate - expected) <= 4 * np.sqrt(expected * (1 - expected) / n) + 1e-9


def mark_of(**options):
    """A hash of who searched what when, what was shown and what was clicked when."""
    tables = simulate(replace(SMALL, n_sessions=300, **options), seed=7)
    columns = {
        "sessions": ("user_id", "query_id", "created_at", "is_irrelevant", "segment"),
        "impressions": ("session_id", "position", "object_id", "relevance"),
        "events": ("session_id", "object_id", "event_type", "created_at"),
    }
    told = {name: tables[name].select(list(which)).to_pydict() for name, which in columns.items()}
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def test_without_options_logs_are_those_that_were_made_before_there_were_any():
    assert (mark_of(), mark_of(null=True)) == ("6e019c6198170095", "112fd114db30ce50")


@pytest.mark.parametrize(
    "options",
    [
        {"shown_order": "past_clicks", "shuffled_share": 0.3},
        {"daily_weight": 1, "query_weight": 1},
        {"clicks_follow": "refinding", "bot_share": 0.4, "unknown_users_share": 0.2},
    ],
)
def test_the_same_seed_makes_the_same_log(options):
    assert mark_of(**options) == mark_of(**options) != mark_of()


def test_a_fixed_order_is_one_a_query_and_knows_nothing_of_relevance():
    _, searches, results = drawn(shown_order="fixed")
    for query in np.unique(searches.query):
        rows = results.shown[searches.query == query]
        assert (rows == rows[0]).all()
    first = [results.shown[searches.query == q][0] for q in np.unique(searches.query)]
    assert len({tuple(row) for row in first}) == len(first)


@pytest.mark.parametrize("decay", [0, 0.5, 1, 1.5])
def test_clicks_by_position_follow_the_decay(decay):
    config, _, results = drawn(
        clicks_follow="position", shown_order="fixed", examination_decay=decay
    )
    expected = examination(config) * NULL_ATTRACTION
    for position in (0, 4, 19):
        assert close(results.clicked[:, position].mean(), expected[position], 3_000)


def test_clicks_follow_position_is_null():
    one, other = (drawn(**how)[2] for how in ({"null": True}, {"clicks_follow": "position"}))
    assert (one.clicked == other.clicked).all()


def test_a_share_is_shuffled_into_all_orders_alike():
    _, searches, results = drawn(shown_order="fixed", shuffled_share=0.2, n_objects=60)
    moved = np.zeros(3_000, bool)
    for query in np.unique(searches.query):
        rows = np.flatnonzero(searches.query == query)
        orders, count = np.unique(results.shown[rows], axis=0, return_counts=True)
        usual = orders[count.argmax()]
        moved[rows] = (results.shown[rows] != usual).any(axis=1)
        where = np.argsort(results.shown[rows][moved[rows]], axis=1)
        assert np.abs(where.mean(axis=0) - 9.5).max() < 5 * 5.77 / np.sqrt(moved[rows].sum())
    assert close(moved.mean(), 0.2, 3_000)


def test_the_list_is_sorted_by_clicks_of_earlier_searches_of_the_query_alone():
    _, searches, results = drawn(shown_order="past_clicks", clicks_follow="position")
    counts = np.zeros((SMALL.n_queries, SMALL.n_objects), int)
    for number in range(SMALL.n_sessions):
        query, shown = searches.query[number], results.shown[number]
        seen = counts[query, shown]
        assert (np.diff(seen) <= 0).all()
        assert np.sort(counts[query])[-SMALL.n_shown :].sum() == seen.sum()
        counts[query, shown[results.clicked[number]]] += 1


def test_with_re_finding_clicks_repeat_those_of_the_days_before():
    config, searches, results = drawn(clicks_follow="refinding", n_days=20, repeat_share=0.8)
    last: dict[tuple[int, int], int] = {}
    for day in np.unique(searches.day):
        today = np.flatnonzero(searches.day == day)
        for number in today:
            user = searches.user[number]
            ago = np.array([day - last.get((user, o), -99) for o in results.shown[number]])
            assert (results.sought[number] == ((ago >= 1) & (ago <= REFIND_DAYS))).all()
        for number in today:
            for found in results.shown[number][results.clicked[number]]:
                last[searches.user[number], found] = day
    sought = results.sought
    assert close(results.clicked[sought].mean(), REFIND_CHANCE, sought.sum())
    new = ~sought[:, 0]
    assert close(
        results.clicked[new, 0].mean(), examination(config)[0] * NULL_ATTRACTION, new.sum()
    )


def test_popularity_alone_makes_an_object_as_relevant_to_all():
    _, _, results = drawn(similarity_weight=0, taste_weight=0, crowd_weight=1)
    grades = np.full(SMALL.n_objects, -1)
    for shown, relevance in zip(results.shown, results.relevance, strict=True):
        known = grades[shown] >= 0
        assert (grades[shown][known] == relevance[known]).all()
        grades[shown] = relevance


def repeats(searches, results, unit):
    """Whether an object has one grade within a unit, over all objects of many units."""
    code = unit[:, None] * SMALL.n_objects + results.shown
    _, place = np.unique(code, return_inverse=True)
    place = place.ravel()
    low, high = np.full(place.max() + 1, 9), np.full(place.max() + 1, -1)
    np.minimum.at(low, place, results.relevance.ravel())
    np.maximum.at(high, place, results.relevance.ravel())
    return (low == high).all()


ALONE = {"similarity_weight": 0, "crowd_weight": 0, "taste_weight": 0}


def test_a_shared_liking_is_of_a_query_and_lasts():
    _, searches, results = drawn(**ALONE, query_weight=1)
    assert repeats(searches, results, searches.query)
    assert not repeats(searches, results, np.zeros_like(searches.query))


def test_a_daily_want_is_everyones_for_a_day_and_gone_the_next():
    config, searches, results = drawn(**ALONE, daily_weight=1, n_queries=3, n_objects=60)
    assert repeats(searches, results, searches.query * config.n_days + searches.day)
    assert not repeats(searches, results, searches.query)
    grade = np.zeros((config.n_days, 60))
    for day, shown, relevance in zip(searches.day, results.shown, results.relevance, strict=True):
        grade[day, shown] = relevance
    alike = [np.corrcoef(a, b)[0, 1] for a, b in itertools.pairwise(grade)]
    assert abs(np.mean(alike)) < 0.1


def test_likings_flip_at_the_session_said():
    _, _, before = drawn(**(ALONE | {"crowd_weight": 1}))
    _, _, after = drawn(**(ALONE | {"crowd_weight": 1}), flip_at=11 / 12)
    assert (before.relevance[:2750] == after.relevance[:2750]).all()
    was_good = before.relevance[2750:] > 0
    assert (after.relevance[2750:][was_good] == 0).all()
    assert after.relevance[2750:].any()


def test_searches_come_within_the_opening_hours():
    _, searches, _ = drawn(open_hours=0.5)
    assert (searches.created_at % 86_400 < 1_800).all()
    assert (np.diff(searches.created_at) >= 0).all()


def test_a_tail_gives_most_sessions_to_a_handful():
    _, searches, _ = drawn(user_tail=2)
    share = np.bincount(searches.user, minlength=30) / 3_000
    assert share[:5].sum() > 0.8
    assert close(share[0], 1 / sum(rank**-2 for rank in range(1, 31)), 3_000)


def loaded(tmp_path, **options):
    prepare_simulated(tmp_path / "log", replace(SMALL, **options), seed=3)
    return load_click_log(tmp_path / "log")


def test_unknown_users_are_missing(tmp_path):
    log = loaded(tmp_path, unknown_users_share=0.3)
    assert close((log.session_user < 0).mean(), 0.3, 3_000)
    assert simulate(replace(SMALL, unknown_users_share=1))["sessions"].column_names == [
        "session_id",
        "query_id",
        "created_at",
        "is_irrelevant",
    ]


def test_without_any_user_vectors_are_shared(tmp_path):
    log = loaded(tmp_path, unknown_users_share=1)
    assert (log.n_users, log.personalize_by) == (0, "none")


@pytest.mark.parametrize(("bot_ids", "n_ids"), [(0, 0), (1, 1), (300, 300)])
def test_a_bot_has_its_share_of_the_clicks_fast(tmp_path, bot_ids, n_ids):
    log = loaded(tmp_path, bot_share=0.5, bot_ids=bot_ids, clicks_follow="position")
    user = np.array([int(name[1:]) for name in log.user_ids])
    by_bot = log.session_user < 0 if n_ids == 0 else user[log.session_user] >= SMALL.n_users
    session = np.repeat(np.arange(log.n_sessions), np.diff(log.impression_offsets))
    clicks = by_bot[session[log.event_impression]]
    assert 0.5 <= clicks.mean() < 0.51
    objects = np.unique(log.impression_object[log.event_impression[clicks]])
    assert len(objects) <= -(-SMALL.n_objects // 8)
    late = log.event_created_at - log.session_created_at[session[log.event_impression]]
    assert (late[clicks] == 1).all()
    assert (user >= SMALL.n_users).sum() in (n_ids, len(np.unique(log.session_user[by_bot])))


def test_a_bot_that_finds_nothing_to_click_is_said():
    with pytest.raises(ValueError, match=re.escape("simulated.bot_share must be reachable")):
        simulate(replace(SMALL, bot_share=0.999, n_sessions=20, click_noise=1))


def test_a_log_without_truth_has_neither_relevance_nor_propensity(tmp_path):
    log = loaded(tmp_path, log_truth=False)
    assert np.isnan(log.impression_relevance).all()
    assert np.isnan(log.impression_propensity).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shown_order": "best"}, "shown_order must be one of similarity, fixed, past_clicks"),
        ({"clicks_follow": "x"}, "clicks_follow must be one of relevance, position, refinding"),
        ({"null": True, "clicks_follow": "refinding"}, "relevance or position with null=true"),
        (
            {"shown_order": "past_clicks", "clicks_follow": "refinding"},
            "similarity or fixed with clicks_follow=refinding",
        ),
        ({"shuffled_share": 2}, "shuffled_share must be in [0, 1], got 2."),
        ({"open_hours": 0}, "open_hours must be in (0, 24], got 0."),
        ({"bot_share": 1}, "bot_share must be in [0, 1), got 1."),
        ({"taste_weight": -1}, "taste_weight must be in [0, 10], got -1."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(SMALL, **options)
