"""A shop's log drawn and written in partitions: one log, whatever it is cut into."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.made.browsing import attraction, examination
from experiments.data.made.simulated_parts import prepare_in_partitions
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.simulate import main
from tests.experiments.planted_replay import make_settings

SMALL = SimulatedConfig(
    n_sessions=400, n_users=30, n_objects=120, n_topics=3, n_queries=60, dimensions=16
)
NAIVE = ObjectiveConfig(estimator="naive")


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    """One log in 1 part and in 5, and by object."""
    path = tmp_path_factory.mktemp("simulated")
    for name, n_parts, by in (("1", 1, None), ("5", 5, None), ("objects", 3, "object")):
        prepare_in_partitions(path / name, n_parts, SMALL, seed=1, by=by)
    return [PartitionedLog(path / name) for name in ("1", "5", "objects")]


def test_a_log_is_the_same_whatever_it_is_cut_into(cuts):
    whole, five, by_object = cuts
    assert (whole.manifest.n_shards, five.manifest.n_shards) == (1, 5)
    assert [cut.manifest.by for cut in cuts] == ["user", "user", "object"]
    assert len({cut.manifest.fingerprint for cut in cuts}) == 1
    expected = whole.shard(0)
    for cut in (five, by_object):
        shards = [cut.shard(number) for number in range(cut.manifest.n_shards)]
        for name in ("impression_object", "impression_relevance", "event_created_at"):
            found = np.concatenate([getattr(shard, name) for shard in shards])
            np.testing.assert_array_equal(found, getattr(expected, name))
        assert cut.log.user_ids.tolist() == expected.user_ids.tolist()


def test_sessions_say_which_click_is_their_highest(cuts):
    log = cuts[0].shard(0)
    lowest = np.full(log.n_sessions, 99)
    np.minimum.at(lowest, log.event_session, log.impression_position[log.event_impression])
    np.testing.assert_array_equal(cuts[0].log.top_click, np.where(lowest == 99, -1, lowest))


def test_it_replays_to_the_last_bit_as_the_whole_of_it(cuts):
    config = ReplayConfig(n_blocks=4)
    expected = Replay(lay_out(cuts[0].shard(0), config, NAIVE)).run(make_settings())
    for cut in cuts:
        replay = PartitionedReplay(cut, config, NAIVE)
        np.testing.assert_equal(replay.run(make_settings()).metrics, expected.metrics)
        replay.close()
    assert expected.metrics["reach"] > 0


def test_clicks_follow_the_truth_that_is_written_down(tmp_path):
    config = replace(SMALL, n_sessions=4_000)
    prepare_in_partitions(tmp_path / "log", 2, config)
    log = PartitionedLog(tmp_path / "log").log
    assert (log.n_sessions, log.n_users, len(log.segments)) == (4_000, 30, 5)
    assert (np.diff(log.session_created_at) >= 0).all()
    shards = [PartitionedLog(tmp_path / "log").shard(number) for number in (0, 1)]
    grade = np.concatenate([shard.impression_relevance for shard in shards]).astype(int)
    look = np.concatenate([shard.impression_propensity for shard in shards])
    np.testing.assert_array_equal(look[:20], examination(config).astype(np.float32))
    chance = (look * attraction(config)[grade]).sum()
    n_clicks = sum(len(shard.event_impression) for shard in shards)
    assert abs(n_clicks - chance) < 4 * np.sqrt(chance)


def test_who_is_unknown_and_what_is_true_may_be_left_out(tmp_path):
    nobody = replace(SMALL, unknown_users_share=1.0, log_truth=False)
    prepare_in_partitions(tmp_path / "log", 2, nobody)
    data = PartitionedLog(tmp_path / "log")
    assert (data.log.n_users, data.manifest.by, data.log.personalize_by) == (0, "object", "none")
    assert np.isnan(data.shard(0).impression_relevance).all()
    with pytest.raises(InputError, match="by=user needs users"):
        prepare_in_partitions(tmp_path / "other", 2, nobody, by="user")


@pytest.mark.parametrize(
    "values",
    [
        {"shown_order": "past_clicks"},
        {"daily_weight": 0.5},
        {"flip_at": 0.5},
        {"bot_share": 0.1},
        {"clicks_follow": "refinding"},
    ],
)
def test_what_makes_sessions_depend_on_each_other_is_refused(tmp_path, values):
    (name,) = values
    with pytest.raises(InputError, match=f"simulated.{name} must be .*experiments.partition"):
        prepare_in_partitions(tmp_path / "log", 2, replace(SMALL, **values))
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_there_is_and_how_to_replay_it(tmp_path, capsys, monkeypatch):
    sizes = [f"simulated.{name}={getattr(SMALL, name)}" for name in ("n_sessions", "n_users")]
    arguments = ["simulate", f"output={tmp_path}/log", "parts=3", "by=object", *sizes]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "400 sessions and 8,000 impressions in 3 partitions by object." in said
    assert "engine=local" in said
    monkeypatch.setattr("sys.argv", ["simulate", f"output={tmp_path}/other", "by=user"])
    assert main() == 2
