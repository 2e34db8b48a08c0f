"""What an MLflow run shows, as plain metrics and tags."""

import math

from experiments.study.records import Outcome, TrialRecord
from experiments.tracking.run_content import (
    best_tags,
    comparison_metrics,
    finalist_tags,
    milliseconds,
    points,
    sealed_metrics,
    trial_points,
    trial_tags,
    verdict_tags,
)
from tests.experiments.planted_records import comparison, finalist, sealed, summary


def trial(outcome):
    return TrialRecord(3, 3, "sampler", {}, {}, outcome, False, 10.0, 12.5, "here")


def test_a_trials_numbers_stand_at_its_end_and_the_curve_as_steps():
    outcome = Outcome(
        "complete",
        value=0.7,
        metrics={"mrr": 0.7, "delta_mrr": 0.1, "map": 0.3, "drift_mean": 0.05, "reach": 0.9},
        constraints={"max_mean_drift": -0.1},
        blocks={0: 0.6, 2: 0.8},
        curve=[[100.0, 5.0, 0.4, 0.5], [200.0, 5.0, 0.4, 0.6]],
        seconds={"total": 2.0, "replay": 1.5},
    )
    found = list(trial_points(trial(outcome), "mrr"))
    assert found[:5] == [
        ("gain", 0.1, 12500, 0),
        ("mrr", 0.7, 12500, 0),
        ("drift_mean", 0.05, 12500, 0),
        ("reach", 0.9, 12500, 0),
        ("feasible", 1.0, 12500, 0),
    ]
    assert [item[1] for item in found if item[0] == "curve_after"] == [0.5, 0.6]
    assert trial_tags(trial(outcome))["outcome"] == "feasible"


def test_no_trial_has_more_than_ten_metrics():
    names = ("ndcg_at_10", "mrr", "map", "recall_at_10", "drift_mean", "drift_at_log_end")
    names += ("harmed_share", "reach", "debiased_ndcg_at_10", "delta_debiased_ndcg_at_10", "x")
    outcome = Outcome(
        "complete", value=1.0, metrics=dict.fromkeys(names, 0.5), curve=[[1, 2, 3, 4]]
    )
    found = {name for name, *_ in trial_points(trial(outcome), "debiased_ndcg_at_10")}
    assert len(found) == 10
    assert {"gain", "ndcg_at_10", "drift_mean", "feasible", "debiased_ndcg_at_10"} < found


def test_pruned_failed_and_infeasible_trials_are_told_apart():
    broken = Outcome("complete", value=0.7, metrics={"mrr": 0.7}, constraints={"x": 0.1})
    pruned = Outcome("pruned", reason="early", value=0.6)
    failed = Outcome("failed", reason="ValueError")
    ended = [trial_tags(trial(outcome))["outcome"] for outcome in (broken, pruned, failed)]
    assert ended == ["infeasible", "pruned", "failed"]
    assert ("feasible", 0.0, 12500, 0) in list(trial_points(trial(broken), "mrr"))
    assert list(trial_points(trial(pruned), "mrr")) == [("value_when_pruned", 0.6, 12500, 0)]


def test_a_trial_without_an_outcome_shows_nothing():
    assert list(trial_points(trial(None), "mrr")) == []


def test_a_comparison_that_was_not_made_has_no_metrics():
    assert comparison_metrics("test", None) == {}


def test_what_is_not_defined_is_no_metric():
    found = comparison_metrics("test", comparison(effect_size=math.nan))
    assert set(found) == {"test_gain", "test_low", "test_high"}
    assert "test_reach" not in sealed_metrics(sealed())


def test_a_finalist_shows_its_place_and_three_comparisons_as_they_are_printed():
    assert finalist_tags(finalist(bystanders=None), 2) == {
        "finalist": "2",
        "finalist.over_no_adjustment": "+.020 (+.010 to +.030)",
        "finalist.over_published_defaults": "+.010 (.000 to +.020)",
        "finalist.bystanders": "none scored",
    }


def test_the_best_is_told_with_its_settings():
    assert best_tags(summary()) == {"best.adjustment_rate": "0.01", "best.trial": "12"}
    assert best_tags(summary(best=None)) == {}


def test_an_opened_test_shows_gains_optimism_openings_and_verdict():
    found = sealed_metrics(sealed())
    assert (found["test_gain"], found["test_bystanders_gain"]) == (0.02, -0.002)
    assert (found["optimism"], found["test_look"]) == (0.006, 1.0)
    assert found["test_naive_gain"] == 0.03
    assert "test_reach" not in found, "what is not defined is not shown"
    assert found["test_ndcg_at_10"] == 0.72
    tags = verdict_tags(sealed("keep off"))
    assert tags == {"verdict": "keep off", "verdict.sentence": "Keep off: NDCG@10 rises."}


def test_a_sealed_test_shows_nothing():
    assert sealed_metrics(None) == {}
    assert verdict_tags(None) == {}


def test_points_of_one_moment_share_it():
    assert list(points({"a": 1, "b": 2.0}, 7)) == [("a", 1.0, 7, 0), ("b", 2.0, 7, 0)]
    assert milliseconds(1.5) == 1500
