"""A data set in partitions says what the whole one says, and is refused where that is."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.common.errors import InputError
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.random_log import make_log

ROWS = ("object", "position", "relevance", "propensity")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "log", showing(make_log(3, n_sessions=90, n_users=9)))


@pytest.mark.parametrize("bucket_rows", [4_000_000, 50])
@pytest.mark.parametrize(("by", "n_parts"), [("user", 1), ("user", 4), ("object", 7)])
def test_nothing_is_lost_and_nothing_moves(folder, tmp_path, monkeypatch, bucket_rows, by, n_parts):
    monkeypatch.setattr("experiments.data.partitioning.BUCKET_ROWS", bucket_rows)
    monkeypatch.setattr("experiments.data.partitioning.READ_ROWS", 40)
    made = partition_log(folder, tmp_path / "parts", n_parts, by=by)
    whole, data = load_click_log(folder), PartitionedLog(tmp_path / "parts")
    assert (made.n_parts, made.by, made.n_sessions) == (n_parts, by, whole.n_sessions)
    assert made.n_impressions == whole.n_impressions
    assert data.log.fingerprint == whole.fingerprint
    for name in ("session_ids", "session_user", "session_segment", "user_ids", "object_vectors"):
        np.testing.assert_array_equal(getattr(data.log, name), getattr(whole, name))
    np.testing.assert_array_equal(data.log.session_top_click, whole.session_top_click)
    shards = [data.shard(number) for number in range(data.manifest.n_shards)]
    for name in ROWS:
        found = np.concatenate([getattr(shard, f"impression_{name}") for shard in shards])
        np.testing.assert_array_equal(found, getattr(whole, f"impression_{name}"))
    at = np.concatenate([shard.event_created_at for shard in shards])
    np.testing.assert_array_equal(at, whole.event_created_at)


@pytest.mark.parametrize("by", ["user", "object"])
def test_all_showings_of_a_pair_are_in_one_part(folder, tmp_path, by):
    partition_log(folder, tmp_path / "parts", 5, by=by)
    whole, data = load_click_log(folder), PartitionedLog(tmp_path / "parts")
    parts = [data.pair_rows(part, whole.n_sessions) for part in range(5)]
    keys = [
        set((whole.session_user[rows.session] if by == "user" else rows.object).tolist())
        for rows in parts
    ]
    assert sum(map(len, keys)) == len(set.union(*keys))
    rows = np.concatenate([part.impression for part in parts])
    owned = whole.session_user[
        np.repeat(np.arange(whole.n_sessions), np.diff(whole.impression_offsets))
    ]
    expected = np.flatnonzero(owned >= 0) if by == "user" else np.arange(whole.n_impressions)
    assert np.sort(rows).tolist() == expected.tolist()


def test_the_cut_follows_the_data_sets_own_scope(folder, tmp_path):
    assert partition_log(folder, tmp_path / "parts", 2).by == "user"
    nobody = showing(make_log(3, n_users=0))
    shared = write_folder(tmp_path / "shared", nobody)
    assert partition_log(shared, tmp_path / "parts", 2, by=None, overwrite=True).by == "object"
    with pytest.raises(InputError, match="by=user needs a user_id"):
        partition_log(shared, tmp_path / "other", 2, by="user")
    assert not (tmp_path / "other").exists()


def change(folder, table, **columns):
    path = folder / f"{table}.parquet"
    rows = pq.read_table(path)
    for name, edit in columns.items():
        values = edit(rows[name].to_pylist())
        rows = rows.set_column(
            rows.schema.get_field_index(name), name, pa.array(values, rows.schema.field(name).type)
        )
    pq.write_table(rows, path)


@pytest.mark.parametrize(
    ("table", "columns", "told"),
    [
        ("impressions", {"object_id": lambda v: ["nowhere", *v[1:]]}, "object_id"),
        ("events", {"event_id": lambda v: [v[1], *v[1:]]}, "event_id must be unique, 1 are not"),
        ("sessions", {"created_at": lambda v: [-5, *v[1:]]}, "created_at"),
        ("sessions", {"session_id": lambda v: ["lost", *v[1:]]}, "session_id"),
    ],
)
def test_a_fault_is_told_and_nothing_is_left(folder, tmp_path, table, columns, told):
    change(folder, table, **columns)
    with pytest.raises(InputError, match=told):
        partition_log(folder, tmp_path / "parts", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_missing_file_and_a_missing_folder_are_told(folder, tmp_path):
    (folder / "events.parquet").unlink()
    with pytest.raises(InputError, match=r"events\.parquet: the file is missing"):
        partition_log(folder, tmp_path / "parts", 2)
    with pytest.raises(InputError, match="must be a data set's folder"):
        partition_log(tmp_path / "nowhere", tmp_path / "parts", 2)


def test_what_is_there_is_replaced_only_if_asked_for(folder, tmp_path):
    partition_log(folder, tmp_path / "parts", 2)
    with pytest.raises(InputError, match="overwrite=true"):
        partition_log(folder, tmp_path / "parts", 3)
    partition_log(folder, tmp_path / "parts", 3, overwrite=True)
    assert PartitionedLog(tmp_path / "parts").manifest.n_parts == 3
