"""What a worker says of one partition, against the whole log's layout."""

import numpy as np
import pytest

from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.click_history import ClickHistory, click_history
from experiments.replay.exact_sums import ExactSums
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.worker import Worker
from experiments.replay.schedule import take_sessions
from tests.experiments.log_in_parts import N_PARTS, log_in_parts

CONFIG = ReplayConfig(quiet_seconds=60)
NAIVE = ObjectiveConfig(estimator="naive")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The whole log's layout, and a worker on its partitions."""
    folder, parts = log_in_parts(tmp_path_factory.mktemp("data"))
    layout = lay_out(load_click_log(folder), CONFIG, NAIVE)
    return layout, Worker(PartitionedLog(parts), CONFIG, NAIVE, "tune")


def shards_of(worker):
    bounds = worker.data.manifest.shard_bounds
    return [s for s, first in enumerate(bounds[:-1]) if first < worker.frame.n_sessions]


def test_a_pair_parts_history_is_that_of_the_whole_log(both):
    layout, worker = both
    expected = click_history(layout.timeline)
    for part in range(N_PARTS):
        impression, history = worker.history(part)
        for found, whole in zip(history, expected, strict=True):
            np.testing.assert_array_equal(found, whole[impression])
    assert expected.before.any()
    assert expected.long_ago.any()


def test_what_the_worker_would_take_does_not_depend_on_the_shard(both):
    layout, worker = both
    expected = take_sessions(layout.timeline, SelectionConfig(), 3600)
    found = [worker.take(shard, SelectionConfig(), 3600) for shard in shards_of(worker)]
    for name, values in vars(expected).items():
        np.testing.assert_array_equal(np.concatenate([getattr(t, name) for t in found]), values)


def test_the_facts_of_all_shards_are_those_of_the_log(both):
    layout, worker = both
    never, before, marked = ExactSums(), [], []
    history = click_history(layout.timeline)
    for shard in shards_of(worker):
        first = worker.data.shard_impressions[shard]
        last = min(layout.timeline.n_impressions, worker.data.shard_impressions[shard + 1])
        facts = worker.facts(shard, ClickHistory(*(flags[first:last] for flags in history)))
        never.merge(facts.never)
        before.append(facts.before)
        marked.append(facts.marked_at)
    np.testing.assert_array_equal(np.concatenate(before), layout.before)
    np.testing.assert_array_equal(np.concatenate(marked), layout.timeline.marked_at)
    np.testing.assert_array_equal(never.means(), layout.scoring.never.means())


def test_the_frame_says_of_sessions_what_the_whole_timeline_says(both):
    layout, worker = both
    for name in ("scored_from", "n_sessions", "warmup_end", "tune_end", "middle_at", "closes_at"):
        assert getattr(worker.frame, name) == getattr(layout.timeline, name)
    np.testing.assert_array_equal(worker.frame.owner, layout.timeline.owner)
