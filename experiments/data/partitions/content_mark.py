"""The fingerprint of a log in partitions: that of the whole data set, read in pieces."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adjuster.index import SearchIndexInfo
from adjuster.ragged import offsets_of
from experiments.data.format.assembly import vector_arrays
from experiments.data.format.fingerprint import Pieces, fingerprint_of
from experiments.data.format.vector_table import VectorTable
from experiments.data.partitions.files import event_file, shown_file
from experiments.data.partitions.sorting import SessionTable

PIECE_ROWS = 1 << 20

SHOWN_TYPES = {
    "object": np.int32,
    "position": np.int32,
    "relevance": np.float32,
    "propensity": np.float32,
}


def fingerprint_in(
    folder: Path,
    index: SearchIndexInfo,
    vectors: tuple[VectorTable, VectorTable],
    table: SessionTable,
    n_shards: int,
) -> str:
    """The fingerprint of a log whose shards lie in a folder.

    Args:
        folder: Where they lie.
        index: Dimensions, metric and pooling.
        vectors: The objects and the queries.
        table: All sessions.
        n_shards: How many shards there are.
    """
    shown = [shown_file(folder, shard) for shard in range(n_shards)]
    events = [event_file(folder, shard) for shard in range(n_shards)]
    n_impressions, n_events = _n_rows(shown), _n_rows(events)
    impressions = partial(_iter_impressions, events, shown)
    arrays: dict[str, Any] = {
        **vector_arrays(*vectors),
        **_session_columns(table),
        "event_impression": Pieces(np.dtype(np.int64), n_events, impressions),
        "event_created_at": _column(events, "at", np.int64, n_events),
        **{
            f"impression_{name}": _column(shown, name, dtype, n_impressions)
            for name, dtype in SHOWN_TYPES.items()
        },
    }
    strings = {
        name: Pieces(np.dtype(object), n_events, partial(_iter_column, events, name))
        for name in ("id", "type")
    }
    return fingerprint_of(index, *vectors, arrays, strings)


def _session_columns(table: SessionTable) -> dict[str, Any]:
    rows = table.rows
    ids = Pieces(np.dtype(object), rows.num_rows, lambda: iter(rows["session_id"].chunks))
    return {
        "user_ids": np.asarray(table.users.to_numpy(zero_copy_only=False), object),
        "segments": np.asarray(table.segments.to_numpy(zero_copy_only=False), object),
        "session_ids": ids,
        "session_query": rows["query"].to_numpy(),
        "session_user": rows["user"].to_numpy(),
        "session_segment": rows["segment"].to_numpy(),
        "session_created_at": rows["created_at"].to_numpy(),
        "session_is_irrelevant": rows["is_irrelevant"].to_numpy(),
        "impression_offsets": offsets_of(rows["n_shown"].to_numpy()),
    }


def _n_rows(files: list[Path]) -> int:
    return sum(pq.ParquetFile(path).metadata.num_rows for path in files)


def _column(files: list[Path], name: str, dtype: type, length: int) -> Pieces:
    return Pieces(np.dtype(dtype), length, partial(_iter_arrays, files, name))


def _iter_arrays(files: list[Path], name: str) -> Iterator[NDArray[Any]]:
    for array in _iter_column(files, name):
        yield array.to_numpy(zero_copy_only=False)


def _iter_column(files: list[Path], name: str) -> Iterator[pa.Array]:
    """A column of several files, one piece after the other."""
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(PIECE_ROWS, columns=[name]):
            yield batch.column(0)


def _iter_impressions(events: list[Path], shown: list[Path]) -> Iterator[NDArray[np.int64]]:
    """Impressions of the events, counted from the log's first."""
    before = 0
    for mine, results in zip(events, shown, strict=True):
        for array in _iter_column([mine], "impression"):
            yield array.to_numpy(zero_copy_only=False) + before
        before += pq.ParquetFile(results).metadata.num_rows
