"""What the verdict looks at, from rows made by hand."""

import math

import numpy as np
import pytest

from experiments.judging.comparison import Judge, compare_with_no_adjustment
from experiments.judging.evidence import (
    Rival,
    Traffic,
    crowding,
    power_of,
    rank_rivals,
    split_gain,
    trend_of,
    unknown_share,
    users_needed,
)
from tests.experiments.judging.score_rows import make_scores

JUDGE = Judge("ndcg_at_10", seed=0)
HOUR, DAY = 3_600, 86_400


def traffic(user, query, created_at, clicks) -> Traffic:
    return Traffic(*(np.asarray(column) for column in (user, query, created_at, clicks)))


def of_many(n=200) -> Traffic:
    return traffic(np.arange(n) % 50, np.arange(n) % 40, np.arange(n) * HOUR, np.ones(n, int))


def test_clicks_of_many_people_are_not_crowded():
    assert crowding(of_many()) == ()


@pytest.mark.parametrize(
    ("column", "words"), [("user", "One user"), ("query", "One query"), ("created_at", "One hour")]
)
def test_one_behind_more_than_a_fifth_of_the_clicks_is_named(column, words):
    columns = dict(zip(("user", "query", "created_at"), vars(of_many()).values(), strict=False))
    columns[column] = columns[column].copy()
    columns[column][:60] = columns[column][0]
    (sentence,) = crowding(traffic(*columns.values(), np.ones(200, int)))
    assert sentence.startswith(f"{words} stands behind 3")


def test_unknown_users_are_nobody():
    user = np.where(np.arange(200) < 150, -1, np.arange(200))
    everyone = of_many()
    assert crowding(traffic(user, everyone.query, everyone.created_at, everyone.clicks)) == ()


def test_searches_faster_than_people_are_told_with_their_share():
    user = np.concatenate([np.full(40, 7), np.arange(160) + 10])
    created_at = np.concatenate([np.arange(40) + 90 * DAY, np.arange(160) * HOUR])
    clicks = np.concatenate([np.zeros(40, int), np.ones(160, int)])
    (sentence,) = crowding(traffic(user, np.arange(200), created_at, clicks))
    assert sentence == "1 user with 20% of the sessions searched faster than people can."


def test_a_gain_is_split_into_objects_clicked_before_and_new_ones():
    scores = make_scores(np.arange(60), np.zeros(60), np.full(60, 0.3), refound=np.full(60, 0.3))
    split = split_gain(scores, JUDGE)
    assert split.refound.estimate == pytest.approx(0.3)
    assert split.new.estimate == pytest.approx(0.0)
    assert split.is_refinding


def test_a_gain_on_new_objects_is_not_refinding():
    rng = np.random.default_rng(0)
    whole = rng.normal(0.1, 0.02, 60)
    scores = make_scores(np.arange(60), np.zeros(60), whole, refound=0.4 * whole)
    assert not split_gain(scores, JUDGE).is_refinding


def test_a_trend_needs_two_moments():
    scores = make_scores([0, 1], [0, 0], [1, 1], created_at=np.array([5, 5]))
    assert trend_of(scores, JUDGE) is None


def test_a_gain_that_turned_into_a_loss_shows_in_the_trend():
    rng, n = np.random.default_rng(0), 400
    gains = np.where(np.arange(n) < 300, 0.1, -0.1) + 0.05 * rng.normal(size=n)
    found = trend_of(make_scores(np.arange(n) % 80, np.zeros(n), gains), JUDGE)
    assert found.clearly_negative


def test_what_a_test_can_tell_shrinks_with_its_users():
    rng = np.random.default_rng(0)

    def power(n):
        scores = make_scores(np.arange(n), np.zeros(n), rng.normal(0.0, 0.1, n))
        return power_of(compare_with_no_adjustment(scores, JUDGE), scores, 0.005)

    few, many = power(50), power(800)
    assert 3 < few.detectable / many.detectable < 5
    assert few.n_users == 50
    assert few.n_days == pytest.approx(49 / 24)


def test_users_needed_grow_as_the_gain_shrinks():
    rng, n = np.random.default_rng(0), 200
    noise = rng.normal(0, 0.1, n)
    noise -= noise.mean()

    def needed(gain):
        scores = make_scores(np.arange(n), np.zeros(n), noise + gain)
        return power_of(compare_with_no_adjustment(scores, JUDGE), scores, 0.005).n_needed

    assert needed(0.1) < needed(0.02) < needed(0.01)
    assert needed(0.02) == pytest.approx(needed(0.04) * 4, rel=0.1)


def test_nothing_can_be_told_of_one_user():
    scores = make_scores([0, 0], [0, 0], [0.1, 0.2])
    power = power_of(compare_with_no_adjustment(scores, JUDGE), scores, 0.005)
    assert math.isinf(power.detectable)
    assert math.isinf(power.days_needed)


def test_users_needed_for_a_claim_follow_its_size():
    large = make_scores(np.arange(30), np.zeros(30), np.full(30, 0.3))
    small = make_scores(np.arange(30), np.zeros(30), np.full(30, 0.01))
    assert users_needed(large, "ndcg_at_10", 0.7) < 30 < users_needed(small, "ndcg_at_10", 0.7)


def test_the_unknown_are_a_share_of_the_sessions():
    assert unknown_share(make_scores([0, -1, -1, 2], [0] * 4, [0] * 4)) == 0.5


def rival(name, value, low, high):
    scores = make_scores([0, 1, 2], [0, 0, 0], [1, 2, 3])
    lead = compare_with_no_adjustment(scores, JUDGE)
    return Rival(name, value, type(lead)(**{**vars(lead), "low": low, "high": high}))


def test_a_rival_is_better_as_good_or_beaten():
    better, equal, beaten = (
        rival("a", 0.8, -0.3, -0.1),
        rival("b", 0.7, -0.1, 0.1),
        rival("c", 0.6, 0.1, 0.2),
    )
    assert (better.is_better, better.is_as_good) == (True, True)
    assert (equal.is_better, equal.is_as_good) == (False, True)
    assert (beaten.is_better, beaten.is_as_good) == (False, False)
    assert rival("d", 0.5, math.nan, math.nan).is_as_good, "what is not told is not a win"
    assert [item.name for item in rank_rivals([beaten, better, equal])] == ["a", "b", "c"]
