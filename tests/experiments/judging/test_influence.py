"""Influence of sessions: by hand, and against the estimate with a session left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.judging.influence import change, ratio, users_mean
from experiments.judging.statistics import cluster_means, cluster_numbers


def draw(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.02, 0.2, n), cluster_numbers(rng.integers(0, 40, n))


@given(st.integers(0, 10_000))
def test_users_mean_is_the_mean_of_cluster_means_and_its_contributions_sum_to_zero(seed):
    values, users = draw(seed, n=1 + seed % 60)
    found = users_mean(values, users)
    assert found.estimate == pytest.approx(cluster_means(values, users).mean())
    assert found.contribution.sum() == pytest.approx(0, abs=1e-12)
    assert found.weight.sum() == pytest.approx(1)


def test_contributions_of_a_user_sum_to_the_users_deviation_over_the_number_of_users():
    values, users = draw(1)
    found = users_mean(values, users)
    means = cluster_means(values, users)
    sums = np.bincount(users, weights=found.contribution)
    assert sums == pytest.approx((means - means.mean()) / len(means))


def test_influence_of_a_ratio_is_the_slope_in_a_sessions_weight():
    gains, users = draw(2)
    weights = np.random.default_rng(3).uniform(0.5, 2, len(gains))
    found = ratio(users_mean(gains * weights, users), users_mean(weights, users))
    means = cluster_means(gains * weights, users), cluster_means(weights, users)
    share = np.full(len(means[0]), 1 / len(means[0]))
    step = 1e-6
    share[5] += step
    slope = (share @ means[0] / (share @ means[1]) - found.estimate) / step
    contribution = np.bincount(users, weights=found.contribution)[5] * len(means[0])
    assert slope == pytest.approx(contribution, rel=1e-3)


def test_a_ratio_over_ones_is_the_numerator():
    values, users = draw(4)
    plain = users_mean(values, users)
    found = ratio(plain, users_mean(np.ones(len(values)), users))
    assert found.estimate == pytest.approx(plain.estimate)
    assert found.contribution == pytest.approx(plain.contribution)
    assert found.weight == pytest.approx(plain.weight)


def test_leaving_a_session_out_moves_a_ratio_by_its_influence_over_what_is_left():
    rng = np.random.default_rng(7)
    gains, weights, users = rng.normal(size=12), rng.uniform(0.2, 5, 12), np.arange(12)
    found = ratio(users_mean(gains * weights, users), users_mean(weights, users))
    kept = np.arange(12) != 4
    left_out = (gains * weights)[kept].sum() / weights[kept].sum()
    shift = -found.contribution[4] / (1 - found.weight[4])
    assert left_out - found.estimate == pytest.approx(shift)


def test_a_change_subtracts_what_the_earlier_sessions_contribute():
    early = users_mean(np.array([0.1, 0.3]), np.array([0, 1]))
    late = users_mean(np.array([0.5, 0.7, 0.6]), np.array([0, 1, 2]))
    found = change(late, early)
    assert found.estimate == pytest.approx(0.4)
    assert found.contribution == pytest.approx([0.05, -0.05, -1 / 30, 1 / 30, 0])
    assert found.weight.sum() == pytest.approx(1)
