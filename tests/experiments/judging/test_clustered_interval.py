"""Multiway clustered intervals: by hand, against naive twins, and by simulated shared shocks."""

import math

import numpy as np
import pytest
from scipy import stats

from experiments.judging.clustered_interval import (
    Clustering,
    clustered_interval,
    clustering,
    student_interval,
    two_way,
)
from experiments.judging.influence import ratio, users_mean
from experiments.judging.statistics import cluster_means, cluster_numbers, mean_interval


def test_error_by_user_is_that_of_a_mean_over_users():
    rng = np.random.default_rng(0)
    values, users = rng.normal(size=300), cluster_numbers(rng.integers(0, 50, 300))
    means = cluster_means(values, users)
    found = clustering(users_mean(values, users), users)
    assert found.error == pytest.approx(means.std(ddof=1) / math.sqrt(len(means)))
    assert found.n_effective == pytest.approx(len(means))


def test_error_by_unit_is_that_of_leaving_each_unit_out():
    rng = np.random.default_rng(1)
    values, users, units = rng.normal(size=90), np.arange(90), rng.integers(0, 7, 90)
    left_out = np.array([values[units != unit].mean() for unit in range(7)])
    jackknife = math.sqrt(6 / 7 * float(((left_out - values.mean()) ** 2).sum()))
    assert clustering(users_mean(values, users), units).error == pytest.approx(jackknife)


def test_two_way_variance_worked_by_hand():
    # 2 x 2 cells of one session: 3 1 / 1 -1, mean 1; influences .5 0 / 0 -.5
    values, users, units = np.array([3.0, 1, 1, -1]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    mean = users_mean(values, users)
    # one way: sums +-.5, shares 1/2: shifts +-1, variance 1/2 * 2 = 1; both ways alike
    assert clustering(mean, users).error == pytest.approx(1.0)
    assert clustering(mean, units).error == pytest.approx(1.0)
    # pairs: shifts .5 / .75, variance 3/4 * 2 * 4/9 = 2/3; 1 + 1 - 2/3 = 4/3
    assert two_way(mean, users, units) == pytest.approx((math.sqrt(4 / 3), 2.0))


@pytest.mark.parametrize("seed", range(20))
def test_two_way_error_is_never_below_either_way(seed):
    rng = np.random.default_rng(seed)
    users, units = cluster_numbers(rng.integers(0, 9, 60)), cluster_numbers(rng.integers(0, 6, 60))
    mean = users_mean(rng.normal(size=60), users)
    ways = clustering(mean, users), clustering(mean, units)
    both = two_way(mean, users, units)
    assert both.error >= max(way.error for way in ways) - 1e-12
    assert both.n_effective == min(way.n_effective for way in ways)


def test_units_within_users_change_nothing_two_way():
    rng = np.random.default_rng(3)
    units = np.repeat(np.arange(40), 5)
    users = units // 4
    mean = users_mean(rng.normal(size=200), users)
    cells = clustering(mean, units).error
    assert two_way(mean, users, units).error == pytest.approx(
        max(clustering(mean, users).error, cells)
    )


def test_effective_number_is_small_where_one_unit_holds_most():
    users = np.arange(100)
    units = np.where(users < 91, 0, users - 90)
    found = clustering(users_mean(np.ones(100) * users, users), units)
    assert found.n_effective == pytest.approx(100**2 / (91**2 + 9))


def test_one_unit_for_all_sessions_leaves_both_ends_undetermined():
    values, users = np.random.default_rng(0).normal(size=50), np.arange(50)
    found = clustered_interval(users_mean(values, users), users, np.zeros(50, np.int64), seed=0)
    assert not found.interval.determined
    assert math.isnan(found.interval.low)
    assert found.widest == "units"
    assert math.isnan(found.error)


def test_student_interval_needs_more_than_one_effective_cluster():
    assert not student_interval(0.1, Clustering(0.01, 1.2), 0.95).determined
    assert student_interval(0.1, Clustering(0.01, 2.0), 0.95).determined


def test_without_units_it_is_the_interval_over_users_means():
    rng = np.random.default_rng(4)
    values, users = rng.normal(size=300), cluster_numbers(rng.integers(0, 50, 300))
    found = clustered_interval(users_mean(values, users), users, None, seed=7)
    plain = mean_interval(cluster_means(values, users), seed=7)
    assert (found.interval.low, found.interval.high) == pytest.approx((plain.low, plain.high))
    assert found.widest == "users"


def test_the_interval_contains_that_of_each_way():
    rng = np.random.default_rng(5)
    users, units = cluster_numbers(rng.integers(0, 60, 400)), rng.integers(0, 15, 400)
    values = rng.normal(size=400) + rng.normal(size=15)[units] / 2
    mean = users_mean(values, users)
    found = clustered_interval(mean, users, units, seed=0)
    alone = clustered_interval(mean, users, None, seed=0).interval
    plain = student_interval(mean.estimate, clustering(mean, units), 0.95)
    assert found.interval.low <= min(alone.low, plain.low)
    assert found.interval.high >= max(alone.high, plain.high)
    assert found.widest in ("units", "both")


def errors_per_end(n_days: int, n_logs: int, *, shared: float, skewed: bool) -> np.ndarray:
    """Share of logs of one query with redrawn daily wants whose low, high end misses 0; by user."""
    rng = np.random.default_rng(11)
    missed = np.zeros(3)
    users, days = np.arange(300), np.arange(300) % n_days
    for log in range(n_logs):
        shock = 1 - rng.exponential(size=n_days) if skewed else rng.normal(size=n_days)
        mean = users_mean(shared * shock[days] + rng.normal(0, 0.25, 300), users)
        ends = clustered_interval(mean, users, days, seed=log, n_resamples=200).interval
        alone = clustered_interval(mean, users, None, seed=log, n_resamples=200).interval
        missed += [ends.low > 0, ends.high < 0, alone.low > 0]
    return missed / n_logs


@pytest.mark.parametrize("n_days", [5, pytest.param(12, marks=pytest.mark.slow), 30])
def test_wants_redrawn_daily_on_one_query_are_mistaken_for_a_gain_as_often_as_said(n_days):
    low, high, users_alone = errors_per_end(n_days, 400, shared=0.118, skewed=False)
    assert users_alone > 0.07, "the shared days must matter for the test to say anything"
    for missed in (low, high):
        assert stats.binomtest(round(400 * missed), 400, 0.025, "greater").pvalue > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("n_days", [5, 12, 30])
@pytest.mark.parametrize("skewed", [False, True])
def test_each_end_errs_at_most_one_time_in_twenty_however_days_are_shared(n_days, skewed):
    low, high, _ = errors_per_end(n_days, 2000, shared=0.118, skewed=skewed)
    assert max(low, high) <= 0.055
    if not skewed:
        assert 0.01 <= min(low, high) <= max(low, high) <= 0.035


def test_days_that_share_nothing_cost_little_width():
    rng = np.random.default_rng(2)
    users, days = np.arange(600), np.arange(600) % 30
    wider = []
    for log in range(60):
        mean = users_mean(rng.normal(size=600), users)
        both = clustered_interval(mean, users, days, seed=log, n_resamples=200).interval
        alone = clustered_interval(mean, users, None, seed=log, n_resamples=200).interval
        wider.append((both.high - both.low) / (alone.high - alone.low))
    assert 1.0 <= np.median(wider) < 1.2


def test_one_user_with_most_of_the_weight_leaves_a_ratio_undetermined():
    users, weights = np.arange(50), np.concatenate([[1e5], np.ones(49)])
    gains = np.random.default_rng(0).normal(size=50)
    found = ratio(users_mean(weights * gains, users), users_mean(weights, users))
    assert not clustered_interval(found, users, None, seed=0).interval.determined


def test_a_weighted_ratio_is_covered_as_often_as_said():
    rng = np.random.default_rng(6)
    users, days, covered = np.arange(240), np.arange(240) % 40, []
    for log in range(200):
        weights = rng.choice([0.5, 1.0, 4.0], 240)
        gains = 0.05 + 0.1 * rng.normal(size=40)[days] + 0.2 * rng.normal(size=240)
        found = ratio(users_mean(weights * gains, users), users_mean(weights, users))
        ends = clustered_interval(found, users, days, seed=log, n_resamples=200).interval
        covered.append(ends.low <= 0.05 <= ends.high)
    assert stats.binomtest(int(sum(covered)), 200, 0.95, "less").pvalue > 0.01
