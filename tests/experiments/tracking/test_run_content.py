"""What an MLflow run shows, as plain metrics and tags."""

import math

from experiments.study.records import Outcome, TrialRecord
from experiments.tracking.run_content import (
    comparison_metrics,
    finalist_metrics,
    milliseconds,
    points,
    sealed_metrics,
    trial_points,
    verdict_tags,
)
from tests.experiments.planted_records import comparison, finalist, sealed


def trial(outcome):
    return TrialRecord(3, 3, "sampler", {}, {}, outcome, False, 10.0, 12.5, "here")


def test_a_trials_numbers_stand_at_its_end_blocks_and_curve_as_steps():
    outcome = Outcome(
        "complete",
        value=0.7,
        metrics={"mrr": 0.5},
        constraints={"max_mean_drift": -0.1},
        blocks={0: 0.6, 2: 0.8},
        curve=[[100.0, 5.0, 0.4, 0.5], [200.0, 5.0, 0.4, 0.6]],
        seconds={"total": 2.0, "replay": 1.5},
    )
    found = list(trial_points(trial(outcome)))
    assert ("mrr", 0.5, 12500, 0) in found
    assert ("value", 0.7, 12500, 0) in found
    assert ("excess_max_mean_drift", -0.1, 12500, 0) in found
    assert ("seconds_replay", 1.5, 12500, 0) in found
    assert [item for item in found if item[0] == "block_value"] == [
        ("block_value", 0.6, 12500, 0),
        ("block_value", 0.8, 12500, 2),
    ]
    assert [item[1] for item in found if item[0] == "curve_after"] == [0.5, 0.6]


def test_a_trial_without_an_outcome_shows_its_seconds_alone():
    assert [name for name, *_ in trial_points(trial(None))] == ["seconds"]


def test_a_comparison_that_was_not_made_has_no_metrics():
    assert comparison_metrics("test", None) == {}


def test_what_is_not_defined_is_no_metric():
    found = comparison_metrics("test", comparison(effect_size=math.nan))
    assert set(found) == {"test_gain", "test_low", "test_high"}
    assert "test_reach" not in sealed_metrics(sealed())


def test_a_finalist_shows_its_metrics_and_three_comparisons():
    found = finalist_metrics(finalist(bystanders=None))
    assert found["ndcg_at_10"] == 0.72
    assert (found["over_nothing_gain"], found["over_defaults_gain"]) == (0.02, 0.01)
    assert not [name for name in found if name.startswith("bystanders")]


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
