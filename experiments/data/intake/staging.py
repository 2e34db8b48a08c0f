"""Rows on their way, parted on disk by session, so that each part can be checked in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.data.format.ids import hashes
from experiments.data.format.schema import TABLES
from experiments.data.intake.coercion import ARROW_TYPES

STAGED = ("sessions", "impressions", "events")
BUFFER_ROWS = 200_000
N_BUCKETS = 16


def staged_schema(table: str) -> pa.Schema:
    """The columns of a staged table: the format's, and where each row came from."""
    fields = [(column.name, ARROW_TYPES[column.kind]) for column in TABLES[table]]
    return pa.schema([*fields, ("_file", pa.int32()), ("_row", pa.int64())])


class Staging:
    """Sessions, impressions and events, in files by a hash of the session.

    Args:
        folder: A folder of its own.
        n_parts: Number of parts, >= 1; all rows of a session go to one part.
    """

    def __init__(self, folder: Path, n_parts: int) -> None:
        self.n_parts = n_parts
        self._folder = folder
        self._writers: dict[tuple[str, int], pa.RecordBatchStreamWriter] = {}
        self._buffers: dict[str, list[pa.Table]] = {table: [] for table in STAGED}
        self._event_ids = EventIds(folder)

    def add(self, table: str, rows: pa.Table) -> None:
        """Take rows with the columns of `staged_schema`."""
        buffer = self._buffers[table]
        buffer.append(rows)
        if sum(part.num_rows for part in buffer) >= BUFFER_ROWS:
            self._flush(table)

    def _flush(self, table: str) -> None:
        if not self._buffers[table]:
            return
        rows = pa.concat_tables(self._buffers[table])
        self._buffers[table] = []
        if table == "events":
            self._event_ids.add(hashes(rows["event_id"]))
        part = (hashes(rows["session_id"]) % np.uint64(self.n_parts)).astype(np.int64)
        order = np.argsort(part, kind="stable")
        bounds = np.searchsorted(part[order], np.arange(self.n_parts + 1))
        sorted_rows = rows.take(pa.array(order)).combine_chunks()
        for number in range(self.n_parts):
            mine = sorted_rows.slice(bounds[number], bounds[number + 1] - bounds[number])
            if mine.num_rows:
                self._writer(table, number).write_table(mine)

    def _writer(self, table: str, number: int) -> pa.RecordBatchStreamWriter:
        key = (table, number)
        if key not in self._writers:
            path = self._path(table, number)
            self._writers[key] = pa.ipc.new_stream(str(path), staged_schema(table))
        return self._writers[key]

    def _path(self, table: str, number: int) -> Path:
        return self._folder / f"{table}-{number}.arrows"

    def finish(self) -> None:
        """Write what is left; from here on parts can be read."""
        for table in STAGED:
            self._flush(table)
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def repeated_event_ids(self) -> NDArray[np.uint64]:
        """Hashes of the event ids that stand more than once, sorted."""
        return self._event_ids.repeated()

    def iter_parts(self) -> Iterator[dict[str, pa.Table]]:
        """The tables of one part at a time; a part's files are removed once it was read."""
        for number in range(self.n_parts):
            tables = {}
            for table in STAGED:
                path = self._path(table, number)
                tables[table] = _read(path, table)
                path.unlink(missing_ok=True)
            if any(rows.num_rows for rows in tables.values()):
                yield tables


def _read(path: Path, table: str) -> pa.Table:
    if not path.exists():
        return staged_schema(table).empty_table()
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_stream(file).read_all()


class EventIds:
    """Finds ids that stand twice in a log of any length, by hashes on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, bucket: int) -> Path:
        return self._folder / f"event-ids-{bucket}.u8"

    def add(self, marks: NDArray[np.uint64]) -> None:
        """Take the hashes of some ids."""
        bucket = marks >> np.uint64(60)
        for number in np.unique(bucket):
            with self._path(int(number)).open("ab") as file:
                file.write(marks[bucket == number].tobytes())

    def repeated(self) -> NDArray[np.uint64]:
        """The hashes that came more than once, sorted."""
        found = [np.empty(0, np.uint64)]
        for number in range(N_BUCKETS):
            path = self._path(number)
            if path.exists():
                marks = np.sort(np.fromfile(path, np.uint64))
                found.append(np.unique(marks[1:][np.diff(marks) == 0]))
        return np.concatenate(found)
