"""The last quarter against the rest: planted flips are found, steady gains and shocks are not."""

import numpy as np
import pytest
from scipy import stats

from experiments.judging.trend import last_quarter, trend


def test_sessions_of_one_moment_stay_together():
    late = last_quarter(np.array([0.0, 1, 2, 3, 3, 3, 3, 3]))
    assert late.tolist() == [False] * 3 + [True] * 5
    assert len(last_quarter(np.array([]))) == 0


def test_a_quarter_of_sessions_in_any_order_is_late():
    time = np.random.default_rng(0).permutation(400).astype(float)
    late = last_quarter(time)
    assert late.sum() == 100
    assert time[late].min() > time[~late].max()


def test_the_gain_of_the_last_quarter_is_over_its_users_means():
    users, time = np.array([0, 0, 0, 0, 0, 1, 0, 0]), np.arange(8.0)
    differences = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.6, 0.2])
    found = trend(differences, users, None, time, seed=0)
    assert found.late.estimate == pytest.approx(0.4)
    assert found.change.estimate == pytest.approx(0.4 - 0.2)


def test_unknown_users_are_clusters_of_their_own():
    time = np.arange(40.0)
    gains = np.random.default_rng(0).normal(size=40)
    unknown = trend(gains, np.full(40, -1), None, time, seed=0)
    known = trend(gains, np.arange(40), None, time, seed=0)
    assert unknown.change.interval == known.change.interval


def test_relevance_that_flips_in_the_last_quarter_is_seen():
    rng, time = np.random.default_rng(1), np.arange(600.0)
    gains = np.where(time < 460, 0.1, -0.1) + 0.2 * rng.normal(size=600)
    found = trend(gains, rng.integers(0, 120, 600), np.arange(600) // 15, time, seed=0)
    assert found.clearly_negative
    assert found.clearly_falling


def test_a_steady_gain_under_daily_shocks_is_rarely_called_falling():
    rng, falling, negative = np.random.default_rng(0), 0, 0
    days, time = np.arange(600) // 15, np.arange(600.0)
    for log in range(200):
        users = rng.integers(0, 120, 600)
        gains = 0.1 * rng.normal(size=120)[users] + 0.08 * rng.normal(size=40)[days]
        found = trend(
            gains + 0.2 * rng.normal(size=600), users, days, time, seed=log, n_resamples=200
        )
        falling += found.clearly_falling
        negative += found.clearly_negative
    for count in (falling, negative):
        assert stats.binomtest(count, 200, 0.025, "greater").pvalue > 0.01


def test_one_moment_has_no_trend():
    with pytest.raises(ValueError, match="at least two moments"):
        trend(np.ones(5), np.arange(5), None, np.zeros(5), seed=0)
