"""Sampling and propensity errors add as variances: by hand and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from adjuster.metrics.interval import Interval
from experiments.judging.propensity_uncertainty import with_propensity_draws


def test_equal_draws_change_nothing():
    ends = with_propensity_draws(0.05, Interval(0.02, 0.09), np.full(20, 0.05))
    assert (ends.low, ends.high) == pytest.approx((0.02, 0.09))


def test_half_widths_add_as_squares():
    draws = np.random.default_rng(0).normal(0.05, 0.01, 50)
    ends = with_propensity_draws(0.05, Interval(0.02, 0.09), draws)
    extra = stats.t.ppf(0.975, 49) * draws.std(ddof=1)
    assert ends.low == pytest.approx(0.05 - math.sqrt(0.03**2 + extra**2))
    assert ends.high == pytest.approx(0.05 + math.sqrt(0.04**2 + extra**2))


def test_undetermined_ends_and_single_draws_stay_undetermined():
    half = with_propensity_draws(0.05, Interval(math.nan, 0.09), np.array([0.04, 0.06]))
    assert math.isnan(half.low)
    assert half.high > 0.09
    assert not with_propensity_draws(0.05, Interval(0.02, 0.09), np.array([0.05])).determined


def test_the_total_is_covered_as_often_as_said():
    rng, covered = np.random.default_rng(1), 0
    for _ in range(1000):
        propensity, estimate = rng.normal(0, 0.02), rng.normal(0, 0.01)
        centre = propensity + estimate
        draws = centre + rng.normal(0, 0.02, 40)
        ends = with_propensity_draws(centre, Interval(centre - 0.0196, centre + 0.0196), draws)
        covered += ends.low <= 0 <= ends.high
    assert 0.93 <= covered / 1000 <= 0.97
