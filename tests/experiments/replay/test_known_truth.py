"""A shop whose truth is known: adjustment helps where clicks carry a signal, and only there."""

import numpy as np
import pytest

from adjuster.config import RECOMMENDED, AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.judging.statistics import cluster_means, cluster_numbers
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings

SHOP = {
    "n_sessions": 6000,
    "n_users": 100,
    "n_objects": 300,
    "n_topics": 12,
    "n_queries": 150,
    "dimensions": 32,
}
CONFIGURATIONS = {
    "published defaults": AdjusterConfig(),
    "gentle": AdjusterConfig(adjustment_rate=1e-3),
    "gentle, nothing pushed away": AdjusterConfig(adjustment_rate=3e-3, non_clicked_weight=0.0),
    "recommended": AdjusterConfig().with_values(RECOMMENDED),
}


@pytest.fixture(scope="module")
def replays(tmp_path_factory):
    """Null or not → the replay of a simulated shop, scored by true relevance."""
    made = {}
    for null in (False, True):
        folder = tmp_path_factory.mktemp("shops") / f"null_{null}"
        prepare_simulated(folder, SimulatedConfig(**SHOP, null=null), seed=3)
        objective = ObjectiveConfig(label="relevance")
        made[null] = Replay(lay_out(load_click_log(folder), ReplayConfig(), objective))
    return made


def gain(replay: Replay, config: AdjusterConfig) -> tuple[float, float]:
    """Mean over users of the change in true-relevance NDCG@10, and its standard error."""
    sessions = replay.run(Settings(config, SelectionConfig())).sessions
    change = sessions.after["ndcg_at_10"] - sessions.before["ndcg_at_10"]
    users = cluster_means(change, cluster_numbers(sessions.user))
    return float(users.mean()), float(users.std(ddof=1) / np.sqrt(len(users)))


def test_a_good_setting_raises_true_relevance_clearly(replays):
    mean, error = max(gain(replays[False], config) for config in CONFIGURATIONS.values())
    assert mean > 0.02
    assert mean > 5 * error


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_setting_does_where_clicks_carry_no_signal(replays, name):
    mean, error = gain(replays[True], CONFIGURATIONS[name])
    assert mean < 3 * error
