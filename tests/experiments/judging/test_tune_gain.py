"""What tune can say of the best trial: corrected for having been chosen, never more."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from experiments.judging.comparison import Judge, compare_with_no_adjustment
from experiments.judging.tune_gain import own_interval, tune_gain
from tests.experiments.planted_replay import planted_scores
from tests.experiments.planted_trials import record


def trial(number, gains, **how):
    found = record(number, 0.7 + float(np.mean(gains)), **how)
    return replace(found, outcome=replace(found.outcome, user_gains=list(gains)))


def equal_trials(n, gain=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return [trial(number, gain + 0.05 * rng.normal(size=80)) for number in range(n)]


def test_the_best_of_many_equal_trials_promises_nothing():
    trials = equal_trials(60)
    found = tune_gain(trials, seed=0)
    assert found.trial == max(trials, key=lambda item: item.value).number
    assert found.naive_gain > 0.01, "it looks good"
    assert found.low < 0
    assert found.gain < found.naive_gain
    assert found.n_trials == 60


def test_a_gain_that_all_have_is_found():
    found = tune_gain(equal_trials(20, gain=0.05), seed=0)
    assert 0 < found.low < 0.05 < found.high


def test_trials_outside_the_guardrails_or_pruned_cannot_be_it_and_still_count():
    trials = [*equal_trials(5, gain=0.03), trial(5, [0.3] * 80, drift=0.9)]
    trials.append(replace(record(6, 0.99, state="pruned")))
    found = tune_gain(trials, seed=0)
    assert found.trial < 5
    assert found.n_trials == 7


def test_trials_of_earlier_studies_count_among_those_it_was_chosen_from():
    trials = equal_trials(5, gain=0.01)
    alone, found = tune_gain(trials, seed=0), tune_gain(trials, seed=0, n_before=200)
    assert found.n_trials == 205
    assert found.low < alone.low


def test_the_gain_of_a_trial_outside_the_guardrails_is_not_promised():
    trials = equal_trials(5, gain=0.03)
    alone = tune_gain(trials, seed=0)
    found = tune_gain([*trials, trial(5, [0.3] * 80, drift=0.9)], seed=0)
    assert found.gain == alone.gain <= found.naive_gain


def test_what_sessions_share_beside_users_widens_it():
    scores = planted_scores(0.05, seed=1, n_sessions=600)
    alone = compare_with_no_adjustment(scores, Judge("ndcg_at_10", seed=0))
    wide = replace(alone, low=-0.2, high=0.3)
    trials = equal_trials(20, gain=0.05)
    assert tune_gain(trials, seed=0, clustered=wide).low == -0.2
    assert tune_gain(trials, seed=0, clustered=wide).high == 0.3
    unknown = replace(alone, low=float("nan"), high=float("nan"))
    assert np.isnan(tune_gain(trials, seed=0, clustered=unknown).low)


def test_a_trials_own_interval_is_students_over_groups_of_users():
    gains = [0.1, 0.3, 0.2, float("nan"), 0.4]
    ends = own_interval(trial(0, gains))
    known = stats.ttest_1samp(gains, 0, nan_policy="omit").confidence_interval(0.95)
    assert (ends.low, ends.high) == pytest.approx((known.low, known.high))
    assert own_interval(trial(0, [0.1])) is None
    assert own_interval(replace(record(6, 0.99, state="pruned"))) is None


@pytest.mark.parametrize("trials", [[], [record(0, 0.7, drift=0.9)], [record(0, 0.7)]])
def test_without_a_feasible_trial_or_gains_by_user_nothing_is_said(trials):
    assert tune_gain(trials, seed=0) is None
