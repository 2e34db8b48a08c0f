"""Writes a log in partitions as a whole: shards, pair parts, session columns, what cuts them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from adjuster.index import SearchIndexInfo
from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.format.ids import hashes
from experiments.data.format.vector_table import VectorTable
from experiments.data.partitions.content_mark import fingerprint_in
from experiments.data.partitions.files import SEGMENTS, SESSIONS, USERS, Manifest
from experiments.data.partitions.sorting import SessionTable
from experiments.data.partitions.writer import ROW_GROUP, PartWriter, Shard


@dataclass(frozen=True)
class Partitioned:
    """What was written: how many of what, and what the pair parts are cut by."""

    n_sessions: int
    n_impressions: int
    n_parts: int
    n_shards: int
    by: str


@dataclass(frozen=True)
class Cut:
    """What the pair parts are cut by.

    Args:
        by: ``user`` or ``object``.
        ids: Of all users, or of all objects, by index.
        n_parts: How many pair parts.
    """

    by: str
    ids: pa.Array
    n_parts: int


def write_log(
    target: Path,
    cut: Cut,
    shards: Iterable[Shard],
    sessions: Callable[[], SessionTable],
    index: SearchIndexInfo,
    vectors: tuple[VectorTable, VectorTable],
) -> Partitioned:
    """Write a log in partitions but for its vectors and `dataset.yaml`.

    Args:
        target: An empty folder, but for these.
        cut: What the pair parts are cut by.
        shards: The log in order of time, one shard in memory at a time.
        sessions: Gives all sessions; asked once all shards have come.
        index: Dimensions, metric and pooling.
        vectors: The objects and the queries.
    """
    with PartWriter(target, hashes(pa.chunked_array([cut.ids])), cut.by, cut.n_parts) as writer:
        for shard in shards:
            writer.add(shard)
    table = sessions()
    for name, column in ((USERS, table.users), (SEGMENTS, table.segments)):
        _write_table(target / name, pa.table({"id": column}))
    _write_table(target / SESSIONS, table.rows)
    mark = fingerprint_in(target, index, vectors, table, len(writer.bounds) - 1)
    Manifest(cut.by, mark, writer.bounds, writer.slices).write(target)
    return Partitioned(
        n_sessions=table.rows.num_rows,
        n_impressions=writer.n_impressions,
        n_parts=cut.n_parts,
        n_shards=len(writer.bounds) - 1,
        by=cut.by,
    )


def _write_table(path: Path, table: pa.Table) -> None:
    with ParquetFileWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table, ROW_GROUP)
