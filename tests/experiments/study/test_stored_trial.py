"""What Optuna's own tools read of a study: the objective's name, numbers, and what is feasible."""

import pytest
from optuna.study import StudyDirection

from experiments.study.records import best_feasible
from experiments.workflow.trials import run_trials
from tests.experiments.fake_replay import FakeReplay, make_config, open_study


@pytest.fixture
def study(tmp_path):
    study = open_study(make_config(tmp_path))
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
