"""Debiased quality linear in the clicks: by hand, against the plain metrics, and under a null."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.metrics.linear import (
    LINEAR_METRICS,
    doubly_robust_gains,
    effective_count,
    inverse_propensity_gains,
    judge_linear,
    linear_scores,
    row_discounts,
    users_gain,
)
from adjuster.metrics.ranking import judge, rank_order, score_sessions


def shuffled(offsets, seed):
    return rank_order(np.random.default_rng(seed).random(offsets[-1]), offsets)


@pytest.mark.parametrize("metric", LINEAR_METRICS)
def test_one_click_a_session_at_propensity_1_is_the_plain_metric(metric):
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 25 * 14, 14)
    clicks = np.zeros(offsets[-1])
    clicks[offsets[:-1] + rng.integers(0, 14, len(offsets) - 1)] = 1
    before, after = shuffled(offsets, 1), shuffled(offsets, 2)
    judged = judge_linear(clicks, offsets, metric=metric)
    user = rng.integers(0, 5, len(offsets) - 1)
    user = np.unique(user, return_inverse=True)[1]
    scores = [linear_scores(judged, order) for order in (before, after)]
    gain = users_gain(*scores, judged.attainable, user)
    plain = [score_sessions(judge(clicks, offsets), order)[metric] for order in (before, after)]
    means = [np.mean(np.bincount(user, one) / np.bincount(user)) for one in plain]
    assert gain.before == pytest.approx(means[0])
    assert gain.after == pytest.approx(means[1])


def test_scores_worked_by_hand():
    gains = inverse_propensity_gains(np.array([1, 0, 1, 0, 0]), np.array([1, 0.5, 0.25, 1, 1]))
    np.testing.assert_allclose(gains, [1, 0, 4, 0, 0])
    judged = judge_linear(gains, np.array([0, 3, 5]), metric="ndcg_at_10")
    third, second = 0.5, 1 / np.log2(3)
    np.testing.assert_allclose(judged.attainable, [4 + second, 0])
    logged = np.arange(5)
    np.testing.assert_allclose(linear_scores(judged, logged), [1 + 4 * third, 0])
    best = np.array([2, 0, 1, 4, 3])
    np.testing.assert_allclose(linear_scores(judged, best), judged.attainable)
    np.testing.assert_allclose(row_discounts(judged, best), [second, third, 1, second, 1])


def test_users_gain_worked_by_hand():
    """User 0: two sessions, gains 1 and 0; user 1: one, gain 2. Attainable 2, 2 and 4."""
    gain = users_gain(
        np.zeros(3), np.array([1.0, 0.0, 2.0]), np.array([2.0, 2.0, 4.0]), np.array([0, 0, 1])
    )
    assert gain.value == pytest.approx((0.5 + 2) / 2 / 3)
    by_user = np.bincount([0, 0, 1], gain.influence) / [2, 1]
    assert by_user.mean() == pytest.approx(gain.value)


def test_influence_spreads_as_the_jackknife_of_the_ratio_does():
    rng = np.random.default_rng(1)
    user = np.sort(np.append(np.arange(80), rng.integers(0, 80, 300)))
    attainable = rng.gamma(2.0, size=len(user))
    before, after = attainable * rng.random(len(user)), attainable * rng.random(len(user)) * 1.1
    gain = users_gain(before, after, attainable, user)
    by_user = np.bincount(user, gain.influence) / np.bincount(user)
    left = []
    for one in range(80):
        keep = user != one
        others = np.unique(user[keep], return_inverse=True)[1]
        left.append(users_gain(before[keep], after[keep], attainable[keep], others).value)
    jackknife = np.sqrt(79 / 80 * np.sum((left - np.mean(left)) ** 2))
    assert by_user.std(ddof=1) / np.sqrt(80) == pytest.approx(jackknife, rel=0.03)


@given(st.integers(0, 10_000), st.sampled_from(LINEAR_METRICS))
def test_values_lie_between_nothing_and_the_attainable(seed, metric):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *rng.integers(0, 9, 6)])
    gains = rng.exponential(size=offsets[-1]) * (rng.random(offsets[-1]) < 0.4)
    judged = judge_linear(gains, offsets, metric=metric)
    scores = linear_scores(judged, shuffled(offsets, seed))
    assert np.all(scores >= 0)
    assert np.all(scores <= judged.attainable + 1e-12)


def test_where_position_alone_decides_no_ranking_gains_but_by_chance():
    """An order learnt from clicks by position lifts the top; debiased it gains nothing."""
    rng = np.random.default_rng(2)
    n_sessions, n_shown = 40_000, 10
    offsets = np.arange(0, (n_sessions + 1) * n_shown, n_shown)
    theta = np.tile(np.arange(1.0, n_shown + 1) ** -1, n_sessions)
    clicks = rng.random(len(theta)) < 0.3 * theta
    worst = rank_order(-theta + 0.1 * rng.random(len(theta)), offsets)
    learnt = rank_order(theta + 0.1 * rng.random(len(theta)), offsets)

    def gain(gains):
        judged = judge_linear(gains, offsets, metric="ndcg_at_10")
        scores = [linear_scores(judged, order) for order in (worst, learnt)]
        return users_gain(*scores, judged.attainable, np.arange(n_sessions))

    debiased = gain(inverse_propensity_gains(clicks, theta))
    assert gain(clicks.astype(float)).value > 0.3
    error = debiased.influence.std() / np.sqrt(n_sessions)
    assert abs(debiased.value) < 3 * error
    assert error < 0.005
    clipped = gain(inverse_propensity_gains(clicks, np.maximum(theta, 0.5)))
    assert clipped.value > 0.05


def test_what_clipping_takes_the_click_model_gives_back():
    rng = np.random.default_rng(3)
    n = 400_000
    theta, attraction = rng.choice([1.0, 0.2, 0.01], n), rng.choice([0.1, 0.3], n)
    clicks = rng.random(n) < theta * attraction
    robust = doubly_robust_gains(clicks, theta, attraction, clip=10)
    for chance in (1.0, 0.2, 0.01):
        assert robust[theta == chance].mean() == pytest.approx(0.2, abs=0.01)
    wrong = doubly_robust_gains(clicks, theta, np.full(n, 0.9), clip=10)
    assert wrong[theta == 0.2].mean() == pytest.approx(0.2, abs=0.01)
    assert np.abs(robust).max() <= 10 + 1


def test_unclipped_the_click_model_has_no_say():
    clicks, theta = np.array([1, 0, 1]), np.array([0.5, 0.1, 1.0])
    plain = inverse_propensity_gains(clicks, theta)
    for attraction in (0.0, 0.7):
        robust = doubly_robust_gains(clicks, theta, np.full(3, attraction), clip=10)
        np.testing.assert_allclose(robust, plain, atol=1e-12)


def test_a_left_out_row_counts_nothing():
    left_out = np.array([True, False])
    judged = judge_linear(
        np.array([5.0, 1.0]), np.array([0, 2]), metric="recall_at_10", left_out=left_out
    )
    assert judged.attainable.tolist() == [1.0]


def test_equal_weights_are_worth_their_number():
    assert effective_count(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_count(np.zeros(0)) == 0


@pytest.mark.parametrize("bad", [np.nan, 0.0, -0.5, 1.5])
def test_a_bad_propensity_is_named(bad):
    with pytest.raises(ValueError, match=r"propensity must be in \(0, 1\].* at row 1"):
        inverse_propensity_gains(np.array([0, 1]), np.array([0.5, bad]))
    inverse_propensity_gains(np.array([1, 0]), np.array([0.5, bad]))


def test_faults_are_named():
    with pytest.raises(ValueError, match=r"metric must be one of .*, got 'mrr'"):
        judge_linear(np.ones(1), np.array([0, 1]), metric="mrr")
    with pytest.raises(ValueError, match="gains must be finite, got nan at row 0"):
        judge_linear(np.array([np.nan]), np.array([0, 1]), metric="ndcg_at_5")
    with pytest.raises(ValueError, match=r"clip must be >= 1, got 0\.5"):
        doubly_robust_gains(np.ones(1), np.ones(1), np.ones(1), clip=0.5)
