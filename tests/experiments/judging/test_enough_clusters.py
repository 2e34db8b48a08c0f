"""Enough users for a claim: by hand, and by logs of skewed differences without any gain."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.judging.enough_clusters import (
    clusters_needed,
    hidden_loss,
    is_enough,
    skew,
    unseen_share,
)
from experiments.judging.statistics import mean_interval


def test_the_rule_of_three_is_near_the_bound():
    assert unseen_share(1000) == pytest.approx(3 / 1000, rel=0.01)
    # by hand: with a share of 1 - .05^(1/2) = .7764 two users hold none in .2236^2 = 5 % of logs
    assert unseen_share(2) == pytest.approx(0.7764, abs=1e-4)


@given(st.integers(1, 2000), st.floats(0.05, 1))
def test_a_gain_of_the_hidden_loss_is_exactly_what_unseen_losers_take_away(n, loss):
    gain, share = hidden_loss(n, largest_loss=loss), unseen_share(n)
    assert (1 - share) * gain - share * loss == pytest.approx(0, abs=1e-12)


@given(st.floats(0.005, 0.5), st.floats(0.1, 1))
def test_one_user_fewer_than_needed_is_too_few(gain, loss):
    needed = int(clusters_needed(np.full(5, gain), largest_loss=loss))
    assert hidden_loss(needed, largest_loss=loss) <= gain * (1 + 1e-9)
    assert needed == 1 or hidden_loss(needed - 1, largest_loss=loss) > gain * (1 - 1e-9)


def test_skew_worked_by_hand_and_like_scipys():
    # deviations -3 1 1 1, variance 3, third moment -6: -6 / 3^1.5
    assert skew(np.array([-3.0, 1, 1, 1])) == pytest.approx(-6 / 3**1.5)
    values = np.random.default_rng(0).exponential(size=50)
    assert skew(values) == pytest.approx(stats.skew(values))


def test_a_long_tail_of_losses_needs_more_users_and_one_of_gains_does_not():
    losses = np.concatenate([np.full(99, 0.8), [-0.9]])
    gains = 1.6 * losses.mean() - losses
    assert skew(losses) == pytest.approx(-skew(gains))
    assert clusters_needed(losses) == math.ceil(9 * skew(losses) ** 2)
    assert clusters_needed(gains) < 10


def test_no_gain_no_number_is_enough():
    assert clusters_needed(np.array([-0.1, 0.05])) == math.inf
    assert not is_enough(np.zeros(1000))
    assert not is_enough(np.array([]))


def test_five_people_are_too_few_even_if_all_gain_much():
    assert not is_enough(np.full(5, 0.3))


Draw = Callable[[np.random.Generator, int], np.ndarray]


def two_points(loss_share: float, gain: float, noise: float = 0.0) -> Draw:
    """A gain for most and for some the loss that makes the mean 0."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        loss = -gain * (1 - loss_share) / loss_share
        return np.where(rng.random(n) < loss_share, loss, gain) + noise * rng.normal(size=n)

    return draw


def lognormal_losses(sigma: float) -> Draw:
    """Mean 0, standard deviation .1, a lognormal tail of losses."""
    mean = math.exp(sigma**2 / 2)
    spread = mean * math.sqrt(math.exp(sigma**2) - 1)
    return lambda rng, n: 0.1 * (mean - np.exp(sigma * rng.normal(size=n))) / spread


NULLS: dict[str, Draw] = {
    "one in five loses": two_points(0.2, 0.1),
    "7 % lose, as in the issue": two_points(0.07, 0.05),
    "7 % lose, noisy": two_points(0.07, 0.05, 0.025),
    "3 % lose all": two_points(0.03, 0.03),
    "3 % lose all, noisy": two_points(0.03, 0.03, 0.015),
    "1 % lose all": two_points(0.01, 0.01),
    "2 % lose a quarter": two_points(0.02, 0.005),
    "lognormal .5": lognormal_losses(0.5),
    "lognormal 1": lognormal_losses(1.0),
    "lognormal 1.5": lognormal_losses(1.5),
}


def false_gains(draw: Draw, n_users: int, n_logs: int) -> tuple[int, int]:
    """How often the low end lies above 0, and how often with enough users."""
    rng, low, enough = np.random.default_rng(5), 0, 0
    for log in range(n_logs):
        differences = draw(rng, n_users)
        if mean_interval(differences, seed=log, n_resamples=200).low > 0:
            low += 1
            enough += is_enough(differences)
    return low, enough


@pytest.mark.parametrize("n_users", [20, 40, 120])
def test_seven_percent_of_losers_are_no_gain(n_users):
    low, enough = false_gains(NULLS["7 % lose, as in the issue"], n_users, 300)
    assert enough <= 0.05 * 300
    if n_users == 20:
        assert low > 0.15 * 300, "the interval alone must err for the rule to be needed"


@pytest.mark.slow
@pytest.mark.parametrize("n_users", [5, 10, 20, 40, 60, 80, 120, 160, 320, 640])
@pytest.mark.parametrize("name", NULLS)
def test_a_gain_with_enough_users_is_false_at_most_one_time_in_twenty(name, n_users):
    _, enough = false_gains(NULLS[name], n_users, 1000)
    assert stats.binomtest(enough, 1000, 0.05, "greater").pvalue > 0.01


def test_a_real_gain_of_normal_spread_is_hardly_ever_held_back():
    rng = np.random.default_rng(0)
    assert np.mean([is_enough(rng.normal(0.05, 0.15, 200)) for _ in range(200)]) > 0.98
