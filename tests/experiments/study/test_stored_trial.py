"""What Optuna's own tools read of a study: the objective's name, numbers, and what is feasible."""

import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from experiments.study.records import COMPLETE, best_feasible, best_overall
from experiments.workflow.trials import run_trials
from tests.experiments.fake_replay import FakeReplay, make_config, open_study


@pytest.fixture
def study(tmp_path):
    config = make_config(tmp_path)
    config.guardrails.max_mean_drift = 0.005  # The highest trial drifts further.
    study = open_study(config)
    study.name_objective("ndcg_at_10")
    study.name_objective("ndcg_at_10")
    run_trials(study, FakeReplay(), "ndcg_at_10", lambda record: None)
    yield study
    study.close()


def test_the_objective_is_named_and_maximized(study):
    assert study.optuna.metric_names == ["ndcg_at_10"]
    assert study.optuna.direction == StudyDirection.MAXIMIZE


def test_gain_drift_harm_and_reach_are_numbers_of_each_trial(study):
    for trial, record in zip(study.optuna.trials, study.records(), strict=True):
        shown = {name: trial.user_attrs[name] for name in ("gain", "drift", "harm", "reach")}
        assert shown == {
            "gain": record.metrics["delta_ndcg_at_10"],
            "drift": record.metrics["drift_at_log_end"],
            "harm": record.metrics["harmed_share"],
            "reach": record.metrics["reach"],
        }


def test_optunas_best_is_ours_within_the_guardrails(study):
    assert study.optuna.best_trial.number == best_feasible(study.records()).number


def test_the_storages_own_best_keeps_the_guardrails(study):
    records = study.records()
    highest, best = best_overall(records), best_feasible(records)
    assert highest.number != best.number, "or this test says nothing"
    storage, study_id = study.optuna._storage, study.optuna._study_id
    assert storage.get_best_trial(study_id).number == best.number


def test_a_broken_guardrail_is_told_in_both_forms_and_the_value_is_kept(study):
    for trial, record in zip(study.optuna.trials, study.records(), strict=True):
        excesses = record.outcome.constraints
        assert trial.system_attrs["constraints"] == list(excesses.values())
        assert excesses.items() <= trial.constraints.items()
        assert trial.value == record.value
        assert record.state == COMPLETE, "whatever other tools are told"
        stored = TrialState.COMPLETE if record.is_feasible else TrialState.PRUNED
        assert trial.state == stored


def test_trials_are_handed_on_as_they_ended(study):
    trials, records = study.trials(), study.records()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * len(records)
    assert [trial.value for trial in trials] == [item.value for item in records]
