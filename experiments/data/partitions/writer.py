"""Writes the shards and pair parts of a partitioned log, shard after shard."""

from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adjuster.history import first_events
from adjuster.ticks import NEVER
from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.partitions.files import (
    EVENT_COLUMNS,
    PAIR_COLUMNS,
    SHOWN_COLUMNS,
    event_file,
    pair_file,
    shown_file,
)

ROW_GROUP = 1 << 20


class Shard(NamedTuple):
    """Some whole sessions that follow each other in canonical order.

    Args:
        first: Number of the first one.
        user: Shape ``(n_sessions,)``: index of each one's user, -1 unknown.
        n_shown: Shape ``(n_sessions,)``.
        shown: With `SHOWN_COLUMNS`: what they show.
        events: With `EVENT_COLUMNS`; ``impression`` counts from the shard's first.
    """

    first: int
    user: NDArray[np.int32]
    n_shown: NDArray[np.int64]
    shown: pa.Table
    events: pa.Table


class PartWriter:
    """Takes shards in order of time.

    Args:
        folder: Where to write; an empty folder.
        marks: A hash of each user, or of each object, by index.
        by: ``user`` or ``object``.
        n_parts: How many pair parts.
    """

    def __init__(self, folder: Path, marks: NDArray[np.uint64], by: str, n_parts: int) -> None:
        self.slices: list[list[int]] = [[] for _ in range(n_parts)]
        self.bounds = [0]
        self._folder, self._by = folder, by
        # So narrow that NumPy sorts it by its digits.
        self._part_of = (marks % np.uint64(n_parts)).astype(np.int16)
        self.n_impressions = 0
        for name in ("shards", "pairs"):
            (folder / name).mkdir()
        self._pairs = [
            ParquetFileWriter(pair_file(folder, part), PAIR_COLUMNS, compression="zstd")
            for part in range(n_parts)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            for writer in self._pairs:
                writer.close()

    def add(self, shard: Shard) -> None:
        """Write the next shard, and its rows of every pair part."""
        number = len(self.bounds) - 1
        _write(shown_file(self._folder, number), shard.shown)
        _write(event_file(self._folder, number), shard.events)
        n_rows = shard.shown.num_rows
        session = np.repeat(np.arange(len(shard.n_shown)), shard.n_shown)
        objects = shard.shown["object"].to_numpy()
        key = shard.user[session] if self._by == "user" else objects
        # Without a user nothing is learnt and nothing was clicked before.
        part = np.where(key >= 0, self._part_of[np.maximum(key, 0)], np.int16(-1))
        click_at = first_events(
            shard.events["impression"].to_numpy(), shard.events["at"].to_numpy(), n_rows
        )
        by_part = np.argsort(part, kind="stable")
        edges = np.searchsorted(part[by_part], np.arange(len(self._pairs) + 1, dtype=np.int16))
        for number, writer in enumerate(self._pairs):
            rows = by_part[edges[number] : edges[number + 1]]
            self.slices[number].append(len(rows))
            columns = {
                "impression": self.n_impressions + rows,
                "session": (shard.first + session[rows]).astype(np.int32),
                "object": objects[rows],
                "click_at": pa.array(click_at[rows], mask=click_at[rows] == NEVER),
            }
            writer.write_table(pa.table(columns, PAIR_COLUMNS), ROW_GROUP)
        self.n_impressions += n_rows
        self.bounds.append(shard.first + len(shard.n_shown))


def _write(path: Path, table: pa.Table) -> None:
    with ParquetFileWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table, ROW_GROUP)


def cuts(n_shown: NDArray[np.integer], n_shards: int) -> NDArray[np.int64]:
    """Sessions at which to cut a log into shards that show about equally much.

    Returns:
        The first session of each shard, and the number of sessions; no shard is empty.

    Example:
        >>> cuts(np.array([1, 1, 1, 3]), 2).tolist()
        [0, 3, 4]
    """
    total = np.cumsum(n_shown)
    targets = np.linspace(0, total[-1], n_shards + 1)[1:-1]
    inner = np.searchsorted(total, targets, side="left") + 1
    bounds: NDArray[np.int64] = np.unique(
        np.concatenate([[0], np.minimum(inner, len(n_shown)), [len(n_shown)]])
    )
    return bounds


def shown_table(arrays: dict[str, NDArray[Any]], rows: NDArray[np.int64]) -> pa.Table:
    """Rows of a click log's impressions, with `SHOWN_COLUMNS`."""
    names = SHOWN_COLUMNS.names
    columns = {name: arrays[f"impression_{name}"][rows] for name in names}
    return pa.table(columns, SHOWN_COLUMNS)


def event_table(
    impression: NDArray[np.integer], at: NDArray[np.integer], strings: pa.Table
) -> pa.Table:
    """Events with `EVENT_COLUMNS`.

    Args:
        impression: Shape ``(n,)``: counted from the shard's first.
        at: Shape ``(n,)``: epoch seconds.
        strings: ``id`` and ``type``.
    """
    columns = {"impression": impression, "at": at, "id": strings["id"], "type": strings["type"]}
    return pa.table(columns).cast(EVENT_COLUMNS)
