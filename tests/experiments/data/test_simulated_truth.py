"""On the simulated shop the replay finds the signal that is there, and none where there is none."""

import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings

SIZES = {"n_users": 80, "n_objects": 400, "n_topics": 8, "n_queries": 300, "dimensions": 32}
SETTINGS = (
    AdjusterConfig(),
    AdjusterConfig(adjustment_rate=3e-3),
    AdjusterConfig(adjustment_rate=1e-4),
    AdjusterConfig(
        loss="logistic", optimizer="sgd", memory="refit", reduction="mean", adjustment_rate=1.0
    ),
)


def deltas(path, scope, **changes) -> list[float]:
    """Change of the true-relevance NDCG@10 on later sessions, for each setting."""
    prepare_simulated(path, SimulatedConfig(n_sessions=8_000, **SIZES, **changes), seed=2)
    replay = Replay(
        lay_out(
            load_click_log(path),
            ReplayConfig(personalize_by=scope),
            ObjectiveConfig(estimator="judged"),
        )
    )
    results = [replay.run(Settings(config, SelectionConfig())) for config in SETTINGS]
    return [result.metrics["delta_judged_ndcg_at_10"] for result in results]


def test_a_good_setting_raises_true_relevance_clearly(tmp_path):
    gained = deltas(tmp_path / "shop", "user_id")
    assert max(gained) > 0.1


@pytest.mark.parametrize("scope", ["user_id", "segment", "none"])
def test_without_signal_no_setting_raises_it_beyond_noise(tmp_path, scope):
    assert max(deltas(tmp_path / "shop", scope, null=True)) < 0.005
