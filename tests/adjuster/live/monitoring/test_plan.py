"""The plan: its closed form, against the sequences that it plans, and how it scales."""

import math

import numpy as np
import pytest

from adjuster.live.monitoring.decision import ON, decide
from adjuster.live.monitoring.plan import plan_interleaving, sessions_to_see
from adjuster.live.monitoring.tally import Tally


def test_twice_the_gain_takes_a_quarter_of_the_sessions():
    small, large = (plan_interleaving(gain, 0.5, 100).sessions for gain in (0.01, 0.02))
    assert small == pytest.approx(4 * large, rel=1e-3)
    assert plan_interleaving(0.02, 0.25, 100).sessions == pytest.approx(2 * large, rel=1e-3)


def test_days_are_the_sessions_over_the_shares_traffic():
    plan = plan_interleaving(0.05, 0.5, 200, share=0.25)
    assert plan.days == plan.sessions / 50
    assert math.isinf(plan_interleaving(0.05, 0.5, 0).days)


@pytest.mark.parametrize("gain", [0.02, 0.2])
def test_a_lead_as_planned_is_seen_about_as_often_as_planned(gain):
    """Sessions of as many users, a lead and a spread as the plan takes them, looked at 30 times."""
    planned = int(sessions_to_see(gain, 1.0, confidence=0.95, power=0.8))
    rng = np.random.default_rng(0)
    n_seen, n_runs = 0, 200
    for _ in range(n_runs):
        won = np.where(rng.random(planned) < (1 + gain) / 2, 1.0, -1.0).cumsum()
        for n in np.linspace(100, planned, 30).astype(int):
            total = float(won[n - 1])
            if decide(Tally(n, n, total, n, total, n), planned=planned).word == ON:
                n_seen += 1
                break
    assert 0.74 < n_seen / n_runs < 0.97


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((0.0, 0.5, 1), "gain must be > 0"),
        ((0.1, 0.0, 1), "clicked_share must be in"),
        ((0.1, 1.5, 1), "clicked_share must be in"),
    ],
)
def test_numbers_out_of_range_are_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        plan_interleaving(*given)
