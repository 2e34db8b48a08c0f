"""What the verdict looks at, from rows made by hand."""

import math

import numpy as np
import pytest

from experiments.judging.comparison import Judge, compare_with_no_adjustment
from experiments.judging.evidence import (
    Rival,
    power_of,
    rank_rivals,
    split_gain,
    trend_of,
    unknown_share,
    users_needed,
)
from tests.experiments.judging.score_rows import make_scores

JUDGE = Judge("ndcg_at_10", seed=0)
DAY = 86_400


def test_a_gain_is_split_into_objects_clicked_before_and_new_ones():
    scores = make_scores(np.arange(60), np.zeros(60), np.full(60, 0.3), refound=np.full(60, 0.3))
    split = split_gain(scores, JUDGE)
    assert split.refound.estimate == pytest.approx(0.3)
    assert split.new.estimate == pytest.approx(0.0)
    assert split.is_refinding


@pytest.mark.parametrize(("share", "is_refinding"), [(0.0, True), (0.15, True), (0.25, False)])
def test_what_people_still_click_after_a_week_they_like(share, is_refinding):
    gains = np.random.default_rng(0).normal(0.3, 0.02, 60)
    scores = make_scores(
        np.arange(60), np.zeros(60), gains, refound=gains * 1.01, lasting=gains * share
    )
    assert split_gain(scores, JUDGE).is_refinding == is_refinding


def test_what_chance_alone_may_have_left_after_a_week_is_no_liking():
    rng = np.random.default_rng(0)
    gains, lasting = np.full(60, 0.3), rng.normal(0.0, 1.0, 60)
    lasting += 0.1 - lasting.mean()
    scores = make_scores(np.arange(60), np.zeros(60), gains, refound=gains, lasting=lasting)
    split = split_gain(scores, JUDGE)
    assert split.lasting.estimate == pytest.approx(0.1)
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
