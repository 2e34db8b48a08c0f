"""Optimism: what a finalist's gap has beyond everyone's."""

import math

import numpy as np
import pytest

from experiments.judging.optimism import optimism


def test_a_harder_test_is_not_optimism():
    found = optimism(0.03, np.array([0.02, 0.03, 0.04]))
    assert found.usual_gap == pytest.approx(0.03)
    assert found.optimism == pytest.approx(0.0)
    assert found.error == pytest.approx(0.01 / math.sqrt(3))


def test_without_unselected_trials_it_is_not_known():
    found = optimism(0.03, np.array([]))
    assert math.isnan(found.optimism)
    assert math.isnan(optimism(0.03, np.array([0.01])).error)


def test_choosing_the_best_of_fifty_equal_trials_is_found_out():
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        shared = 0.02
        tune, test = rng.normal(shared, 0.01, 50), rng.normal(0, 0.01, 50)
        best = int(tune.argmax())
        found.append(optimism(tune[best] - test[best], np.delete(tune - test, best)).optimism)
    # the largest of fifty normal draws is 2.249 standard deviations up on average
    assert np.mean(found) == pytest.approx(0.01 * 2.249 * 50 / 49, abs=0.002)
