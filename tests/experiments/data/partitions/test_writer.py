"""Shards and pair parts, row by row."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.partitions.files import (
    EVENT_COLUMNS,
    SHOWN_COLUMNS,
    event_file,
    pair_file,
    shown_file,
)
from experiments.data.partitions.writer import PartWriter, Shard, cuts


def shard_of(first, user, shown, clicks):
    """A shard from lists of shown objects and (impression, time) clicks."""
    objects = [item for row in shown for item in row]
    positions = [place for row in shown for place in range(len(row))]
    nothing = [0.5] * len(objects)
    columns = [objects, positions, nothing, nothing]
    events = [[c[0] for c in clicks], [c[1] for c in clicks], ["e"] * len(clicks)]
    return Shard(
        first,
        np.array(user, np.int32),
        np.array([len(row) for row in shown]),
        pa.table(dict(zip(SHOWN_COLUMNS.names, columns, strict=True)), SHOWN_COLUMNS),
        pa.table(
            dict(zip(EVENT_COLUMNS.names, [*events, ["click"] * len(clicks)], strict=True)),
            EVENT_COLUMNS,
        ),
    )


def rows_of(path):
    return list(zip(*pq.read_table(path).to_pydict().values(), strict=True))


@pytest.fixture
def shards():
    return [
        shard_of(0, [0, -1], [[5, 6], [6]], [(1, 40), (1, 30), (2, 50)]),
        shard_of(2, [1], [[5]], []),
    ]


def test_a_part_by_user_holds_their_showings_and_nobodys_are_left_out(tmp_path, shards):
    with PartWriter(tmp_path, np.array([0, 1], np.uint64), "user", 2) as writer:
        for shard in shards:
            writer.add(shard)
    assert rows_of(pair_file(tmp_path, 0)) == [(0, 0, 5, None), (1, 0, 6, 30)]
    assert rows_of(pair_file(tmp_path, 1)) == [(3, 2, 5, None)]
    assert writer.slices == [[2, 0], [0, 1]]
    assert writer.bounds == [0, 2, 3]


def test_a_part_by_object_holds_all_showings_of_its_objects(tmp_path, shards):
    marks = np.array([9] * 5 + [2, 4], np.uint64)
    with PartWriter(tmp_path, marks, "object", 3) as writer:
        for shard in shards:
            writer.add(shard)
    assert rows_of(pair_file(tmp_path, 0)) == []
    assert rows_of(pair_file(tmp_path, 1)) == [(1, 0, 6, 30), (2, 1, 6, 50)]
    assert rows_of(pair_file(tmp_path, 2)) == [(0, 0, 5, None), (3, 2, 5, None)]


def test_a_shard_is_written_as_it_is(tmp_path, shards):
    with PartWriter(tmp_path, np.zeros(2, np.uint64), "user", 1) as writer:
        for shard in shards:
            writer.add(shard)
    for number, shard in enumerate(shards):
        assert pq.read_table(shown_file(tmp_path, number)).equals(shard.shown)
        assert pq.read_table(event_file(tmp_path, number)).equals(shard.events)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=50), st.integers(1, 60))
def test_cuts_leave_no_shard_empty_and_none_much_too_large(n_shown, n_shards):
    bounds = cuts(np.array(n_shown), n_shards)
    assert bounds[0] == 0
    assert bounds[-1] == len(n_shown)
    assert (np.diff(bounds) > 0).all()
    assert len(bounds) <= n_shards + 1
    sizes = np.add.reduceat(np.array(n_shown), bounds[:-1])
    assert sizes.max() <= sum(n_shown) / n_shards + 2 * max(n_shown)
