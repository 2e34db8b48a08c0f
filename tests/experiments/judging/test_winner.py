"""Inference on the best of many trials: equal trials, a true winner, and gaps in what was seen."""

import math

import numpy as np
import pytest
from scipy import stats

from experiments.judging.statistics import mean_interval
from experiments.judging.winner import crossfitted_gain, winners_gain


def trials(rng: np.random.Generator, means: np.ndarray, n_users: int, alike: float) -> np.ndarray:
    """Gains of trials whose users' differences are correlated as `alike`, spread .15."""
    shared, own = rng.normal(size=n_users), rng.normal(size=(len(means), n_users))
    return means[:, None] + 0.15 * (math.sqrt(alike) * shared + math.sqrt(1 - alike) * own)


def test_one_trial_is_its_own_winner_with_its_usual_interval_inside():
    gains = np.random.default_rng(0).normal(0.05, 0.1, (1, 150))
    found = winners_gain(gains, seed=3)
    plain = mean_interval(gains[0], seed=3)
    assert found.trial == 0
    assert found.gain == pytest.approx(gains.mean())
    assert found.interval.low <= plain.low
    assert found.interval.low == pytest.approx(plain.low, abs=0.004)
    assert found.interval.high == plain.high


@pytest.mark.parametrize(("n_users", "alike"), [(20, 0.0), (20, 0.7), (120, 0.0), (120, 0.7)])
def test_the_best_of_a_hundred_equal_trials_gains_nothing(n_users, alike):
    rng, naive, gains, false = np.random.default_rng(1), [], [], 0
    for log in range(40):
        found = winners_gain(trials(rng, np.zeros(100), n_users, alike), seed=log, n_resamples=200)
        naive.append(found.naive_gain)
        gains.append(found.gain)
        false += found.interval.low > 0
    assert stats.binomtest(false, 40, 0.025, "greater").pvalue > 0.01
    assert np.mean(naive) > 0.012
    assert abs(np.mean(gains)) < 0.4 * np.mean(naive)


def test_a_true_winner_keeps_most_of_its_gain():
    rng, means = np.random.default_rng(2), np.concatenate([[0.05], np.zeros(49)])
    found = [
        winners_gain(trials(rng, means, 200, 0.5), seed=log, n_resamples=200) for log in range(25)
    ]
    assert np.mean([best.trial == 0 for best in found]) > 0.95
    assert np.mean([best.gain for best in found]) == pytest.approx(0.05, abs=0.006)
    assert np.mean([best.interval.low > 0 for best in found]) > 0.8
    assert all(best.interval.low <= best.gain <= best.interval.high for best in found)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.02])
@pytest.mark.parametrize("n_users", [20, 200])
def test_the_true_gain_of_the_chosen_is_below_the_low_end_one_time_in_twenty(n_users, spread):
    rng, missed = np.random.default_rng(3), 0
    for log in range(400):
        means = rng.normal(0.02, spread, 100)
        found = winners_gain(trials(rng, means, n_users, 0.3), seed=log, n_resamples=200)
        missed += found.interval.low > means[found.trial]
    assert stats.binomtest(missed, 400, 0.05, "greater").pvalue > 0.01


def test_users_that_a_trial_did_not_see_are_left_out_of_its_mean():
    gains = np.array([[0.2, np.nan, 0.4, 0.3], [0.1, 0.1, 0.1, 0.2]])
    found = winners_gain(gains, seed=0)
    assert (found.trial, found.naive_gain) == (0, pytest.approx(0.3))


def test_a_trial_in_which_one_user_lost_does_not_hide_the_winner():
    rng = np.random.default_rng(0)
    odd = np.zeros(80)
    odd[3] = -0.2
    gains = np.stack([rng.normal(0.1, 0.1, 80), odd])
    assert winners_gain(gains, seed=0).interval.low > 0.05


def test_a_trial_that_saw_nothing_is_refused():
    with pytest.raises(ValueError, match="seen at least one user"):
        winners_gain(np.array([[np.nan, np.nan], [0.1, 0.2]]), seed=0)


def test_one_user_leaves_everything_undetermined():
    found = winners_gain(np.array([[0.1], [0.2]]), seed=0)
    assert not found.interval.determined
    assert found.trial == 1


def test_crossfitting_measures_where_it_did_not_choose():
    # each trial is good for one user alone: chosen without that user it shows nothing
    gains = np.eye(30)
    assert crossfitted_gain(gains, np.random.default_rng(0)) < 0.5 * gains.mean()


def test_trials_that_were_stopped_early_count_among_those_chosen_from():
    gains = trials(np.random.default_rng(4), np.full(20, 0.02), 200, 0.3)
    all_seen = winners_gain(gains, seed=0)
    some_stopped = winners_gain(gains, seed=0, n_tried=100)
    assert some_stopped.interval.low < all_seen.interval.low
    assert some_stopped.interval.high == all_seen.interval.high


def test_the_interval_is_that_of_the_trial_that_was_chosen():
    gains = np.array([[0.1, 0.12, 0.11, 0.1], [0.2, 0.22, 0.21, 0.2]])
    assert winners_gain(gains, seed=0).trial == 1
    assert winners_gain(gains, seed=0, trial=0).naive_gain == pytest.approx(0.1075)
