"""The published semantics in partitions against the whole replay: equal to the last bit."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.walk_files import STATES_KEPT
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.partitioned.worker import Worker
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.planted_replay import make_settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.partitioned.test_replay import (
    NAIVE,
    assert_equal,
    assert_no_bit_changes,
    log_in,
    steps,
    whole_and_cut,
)
from tests.experiments.replay.test_published_walk import FADING, fading_log

PUBLISHED = [
    {"memory": "carry", "interval_seconds": 400_000, "adjustment_rate": 0.05},
    {"memory": "restart", "interval_seconds": 3600, "adjustment_rate": 0.2},
    {"memory": "refit", "interval_seconds": 0, "softmin_temperature": 0.2},
]

CUTS = [
    ("user_id", "user", 1),
    ("user_id", "user", 3),
    ("user_id", "user", 16),
    ("segment", "object", 2),
    ("none", "object", 1),
    ("none", "object", 4),
    ("none", "object", 16),
]


def published(**values):
    return make_settings(semantics="published", **values)


@pytest.mark.parametrize("values", PUBLISHED)
@pytest.mark.parametrize(("scope", "by", "n_parts"), CUTS)
def test_a_cut_changes_no_bit(tmp_path, values, scope, by, n_parts):
    assert_no_bit_changes(tmp_path, published(**values), scope, by, n_parts)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10_000),
    n_parts=st.integers(1, 16),
    scope=st.sampled_from(["user_id", "segment", "none"]),
    values=st.sampled_from(PUBLISHED),
    window=st.sampled_from(["tune", "test", "all"]),
    n_users=st.sampled_from([3, 25]),
    bystander_share=st.sampled_from([0.0, 0.3]),
)
def test_no_cut_of_any_log_changes_a_bit(
    seed, n_parts, scope, values, window, n_users, bystander_share
):
    with TemporaryDirectory() as name:
        folder = log_in(Path(name), seed, n_users)
        config = {"personalize_by": scope, "bystander_share": bystander_share, "seed": seed}
        whole, cut = whole_and_cut(folder, window=window, **config)
        by = "user" if scope == "user_id" else "object"
        try:
            expected = steps(whole(), published(**values))
        except InputError as error:
            with pytest.raises(InputError, match=str(error)[:30]):
                cut(n_parts, by)
            return
        with closing(cut(n_parts, by)) as replay:
            assert_equal(steps(replay, published(**values)), expected)
            # A trial of the other semantics in between leaves nothing that a further one reads.
            replay.run(make_settings())
            assert_equal(steps(replay, published(**values)), expected)


@pytest.mark.parametrize(("scope", "by"), [("user_id", "user"), ("none", "object")])
def test_who_is_refused_counts_in_no_part(tmp_path, monkeypatch, scope, by):
    log = fading_log(n_sessions=120, n_users=25, span_seconds=200_000)
    folder = write_folder(tmp_path / "log", showing(log))
    whole, cut = whole_and_cut(folder, personalize_by=scope)
    setting = published(**FADING)
    expected = steps(whole(), setting)
    refused = []
    walk = Worker.walk_part

    def walked(*given):
        found = walk(*given)
        refused.extend(found.refused)
        return found

    monkeypatch.setattr(Worker, "walk_part", walked)
    with closing(cut(3, by)) as replay:
        assert_equal(steps(replay, setting), expected)
    # Two rounds at least, each of which refuses them.
    assert len(refused) >= 2 * len(set(refused)) >= 4 or by == "object"


@pytest.mark.parametrize(("by", "scope"), [("user", "user_id"), ("object", "none")])
def test_each_partition_that_is_done_is_told(tmp_path, by, scope):
    folder, told = log_in(tmp_path), []
    partition_log(folder, tmp_path / "parts", 3, by=by)
    data = PartitionedLog(tmp_path / "parts")
    config = ReplayConfig(quiet_seconds=60, personalize_by=scope)
    made = PartitionedReplay(data, config, NAIVE, on_partition=lambda: told.append(1))
    with closing(made) as replay:
        for setting in (published(), make_settings()):
            before = len(told)
            replay.run(setting)
            assert len(told) - before == replay.n_steps


def test_vectors_of_users_need_a_cut_by_user(tmp_path):
    _, cut = whole_and_cut(log_in(tmp_path), personalize_by="user_id")
    with (
        closing(cut(2, "object")) as replay,
        pytest.raises(InputError, match="Partition it with by=user"),
    ):
        replay.run(published())


def test_of_a_walk_through_shards_no_more_stays_on_disk_than_a_killed_one_needs(tmp_path):
    _, cut = whole_and_cut(log_in(tmp_path), personalize_by="none")
    with closing(cut(5, "object")) as replay:
        for _ in range(2):
            replay.run(published())
            kept = sorted(path.name for path in (tmp_path / "parts").glob(".replay-*/walk-*"))
            assert len(kept) == STATES_KEPT
    assert kept == ["walk-000000002-000002.arrow", "walk-000000002-000003.arrow"]


def test_the_longest_objects_are_looked_up_once_and_only_where_they_differ(tmp_path, monkeypatch):
    asked = []
    look = Workbench.most_parts
    monkeypatch.setattr(
        Workbench, "most_parts", lambda bench, shard: asked.append(shard) or look(bench, shard)
    )
    ragged = log_in(tmp_path)
    log = make_log(0, n_sessions=80, n_users=25, span_seconds=3_000_000)
    log = replace(
        log,
        object_offsets=np.arange(log.n_objects + 1),
        object_vectors=log.object_vectors[: log.n_objects],
        object_is_average=log.object_is_average[: log.n_objects],
    )
    even = write_folder(tmp_path / "even" / "log", showing(log), 0)
    for folder, looks in ((ragged, True), (even, False)):
        asked.clear()
        whole, cut = whole_and_cut(folder)
        with closing(cut(3, "user")) as replay:
            for values in PUBLISHED[:2]:
                found = steps(replay, published(**values))
                assert_equal(found, steps(whole(), published(**values)))
        assert len(asked) == len(set(asked))
        assert bool(asked) == looks
