"""Exploration: what it would cost, on the scale of the objective."""

import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log

SETTINGS = Settings(AdjusterConfig(adjustment_rate=0.05), SelectionConfig())


@pytest.mark.parametrize("estimator", ["naive", "judged", "logged"])
def test_exploration_costs_nothing_at_zero_and_everything_gained_at_one(estimator):
    log = make_log(5, n_sessions=200)

    def replay(ratio):
        config = ReplayConfig(exploration_ratio=ratio)
        return Replay(lay_out(log, config, ObjectiveConfig(estimator=estimator)))

    full = replay(1.0)
    key = full.objective_key
    metrics = full.run(SETTINGS).metrics
    assert metrics[f"explored_{key}"] == pytest.approx(metrics[f"before_{key}"])
    assert metrics["exploration_cost"] == pytest.approx(metrics[f"delta_{key}"])
    assert "exploration_cost" not in replay(0.0).run(SETTINGS).metrics
    half = replay(0.5)
    assert half.run(SETTINGS).metrics == half.run(SETTINGS).metrics
