"""Buckets of sessions in any order, as shards in canonical order."""

import numpy as np
import pyarrow as pa
import pytest

from experiments.data.format.faults import Faults
from experiments.data.format.relations import check_relations
from experiments.data.partitions.sorting import SessionSorter

IDS = pa.array(["a", "b", "c"], pa.large_string())
QUERIES = pa.array(["q"], pa.large_string())


def bucket(*sessions):
    """Tables of sessions: (id, user, time, shown objects, clicks as (place, time))."""
    shown = [(s[0], place, item) for s in sessions for place, item in enumerate(s[3])]
    clicks = [(s[0], s[3][place], at) for s in sessions for place, at in s[4]]
    columns = list(zip(*sessions, strict=True))
    tables = {
        "sessions": pa.table(
            {
                "session_id": list(columns[0]),
                "user_id": pa.array(columns[1], pa.string()),
                "query_id": ["q"] * len(sessions),
                "created_at": list(columns[2]),
            }
        ),
        "impressions": pa.table(
            dict(
                zip(("session_id", "position", "object_id"), zip(*shown, strict=True), strict=True)
            )
        ),
        "events": pa.table(
            {
                "event_id": pa.array([f"{c[0]}-{c[1]}-{c[2]}" for c in clicks], pa.string()),
                "session_id": pa.array([c[0] for c in clicks], pa.string()),
                "object_id": pa.array([c[1] for c in clicks], pa.string()),
                "created_at": pa.array([c[2] for c in clicks], pa.int64()),
            }
        ),
    }
    faults = Faults()
    codes = check_relations(tables, IDS, QUERIES, faults)
    assert not faults.found
    return tables, codes


@pytest.fixture
def sorter(tmp_path):
    found = SessionSorter(tmp_path)
    found.add(*bucket(("s3", "u2", 30, "ab", []), ("s1", "u1", 10, "b", [(0, 12)])))
    found.add(*bucket(("s2", None, 10, "cab", [(2, 90), (1, 50)])))
    return found


def test_sessions_stand_in_order_of_time_and_id(sorter):
    table = sorter.sessions()
    assert table.rows["session_id"].to_pylist() == ["s1", "s2", "s3"]
    assert table.rows["user"].to_pylist() == [0, -1, 1]
    assert table.users.to_pylist() == ["u1", "u2"]
    assert table.segments.to_pylist() == []
    assert table.rows["n_shown"].to_pylist() == [1, 3, 2]
    assert table.rows["top_click"].to_pylist() == [0, 1, -1]


def test_a_shard_holds_what_its_sessions_show(sorter, tmp_path):
    first, second = sorter.iter_shards(sorter.sessions(), 2)
    assert (first.first, first.n_shown.tolist()) == (0, [1, 3])
    assert first.shown["object"].to_pylist() == [1, 2, 0, 1]
    assert first.events["impression"].to_pylist() == [0, 2, 3]
    assert first.events["at"].to_pylist() == [12, 50, 90]
    assert first.events["type"].to_pylist() == ["click"] * 3
    assert (second.first, second.user.tolist()) == (2, [1])
    assert second.shown["object"].to_pylist() == [0, 1]
    assert second.events.num_rows == 0
    assert not list(tmp_path.iterdir())


def test_each_place_of_the_rank_is_taken_once(sorter):
    assert np.sort(sorter.sessions().rank).tolist() == [0, 1, 2]
