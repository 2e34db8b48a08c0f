"""Minimum detectable effects: against simulated power, and the search for a number of clusters."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.judging.detectable_effect import (
    clusters_to_settle,
    detectable_gain,
    spread_between,
)
from experiments.judging.enough_clusters import hidden_loss
from experiments.judging.statistics import mean_interval


@pytest.mark.parametrize("n", [12, 60])
def test_the_detectable_gain_is_found_four_times_in_five(n):
    rng, gain = np.random.default_rng(0), detectable_gain(0.1, n)
    found = [
        mean_interval(rng.normal(gain, 0.1, n), seed=log, n_resamples=300).low > 0
        for log in range(500)
    ]
    assert 0.72 <= np.mean(found) <= 0.85


@given(st.floats(0.005, 0.5), st.floats(0.01, 0.5), st.floats(0, 1))
def test_the_number_that_settles_is_the_first_that_detects(gain, spread, loss):
    n = clusters_to_settle(gain, spread, largest_loss=loss)
    assert detectable_gain(spread, n, largest_loss=loss) <= gain
    assert n == 2 or detectable_gain(spread, n - 1, largest_loss=loss) > gain


def test_a_loss_and_a_gain_of_one_size_need_as_many():
    assert clusters_to_settle(-0.02, 0.1) == clusters_to_settle(0.02, 0.1)


def test_no_number_settles_a_gain_of_nothing():
    assert clusters_to_settle(0.0, 0.1) == math.inf


def test_one_cluster_detects_nothing():
    assert detectable_gain(0.1, 1) == math.inf


def test_without_spread_only_unseen_losers_stand_in_the_way():
    assert detectable_gain(0.0, 50, largest_loss=0.6) == hidden_loss(50, largest_loss=0.6)


def test_spread_is_the_error_of_one_cluster():
    values = np.random.default_rng(0).normal(size=40)
    error = values.std(ddof=1) / math.sqrt(40)
    assert spread_between(error, 40) == pytest.approx(values.std(ddof=1))
