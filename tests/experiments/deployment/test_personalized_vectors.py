"""The exported vectors are those that the live worker would have stored by the end of the log."""

import os
from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import experiments.deployment.personalized_vectors as export
from adjuster import AdjusterConfig, PublishedAdjuster, SelectionConfig, TorchBasedAdjuster
from adjuster.live.retrieval.personalization import PersonalizedVectors
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.deployment.personalized_vectors import owner_names, write_copies
from experiments.replay.layout import lay_out
from experiments.replay.plan import resolve
from experiments.replay.settings import Settings
from experiments.replay.timeline import resolve_scope
from experiments.workflow.engines import OpenLog, copies_at_log_end
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.random_log import make_log
from tests.experiments.worker_replay import LogIndex, TickingReplay

CASES = {
    "carry": AdjusterConfig(adjustment_rate=0.01, num_iterations=3),
    "restart": AdjusterConfig(adjustment_rate=0.01, num_iterations=3, memory="restart"),
    "published, restart": AdjusterConfig(
        adjustment_rate=0.01, num_iterations=3, semantics="published", memory="restart"
    ),
    "refit": AdjusterConfig(
        adjustment_rate=0.1, num_iterations=2, memory="refit", loss="logistic", optimizer="sgd"
    ),
    "published": AdjusterConfig(adjustment_rate=0.01, num_iterations=3, semantics="published"),
}


def stored_by_the_worker(log, config, settings):
    """(object, owner) → vectors after the worker has ticked through the whole log."""
    layout = lay_out(log, config, ObjectiveConfig(), "all")
    settings = resolve(layout, settings)
    adjuster = settings.adjuster
    if adjuster.semantics == "published":
        made = PublishedAdjuster(
            log.index, adjuster.adjustment_rate, adjuster.num_iterations, engine="torch"
        )
    else:
        made = TorchBasedAdjuster.from_config(log.index, adjuster)
    ticking = TickingReplay(layout.timeline, made, settings, config.batch_size, adjuster.memory)
    vectors = PersonalizedVectors(LogIndex(log))
    scores = layout.before.copy()
    list(ticking.run(vectors, scores, np.zeros(len(scores), bool)))
    names = owner_names(log, layout.timeline.scope)
    return {(copy.original_id, names[int(copy.user_id)]): copy.vectors for copy in vectors}


def write_personalized(folder, log, config, settings, provenance, parts=None):
    scope = resolve_scope(log, config.personalize_by)
    with closing(OpenLog(log, parts)) as opened:
        copies = copies_at_log_end(opened, config, settings)
        return write_copies(folder, log, scope, copies, provenance)


def read(path):
    """(object, owner) → vectors, as the file has them."""
    found: dict = {}
    for row in pq.read_table(path).to_pylist():
        assert row["object_id"] == f"{row['original_id']}_{row['user_id']}"
        parts = found.setdefault((row["original_id"], row["user_id"]), [])
        assert row["part"] == len(parts)
        parts.append(row["vector"])
    return found


@pytest.mark.parametrize("scope", ["user_id", "segment", "none"])
@pytest.mark.parametrize("case", CASES)
def test_the_file_holds_what_the_worker_stored(tmp_path, monkeypatch, scope, case):
    monkeypatch.setattr(export, "COPIES_PER_GROUP", 5)
    log = make_log(7, n_sessions=80)
    config = ReplayConfig(personalize_by=scope, batch_size=3, n_blocks=4)
    settings = Settings(CASES[case], SelectionConfig())
    path, n_copies = write_personalized(tmp_path, log, config, settings, {})
    found, wanted = read(path), stored_by_the_worker(log, config, settings)
    assert len(wanted) == n_copies > 5
    assert list(found) == sorted(wanted)
    for key, rows in wanted.items():
        np.testing.assert_allclose(np.array(found[key]), rows, atol=2e-6)
    originals = LogIndex(log)
    moved = [not np.array_equal(rows, originals.vectors(key[0])) for key, rows in wanted.items()]
    # A session that teaches nothing, restarted, leaves the original.
    assert sum(moved) > 5 if "restart" in case else all(moved)
    assert pq.ParquetFile(path).num_row_groups > 1


def bits_in(path, in_order=True):
    """All columns of a file, its vectors as whole numbers, as they stand or in order of id."""
    table = pq.read_table(path)
    if not in_order:
        table = table.sort_by([("object_id", "ascending"), ("part", "ascending")])
    bits = table["vector"].combine_chunks().flatten().to_numpy().view(np.uint32)
    return table.drop_columns("vector").to_pydict(), bits.tolist(), table.schema.metadata


@pytest.mark.parametrize("n_parts", [1, 3])
@pytest.mark.parametrize("scope", ["user_id", "none"])
@pytest.mark.parametrize("case", CASES)
def test_partitions_leave_the_whole_logs_file(tmp_path, scope, case, n_parts):
    folder = write_folder(tmp_path / "log", showing(make_log(7, n_sessions=80)))
    by = "user" if scope == "user_id" else "object"
    partition_log(folder, tmp_path / "parts", n_parts, by=by)
    parts = PartitionedLog(tmp_path / "parts")
    config = ReplayConfig(personalize_by=scope, batch_size=3, n_blocks=4, bystander_share=0.2)
    settings, facts = Settings(CASES[case], SelectionConfig()), {"trial": "7"}
    log = load_click_log(folder)
    whole, n_copies = write_personalized(tmp_path / "whole", log, config, settings, facts)
    cut, n_cut = write_personalized(tmp_path / "cut", parts.log, config, settings, facts, parts)
    assert n_cut == n_copies > 5
    # Pair parts are written one after the other; a walk through shards ends with all copies.
    in_order = n_parts == 1 or (by == "object" and CASES[case].semantics == "published")
    assert bits_in(cut, in_order) == bits_in(whole, in_order)
    assert not list((tmp_path / "parts").glob(".replay-*"))


def test_owners_in_blocks_of_their_own_lose_nothing(tmp_path):
    log = make_log(11, n_sessions=200, n_users=30)
    settings = Settings(CASES["carry"], SelectionConfig())
    config = ReplayConfig(personalize_by="user_id", n_blocks=5)
    assert len(lay_out(log, config, ObjectiveConfig()).pairs.block_offsets) == 6
    found = read(write_personalized(tmp_path, log, config, settings, {})[0])
    wanted = stored_by_the_worker(log, config, settings)
    assert set(found) == set(wanted)
    for key, rows in wanted.items():
        np.testing.assert_allclose(np.array(found[key]), rows, atol=2e-6)


def test_queries_withheld_in_the_study_teach_here(tmp_path):
    log = make_log(3, n_sessions=100)
    settings = Settings(CASES["carry"], SelectionConfig())
    all_of_it = ReplayConfig(personalize_by="none")
    partly = ReplayConfig(personalize_by="none", bystander_share=0.4)
    one, _ = write_personalized(tmp_path / "one", log, all_of_it, settings, {})
    two, _ = write_personalized(tmp_path / "two", log, partly, settings, {})
    assert pq.read_table(one).equals(pq.read_table(two))


@pytest.mark.parametrize("semantics", ["documented", "published"])
def test_nothing_learnt_is_a_file_without_rows(tmp_path, semantics):
    settings = Settings(AdjusterConfig(num_iterations=0, semantics=semantics), SelectionConfig())
    path, n_copies = write_personalized(tmp_path, make_log(1), ReplayConfig(), settings, {})
    assert n_copies == pq.read_table(path).num_rows == 0


def test_the_file_says_where_it_comes_from_and_its_types(tmp_path):
    settings = Settings(CASES["carry"], SelectionConfig())
    path, _ = write_personalized(tmp_path, make_log(1), ReplayConfig(), settings, {"trial": "7"})
    schema = pq.read_schema(path)
    assert schema.metadata[b"trial"] == b"7"
    vector = schema.field("vector").type
    assert (vector.list_size, vector.value_type) == (7, pa.float32())
    assert schema.names == ["object_id", "original_id", "user_id", "part", "vector"]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path, monkeypatch):
    log, settings = make_log(1), Settings(CASES["carry"], SelectionConfig())
    path, _ = write_personalized(tmp_path, log, ReplayConfig(), settings, {})
    before = path.read_bytes()

    def full(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(export, "_groups", full)
    with pytest.raises(OSError, match="disk full"):
        write_personalized(tmp_path, log, ReplayConfig(), settings, {})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]
