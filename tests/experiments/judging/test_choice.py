"""Finalists and the trial for the sealed test: the rules, worked by hand."""

import math
from dataclasses import replace

from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.choice import (
    choose,
    first_within_drift_bound,
    is_as_good,
    prefer_least_drift,
    rank_for_test,
    remarks_on,
    unselected,
)
from experiments.judging.finalists import Candidate
from experiments.study.records import COMPLETE, FAILED, PRUNED, Outcome, TrialRecord
from tests.experiments.planted_replay import PlantedReplay, make_settings


def record(number, blocks, drift, *, later_drift=None, excess=-0.1):
    """A trial; `later_drift` is what its replay over the test drifts."""
    outcome = Outcome(
        COMPLETE,
        value=sum(blocks) / len(blocks),
        metrics={"drift_mean": drift},
        constraints={"max_mean_drift": excess},
        blocks=dict(enumerate(blocks)),
    )
    rate = drift if later_drift is None else later_drift
    settings = make_settings(adjustment_rate=rate).to_dict()
    return TrialRecord(number, number, "sampler", {}, settings, outcome, False, 0.0, 1.0, "here")


BEST = record(0, [0.8, 0.7, 0.9, 0.8], 0.15)
# Behind by .02, -.02, .01, 0: mean .0025, standard error .0085.
CLOSE = record(1, [0.78, 0.72, 0.89, 0.8], 0.03)
# Behind by .01 everywhere: no doubt.
FAR = record(2, [0.79, 0.69, 0.89, 0.79], 0.01)


def test_within_one_standard_error_is_as_good():
    assert is_as_good(CLOSE, BEST, 0.005)
    assert is_as_good(BEST, BEST, 0.005)


def test_a_steady_lag_is_not():
    assert not is_as_good(FAR, BEST, 0.005)


def test_a_lag_worth_having_is_not_as_good_however_uncertain():
    # Behind by .08, -.04, .04, 0: mean .02, standard error .025.
    behind = record(1, [0.72, 0.74, 0.86, 0.8], 0.01)
    assert is_as_good(behind, BEST, 0.03)
    assert not is_as_good(behind, BEST, 0.005)
    assert [item.number for item in prefer_least_drift([BEST, behind], 0.005)] == [0, 1]


def test_the_least_drift_among_the_good_comes_first_and_none_is_lost():
    assert [item.number for item in prefer_least_drift([BEST, CLOSE, FAR], 0.005)] == [1, 0, 2]
    assert prefer_least_drift([], 0.005) == []


def test_blocks_without_sessions_do_not_count():
    empty = record(3, [0.78, math.nan, 0.89, 0.8], 0.02)
    assert is_as_good(empty, BEST, 0.005) is False
    one_left = record(4, [math.nan, math.nan, 0.9, math.nan], 0.02)
    assert not is_as_good(one_left, BEST, 0.005)


def steady(rate):
    """A candidate whose drift, on any window, is its rate."""
    return Candidate(int(rate * 100), make_settings(adjustment_rate=rate))


def test_the_first_candidate_that_keeps_its_drift_is_taken():
    replay = PlantedReplay(ReplayConfig(), "test")
    candidates = [steady(0.3), steady(0.25), steady(0.1), steady(0.05)]
    chosen, passed_over = first_within_drift_bound(candidates, replay, GuardrailsConfig())
    assert chosen.trial == 10
    assert passed_over == {30: 0.3, 25: 0.25}


def test_the_best_is_taken_where_none_keeps_its_drift_or_nothing_bounds_it():
    replay = PlantedReplay(ReplayConfig(), "test")
    candidates = [steady(0.3), steady(0.25)]
    assert first_within_drift_bound(candidates, replay, GuardrailsConfig()) == (candidates[0], {})
    free = GuardrailsConfig(max_mean_drift=None)
    assert first_within_drift_bound(candidates, replay, free) == (candidates[0], {})


def test_finalists_are_the_five_best_within_the_guardrails_the_earlier_of_equals_first():
    values = [0.5, 0.9, 0.7, 0.9, 0.8, 0.6, 0.4]
    trials = [record(number, [value], 0.1) for number, value in enumerate(values)]
    broken = record(9, [0.99], 0.4, excess=0.2)
    assert [item.number for item in choose([*trials, broken])] == [1, 3, 4, 2, 5]


def test_without_a_feasible_trial_there_is_none_to_open():
    assert rank_for_test([record(0, [0.9], 0.4, excess=0.2)], 0.005) == []


def test_a_trial_of_less_drift_comes_first_and_is_said():
    trials = [BEST, CLOSE, FAR]
    assert [item.number for item in rank_for_test(trials, 0.005)] == [1, 0, 2]
    assert remarks_on(1, trials, {}, GuardrailsConfig()) == [
        "Trial 1 is taken, not trial 0: on tune it is as good within one standard error and .005, "
        "at a mean drift of .030 instead of .150.",
    ]
    assert remarks_on(0, trials, {}, GuardrailsConfig()) == []


def test_a_trial_that_leaves_the_bound_later_is_said():
    assert remarks_on(0, [BEST, CLOSE, FAR], {1: 0.3}, GuardrailsConfig()) == [
        "Trial 1 is passed over: mean drift grows to .300 by the end of the log, above "
        "guardrails.max_mean_drift of 0.2.",
    ]
    assert remarks_on(7, [BEST, CLOSE, FAR], {1: 0.3, 0: 0.41}, GuardrailsConfig()) == [
        "Trials 1, 0 are passed over: mean drift grows to between .300 and .410 by the end of the "
        "log, above guardrails.max_mean_drift of 0.2.",
    ]


def test_behind_the_finalists_come_the_others_that_gain_anything_on_tune():
    gains = {5: [0.1, -0.3], 6: [0.2, -0.1], 7: [], 8: [0.1, 0.0]}
    trials = [record(number, [0.9 - number / 100], 0.1) for number in range(40)]
    trials = [
        replace(trial, outcome=replace(trial.outcome, user_gains=gains.get(trial.number, [0.1])))
        for trial in trials
    ]
    ranked = [item.number for item in rank_for_test(trials, 0.005)]
    assert ranked == [0, 1, 2, 3, 4, 6, *range(8, 22)]


def test_a_trial_that_was_asked_for_needs_no_remark():
    assert remarks_on(99, [BEST, CLOSE, FAR], {}, GuardrailsConfig()) == []


def test_unselected_are_the_first_proposals_that_are_no_finalists_pruned_ones_too():
    values = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.5]
    trials = [record(number, [value], 0.1) for number, value in enumerate(values)]
    enqueued = replace(trials[1], origin="published_defaults")
    pruned = replace(trials[3], outcome=replace(trials[3].outcome, state=PRUNED))
    failed = replace(trials[5], outcome=replace(trials[5].outcome, state=FAILED))
    found = unselected([*trials[:1], enqueued, trials[2], pruned, trials[4], failed, *trials[6:]])
    assert [item.number for item in found] == [3]
