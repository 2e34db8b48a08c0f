"""Sessions that come in any order, put into canonical order, and cut into shards, on disk."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.ragged import offsets_of, row_maxima
from experiments.data.format.assembly import ordered_rows, time_order
from experiments.data.format.relations import Codes
from experiments.data.format.vector_table import sorted_ids
from experiments.data.partitions.files import SESSION_COLUMNS
from experiments.data.partitions.writer import Shard, cuts, event_table, shown_table


class SessionTable(NamedTuple):
    """All sessions in canonical order.

    Args:
        rows: With `SESSION_COLUMNS`.
        users: The distinct users, sorted.
        segments: The distinct segments, sorted.
        rank: Shape ``(n_sessions,)``: place of each session, as they came.
    """

    rows: pa.Table
    users: pa.Array
    segments: pa.Array
    rank: NDArray[np.int64]


class SessionSorter:
    """Takes checked sessions bucket by bucket; keeps their own columns, spills what they show.

    Args:
        work: A folder of its own.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._sessions: list[pa.Table] = []

    def add(self, tables: dict[str, pa.Table], codes: Codes) -> None:
        """Take sessions with all that they show.

        Args:
            tables: ``sessions``, ``impressions`` and ``events``, without fault.
            codes: Their ids as indices.
        """
        arrays, events = ordered_rows(tables, codes)
        number = len(self._sessions)
        offsets = arrays["impression_offsets"]
        session = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        shown = shown_table(arrays, np.arange(len(session)))
        _spill(self._path("shown", number), shown.append_column("session", pa.array(session)))
        impression = arrays["event_impression"]
        strings = event_table(impression, arrays["event_created_at"], events)
        _spill(self._path("events", number), strings)
        self._sessions.append(
            pa.table(
                {
                    "session_id": pa.array(arrays["session_ids"], pa.large_string()),
                    "user": _names(arrays["user_ids"], arrays["session_user"]),
                    "segment": _names(arrays["segments"], arrays["session_segment"]),
                    "query": arrays["session_query"],
                    "created_at": arrays["session_created_at"],
                    "is_irrelevant": arrays["session_is_irrelevant"],
                    "n_shown": np.diff(offsets).astype(np.int32),
                    "top_click": _top_clicks(arrays),
                }
            )
        )

    def _path(self, kind: str, number: int) -> Path:
        return self._work / f"{kind}-{number}.arrow"

    def sessions(self) -> SessionTable:
        """All sessions that came, in canonical order."""
        came = pa.concat_tables(self._sessions)
        order = time_order(came["created_at"], came["session_id"])
        users, segments = sorted_ids(came["user"]), sorted_ids(came["segment"])
        rows = came.take(pa.array(order))
        for name, ids in (("user", users), ("segment", segments)):
            codes = pc.fill_null(pc.index_in(rows[name], value_set=ids), -1)
            rows = rows.set_column(rows.schema.get_field_index(name), name, codes)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return SessionTable(rows.cast(SESSION_COLUMNS).combine_chunks(), users, segments, rank)

    def iter_shards(self, table: SessionTable, n_shards: int) -> Iterator[Shard]:
        """The log in order of time, some whole sessions at a time.

        Args:
            table: From `sessions`.
            n_shards: How many shards; fewer where there are fewer sessions.
        """
        n_shown = table.rows["n_shown"].to_numpy()
        bounds = cuts(n_shown, n_shards)
        starts = offsets_of([rows.num_rows for rows in self._sessions])
        for number, (start, stop) in enumerate(pairwise(starts)):
            self._route(number, table.rank[start:stop], bounds)
        for number, (first, last) in enumerate(pairwise(bounds)):
            user = table.rows["user"].to_numpy()[first:last]
            yield self._gather(number, int(first), user, n_shown[first:last].astype(np.int64))

    def _route(self, number: int, rank: NDArray[np.int64], bounds: NDArray[np.int64]) -> None:
        """Cut a bucket's rows by shard, each row with the place of its session."""
        shown = _read(self._path("shown", number))
        events = _read(self._path("events", number))
        local = shown["session"].to_numpy()
        session = rank[local]
        impression = events["impression"].to_numpy()
        place = np.arange(len(local)) - np.searchsorted(local, local)
        shown = shown.set_column(shown.num_columns - 1, "session", pa.array(session))
        events = events.set_column(0, "impression", pa.array(place[impression]))
        events = events.append_column("session", pa.array(session[impression]))
        for kind, rows in (("shown", shown), ("events", events)):
            self._path(kind, number).unlink()
            shard = np.searchsorted(bounds, rows["session"].to_numpy(), side="right") - 1
            for target in np.unique(shard):
                mine = rows.take(pa.array(np.flatnonzero(shard == target)))
                _spill(self._work / f"{kind}-{target}-{number}.arrow", mine)

    def _gather(
        self, shard: int, first: int, user: NDArray[np.int32], n_shown: NDArray[np.int64]
    ) -> Shard:
        tables = {}
        for kind in ("shown", "events"):
            files = sorted(self._work.glob(f"{kind}-{shard}-*.arrow"))
            pieces = [_read(path) for path in files]
            for path in files:
                path.unlink()
            if not pieces:
                continue
            rows = pa.concat_tables(pieces)
            order = np.argsort(rows["session"].to_numpy(), kind="stable")
            tables[kind] = rows.take(pa.array(order)).combine_chunks()
        if "events" not in tables:
            empty = pa.table({"id": pa.array([], pa.string()), "type": pa.array([], pa.string())})
            tables["events"] = event_table(np.empty(0, np.int64), np.empty(0, np.int64), empty)
            tables["events"] = tables["events"].append_column("session", pa.array([], pa.int64()))
        events = tables["events"]
        starts = offsets_of(n_shown)[events["session"].to_numpy() - first]
        impression = starts + events["impression"].to_numpy()
        return Shard(
            first,
            user,
            n_shown,
            tables["shown"].drop_columns(["session"]),
            events.set_column(0, "impression", pa.array(impression)).drop_columns(["session"]),
        )


def _names(ids: NDArray[np.object_], codes: NDArray[np.int32]) -> pa.Array:
    """The id of each session, null where it has none."""
    indices = pa.array(np.maximum(codes, 0), mask=codes < 0)
    return pa.array(ids, pa.large_string()).take(indices)


def _top_clicks(arrays: dict[str, NDArray[Any]]) -> NDArray[np.int32]:
    """Logged position of each session's highest click, -1 without one."""
    offsets, impression = arrays["impression_offsets"], arrays["event_impression"]
    clicked = np.zeros(offsets[-1], np.bool_)
    clicked[impression] = True
    far = -np.iinfo(np.int32).max
    top = row_maxima(np.where(clicked, -arrays["impression_position"], far), offsets, empty=far)
    return np.where(top == far, -1, -top).astype(np.int32)


def _spill(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file:
        table: Any = pa.ipc.open_file(file).read_all()
    return table
