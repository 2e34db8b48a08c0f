"""Files of a partitioned log that are not what they must be."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.common.errors import InputError
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.data.partitions.files import SESSIONS, pair_file, shown_file
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.random_log import make_log


@pytest.fixture
def parts(tmp_path):
    folder = write_folder(tmp_path / "log", showing(make_log(1, n_sessions=30)))
    partition_log(folder, tmp_path / "parts", 2)
    return tmp_path / "parts"


def test_ids_are_read_only_for_who_wants_them(parts):
    named, unnamed = PartitionedLog(parts), PartitionedLog(parts, names=False)
    assert len(set(named.log.session_ids)) == named.log.n_sessions
    assert set(unnamed.log.session_ids) == {""}
    assert unnamed.log.n_sessions == named.log.n_sessions
    assert unnamed.log.n_users == named.log.n_users
    np.testing.assert_array_equal(unnamed.log.session_user, named.log.session_user)


def test_only_the_first_sessions_showings_are_read(parts):
    data = PartitionedLog(parts)
    few = [data.pair_rows(part, 10) for part in range(2)]
    assert max(rows.session.max(initial=-1) for rows in few) < 10
    assert all(len({len(column) for column in rows}) == 1 for rows in few)
    all_rows = [data.pair_rows(part, 30) for part in range(2)]
    assert sum(len(rows.session) for rows in all_rows) > sum(len(rows.session) for rows in few) > 0


def test_a_file_that_is_gone_is_told(parts):
    pair_file(parts, 0).unlink()
    with pytest.raises(InputError, match=r"00000\.parquet cannot be read"):
        PartitionedLog(parts).pair_rows(0, 10)


def test_other_columns_are_told(parts):
    pq.write_table(pa.table({"object": [1.5]}), pair_file(parts, 1))
    with pytest.raises(InputError, match=r"00001\.parquet"):
        PartitionedLog(parts).pair_rows(1, 10)


def test_a_part_of_another_log_is_told(parts):
    part = max((0, 1), key=lambda part: pq.read_table(pair_file(parts, part)).num_rows)
    path = pair_file(parts, part)
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(InputError, match=r"is not of the partitions\.json"):
        PartitionedLog(parts).pair_rows(part, 10)


def test_a_shard_of_another_log_is_told(parts):
    path = shown_file(parts, 0)
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(InputError, match=r"is not of sessions\.parquet"):
        PartitionedLog(parts).shard(0)


def test_sessions_of_another_log_are_told(parts):
    pq.write_table(pq.read_table(parts / SESSIONS).slice(1), parts / SESSIONS)
    with pytest.raises(InputError, match="is not of the shards"):
        PartitionedLog(parts)


def test_a_whole_data_set_is_told_apart(parts):
    with pytest.raises(InputError, match=r"has no partitions\.json"):
        PartitionedLog(parts.parent / "log")
