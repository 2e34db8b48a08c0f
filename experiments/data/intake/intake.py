"""What importers hand their rows to: it checks them, counts them and sends them on."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.format.faults import Fault, Faults, show
from experiments.data.format.ids import encode
from experiments.data.format.schema import TABLES, Column
from experiments.data.format.validation import check_values
from experiments.data.intake.coercion import RAW_WORDS, Raw, coerce, plain_text
from experiments.data.intake.rejections import Rejections, storable
from experiments.data.intake.staging import Staging, staged_schema
from experiments.data.intake.vector_intake import VectorIntake

EXTRA_COLUMNS: dict[str, tuple[Column, ...]] = {
    "items": (Column("body", "text", False, True), Column("part_id", "id", False, True)),
    "queries": (Column("part_id", "id", False, True),),
    "sessions": (Column("query_text", "text", False, True),),
}
"""Columns that importers may give beside the format's."""

QUERY_TEXTS_SCHEMA = pa.schema([("query_id", pa.string()), ("text", pa.string())])
MAX_CONTENT = 10_000
"""Characters of a refused row that are kept."""


class Intake:
    """Takes the rows of a log, table by table, in any order.

    Args:
        folder: Working folder, for rows on their way.
        staging: Where sessions, impressions and events go.
        vectors: Where items and queries go.
        rejections: Where bad rows go.
        progress: Told the number of rows each time.
    """

    def __init__(
        self,
        folder: Path,
        staging: Staging,
        vectors: VectorIntake,
        rejections: Rejections,
        progress: Callable[[int], object],
    ) -> None:
        self.files: list[str] = []
        self.n_in: dict[str, int] = {}
        self.left_out: dict[str, dict[str, int]] = {}
        self.n_vector_rows: dict[str, int] = {}
        self.distinct_sessions = False
        self.ordered_only = False
        self.refused_sessions: set[str] = set()
        self.left_out_sessions: dict[str, str] = {}
        self.sources: dict[str, dict[str, int]] = {}
        self._staging, self._vectors, self._rejections = staging, vectors, rejections
        self._progress = progress
        self._query_texts = ParquetFileWriter(folder / "query-texts.parquet", QUERY_TEXTS_SCHEMA)
        self._known_queries: set[str] = set()

    def reject(self, table: str, file: str, row: int, what: str, content: str) -> None:
        """Refuse one row that is no row of the table at all."""
        self._count(table, 1)
        self._rejections.fault(file, what, row, show(content))
        self._rejections.keep(table, file, row, what, content[:MAX_CONTENT])

    def reject_file(self, file: str, what: str) -> None:
        """Report a file that cannot be used."""
        self._rejections.reject_file(file, what)

    def leave_out(self, table: str, why: str, n_rows: int) -> None:
        """Count rows that are no fault but say nothing here: an event that is no click."""
        if n_rows:
            self._count(table, n_rows)
            reasons = self.left_out.setdefault(table, {})
            reasons[why] = reasons.get(why, 0) + n_rows

    def leave_out_session(self, session_id: object, why: str) -> None:
        """Remember a session that is left out: what belongs to it is left out for that reason."""
        if session_id is not None:
            self.left_out_sessions.setdefault(storable(plain_text(session_id)), why)

    def count_source(self, name: str, n_rows: int, used: int, left_out: Mapping[str, int]) -> None:
        """Tell of rows that became none of a table's, but part of several or of none.

        Args:
            name: What they are in the source.
            n_rows: How many it has.
            used: How many of them the log is made of.
            left_out: Why not → how many of the others.
        """
        reasons = {f"left out ({why})": n for why, n in left_out.items() if n}
        self.sources[name] = {"read": n_rows, "used": used} | reasons

    def add(
        self,
        table: str,
        file: str,
        rows: NDArray[np.int64],
        columns: Mapping[str, Raw],
        *,
        time_unit: str = "s",
    ) -> None:
        """Take some rows of a table.

        Args:
            table: ``items``, ``queries``, ``sessions``, ``impressions`` or ``events``.
            file: Where they come from.
            rows: Shape ``(n,)``: the number of each in its file, from 1.
            columns: The format's columns, as the source has them. Sessions may have
                ``query_text`` for ``query_id``; items ``title`` and ``body`` for ``vector``, and
                ``part_id``.
            time_unit: Of ``created_at``.
        """
        if not len(rows):
            return
        self._count(table, len(rows))
        faults = Faults()
        data, bad = _coerced(table, file, columns, faults, time_unit)
        if "query_text" in data.column_names:
            texts, data = data["query_text"], self._with_query_ids(data)
            blank = pc.is_null(data["query_id"]).to_numpy() & ~bad
            what = "column query_text must not be empty"
            faults.add_rows(file, what, blank, partial(_at, texts))
            bad |= blank
        faults.found += _value_faults(table, file, data, np.flatnonzero(~bad))
        for fault in faults.found:
            bad[fault.rows] = True
        good = ~bad
        self._send(table, file, data, rows, good, faults)
        self._refuse(table, file, data, rows, columns, faults, ~good)

    def _send(
        self,
        table: str,
        file: str,
        data: pa.Table,
        rows: NDArray[np.int64],
        good: NDArray[np.bool_],
        faults: Faults,
    ) -> None:
        """Send good rows on; flags of those refused there are cleared in `good`."""
        sound = data.filter(pa.array(good))
        if table in ("items", "queries"):
            mine = Faults()
            written = self._vectors.add(table, sound, mine, file)
            sent = np.flatnonzero(good)
            faults.found += [fault.moved(sent) for fault in mine.found]
            good[sent[~written]] = False
            self.n_vector_rows[table] = self.n_vector_rows.get(table, 0) + int(written.sum())
            return
        origin = {
            "_file": pa.array(np.full(sound.num_rows, self._file_number(file), np.int32)),
            "_row": pa.array(rows[good]),
        }
        schema = staged_schema(table)
        named = {name: sound[name] for name in sound.column_names} | origin
        missing = {f.name: _default(f, sound.num_rows) for f in schema if f.name not in named}
        named |= missing
        self._staging.add(table, pa.table([named[f.name] for f in schema], schema=schema))

    def _refuse(
        self,
        table: str,
        file: str,
        data: pa.Table,
        rows: NDArray[np.int64],
        columns: Mapping[str, Raw],
        faults: Faults,
        bad: NDArray[np.bool_],
    ) -> None:
        reasons: dict[int, list[str]] = {int(index): [] for index in np.flatnonzero(bad)}
        for fault in faults.found:
            if not len(fault.rows):
                self._rejections.reject_file(fault.file, fault.what)
            for number, index in enumerate(fault.rows.tolist()):
                example = fault.examples[number] if number < len(fault.examples) else ""
                self._rejections.fault(file, f"{table}: {fault.what}", int(rows[index]), example)
                reasons.setdefault(index, []).append(fault.what)
        if table in ("sessions", "impressions"):
            names = data["session_id"].take(pa.array(sorted(reasons), pa.int64()))
            self.refused_sessions.update(names.drop_null().to_pylist())
        for index, what in sorted(reasons.items()):
            content = content_of({name: values[index] for name, values in columns.items()})
            self._rejections.keep(table, file, int(rows[index]), "; ".join(what), content)

    def _with_query_ids(self, data: pa.Table) -> pa.Table:
        """Give each text a query id made of a hash of it, and keep texts that are new."""
        texts, codes = encode(data["query_text"])
        ids: list[str | None] = []
        new: list[tuple[str, str]] = []
        for text in texts.to_pylist():
            name = query_id_of(text) if text.strip() else None
            ids.append(name)
            if name is not None and name not in self._known_queries:
                self._known_queries.add(name)
                new.append((name, text))
        if new:
            arrays = [pa.array(column, pa.string()) for column in zip(*new, strict=True)]
            self._query_texts.write_table(pa.Table.from_arrays(arrays, schema=QUERY_TEXTS_SCHEMA))
        query_ids = pa.array([*ids, None], pa.string()).take(pa.array(codes))
        return data.drop_columns(["query_text"]).append_column("query_id", query_ids)

    def finish(self) -> None:
        """No more rows come from the source."""
        self._query_texts.close()

    def _count(self, table: str, n_rows: int) -> None:
        self.n_in[table] = self.n_in.get(table, 0) + n_rows
        self._progress(n_rows)

    def _file_number(self, file: str) -> int:
        if not self.files or self.files[-1] != file:
            if file in self.files:
                return self.files.index(file)
            self.files.append(file)
        return len(self.files) - 1


def query_id_of(text: str) -> str:
    """The id of a query that is known by its text alone.

    Example:
        >>> query_id_of("red shoes")
        'q-61959b3a303f52c5dd5ddc4c'
    """
    return "q-" + hashlib.sha256(text.encode(errors="reindex")).hexdigest()[:24]


def _coerced(
    table: str, file: str, columns: Mapping[str, Raw], faults: Faults, time_unit: str
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """The columns in the format's types, and the rows with a value that does not fit."""
    known = {c.name: c for c in (*TABLES[table], *EXTRA_COLUMNS.get(table, ()))}
    arrays: dict[str, pa.Array] = {}
    any_bad: NDArray[np.bool_] | None = None
    for name in sorted(columns, key=list(known).index):
        column, values = known[name], columns[name]
        arrays[name], bad = coerce(values, column.kind, time_unit=time_unit)
        faults.add_rows(
            file,
            f"column {name} must be {RAW_WORDS[column.kind]}",
            bad,
            partial(_at, values),
        )
        any_bad = bad if any_bad is None else any_bad | bad
        if column.kind == "flag" and not column.nullable:
            arrays[name] = pc.fill_null(arrays[name], False)
        if name == "event_type":
            arrays[name] = pc.fill_null(arrays[name], "click")
    assert any_bad is not None
    return pa.table(arrays), any_bad


def _value_faults(table: str, file: str, data: pa.Table, rows: NDArray[np.int64]) -> list[Fault]:
    """Faults of these rows, whose values are of the right types."""
    faults = Faults()
    if len(rows):
        check_values(table, file, data.take(pa.array(rows)), faults)
    return [fault.moved(rows) for fault in faults.found]


def _default(field: pa.Field, n_rows: int) -> pa.Array:
    if pa.types.is_boolean(field.type):
        return pa.repeat(False, n_rows)
    if field.name == "event_type":
        return pa.repeat("click", n_rows)
    return pa.nulls(n_rows, field.type)


def _at(values: Raw, row: int) -> Any:
    return _plain(values[row])


def _plain(value: Any) -> Any:
    return value.as_py() if isinstance(value, pa.Scalar) else value


def content_of(row: Mapping[str, Any]) -> str:
    """A refused row as JSON, cut to a length that can be read."""
    plain = {name: _plain(value) for name, value in row.items()}
    return json.dumps(plain, default=str)[:MAX_CONTENT]
