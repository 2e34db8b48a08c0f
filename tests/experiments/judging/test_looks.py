"""Confidence over looks: what all of them may spend, and simulated peeking."""

import numpy as np
import pytest
from scipy import stats

from experiments.judging.looks import look_confidence


def test_all_looks_together_spend_the_error_and_no_more():
    spent = np.cumsum([1 - look_confidence(look) for look in range(1, 2001)])
    assert spent[-1] < 0.05
    assert spent[-1] == pytest.approx(0.05, abs=1e-7)


def test_each_look_is_more_careful_and_the_first_costs_little():
    confidence = [look_confidence(look) for look in range(1, 10)]
    assert all(np.diff(confidence) > 0)
    widths = stats.norm.ppf((1 + np.array(confidence)) / 2) / stats.norm.ppf(0.975)
    assert widths[:3] == pytest.approx([1.04, 1.426, 1.616], abs=0.005)


def test_there_is_no_look_before_the_first():
    with pytest.raises(ValueError, match="first look is number 1"):
        look_confidence(0)


def test_fifty_independent_looks_mislead_one_time_in_twenty():
    z = np.random.default_rng(0).normal(size=(4000, 50))
    limits = stats.norm.ppf([(1 + look_confidence(look)) / 2 for look in range(1, 51)])
    misled = int((np.abs(z) > limits).any(axis=1).sum())
    assert stats.binomtest(misled, 4000, 0.05, "greater").pvalue > 0.01
