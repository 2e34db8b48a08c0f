"""The last step of an import: check each part's sessions as a whole, and write those that hold."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.card.counts import CardParts
from experiments.data.format.faults import Faults
from experiments.data.format.folder import table_writer
from experiments.data.format.ids import encode, find, hashes
from experiments.data.format.relations import check_positions, check_relations
from experiments.data.format.schema import TABLES, file_of
from experiments.data.intake.intake import content_of
from experiments.data.intake.rejections import Rejections
from experiments.data.intake.shown_order import numbered
from experiments.data.intake.staging import STAGED, Staging
from experiments.data.intake.unknown_objects import UnknownObjects

OUTPUT_TYPES = {
    "id": pa.string(),
    "text": pa.string(),
    "time": pa.int64(),
    "flag": pa.bool_(),
    "number": pa.float32(),
    "share": pa.float32(),
    "position": pa.int32(),
}
ITS_SESSION = "its session is quarantined"


@dataclass(frozen=True)
class SourceFacts:
    """What the checks must know of the rows before.

    Args:
        files: Names of the source's files, by number.
        object_ids: Ids of the objects that have vectors.
        query_ids: Ids of the queries that have vectors.
        distinct_sessions: A session may stand in several rows, the first of which counts.
        ordered_only: Positions say the order of results and no more.
        refused_sessions: Sessions that lost a row on the way, so that nothing of them is used.
        left_out_sessions: Sessions that say nothing here → why.
        unknown_objects: What to do with results of which there is no vector.
    """

    files: Sequence[str]
    object_ids: pa.Array
    query_ids: pa.Array
    distinct_sessions: bool = False
    ordered_only: bool = False
    refused_sessions: Collection[str] = ()
    left_out_sessions: Mapping[str, str] = field(default_factory=dict)
    unknown_objects: str = "refuse"


class SessionChecks:
    """Checks parts against each other and writes them.

    Args:
        folder: Where to write `sessions.parquet`, `impressions.parquet` and `events.parquet`.
        source: What the import knows of its source.
        rejections: Where bad rows go.
        card: Gathers what the data card needs.
    """

    def __init__(
        self,
        folder: Path,
        source: SourceFacts,
        rejections: Rejections,
        card: CardParts,
    ) -> None:
        self.left_out: dict[str, Counter[str]] = {table: Counter() for table in STAGED}
        self.unknown = UnknownObjects(source.unknown_objects, source.object_ids)
        self.n_out = dict.fromkeys(STAGED, 0)
        self._source, self._rejections, self._card = source, rejections, card
        self._refused = pa.array(sorted(source.refused_sessions), pa.large_string())
        self._left_out_ids = pa.array(list(source.left_out_sessions), pa.large_string())
        self._left_out_whys = np.array([*source.left_out_sessions.values(), ""], object)
        self._writers = {table: _writer(folder, table) for table in STAGED}
        self._seen_events: set[str] = set()
        self._repeated = np.empty(0, np.uint64)

    def check(self, staging: Staging, progress: Callable[[int], object]) -> None:
        """Check and write every part."""
        self._repeated = staging.repeated_event_ids()
        for tables in staging.iter_parts():
            self._check_part(tables)
            progress(sum(rows.num_rows for rows in tables.values()))
        for writer in self._writers.values():
            writer.close()

    def _check_part(self, tables: dict[str, pa.Table]) -> None:
        tables = self._prepared(tables)
        faults = Faults()
        codes = check_relations(
            tables,
            self._source.object_ids,
            self._source.query_ids,
            faults,
            complete_lists=self._source.unknown_objects != "drop_impression",
        )
        reasons = self._by_row(tables, faults)
        self._repeated_events(tables["events"], reasons["events"])
        good = _spread_to_sessions(tables, reasons)
        for table in STAGED:
            self._refuse(table, tables[table], reasons[table])
            self._write(table, tables[table].filter(pa.array(good[table])))
        self._card.add(tables, codes, good)

    def _prepared(self, tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        """One part without what was refused or says nothing, so that no echo of it is told."""
        tables = self._without_left_out(tables)
        tables = {table: self._without_refused(table, rows) for table, rows in tables.items()}
        if self._source.distinct_sessions:
            tables = {**tables, "sessions": self._without_repeats(tables["sessions"])}
        if self._source.ordered_only:
            shown = numbered(tables["impressions"])
            n_again = tables["impressions"].num_rows - shown.num_rows
            self._leave_out("impressions", "objects shown again in their search", n_again)
            tables = {**tables, "impressions": shown}
        if self._source.unknown_objects == "drop_impression":
            tables = self._without_broken_lists(tables)
        return self.unknown.leave_out(tables, self._leave_out)

    def _leave_out(self, table: str, why: str, n_rows: int) -> None:
        if n_rows:
            self.left_out[table][why] += n_rows

    def _without_left_out(self, tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        """Leave out what belongs to a session that was left out, for the reason it was."""
        if not len(self._left_out_ids):
            return tables
        there = find(pa.chunked_array([self._left_out_ids]), _ids(tables["sessions"])) >= 0
        kept = dict(tables)
        for table in ("impressions", "events"):
            index = find(tables[table]["session_id"], self._left_out_ids)
            lost = (index >= 0) & ~there[index]
            for why, n_rows in Counter(self._left_out_whys[index[lost]].tolist()).items():
                self._leave_out(table, f"of {why}", n_rows)
            kept[table] = tables[table].filter(pa.array(~lost))
        return kept

    def _without_broken_lists(self, tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        """Refuse sessions whose positions had gaps before any result was left out."""
        faults = Faults()
        shown = tables["impressions"]
        names, session = encode(shown["session_id"])
        check_positions(shown, np.where(session < len(names), session, -1), faults)
        if not faults:
            return tables
        reasons = self._by_row(tables, faults)
        good = _spread_to_sessions(tables, reasons)
        for table in STAGED:
            self._refuse(table, tables[table], reasons[table])
        return {table: rows.filter(pa.array(good[table])) for table, rows in tables.items()}

    def _without_refused(self, table: str, data: pa.Table) -> pa.Table:
        refused = find(data["session_id"], self._refused) >= 0
        rows = np.flatnonzero(refused).tolist()
        self._refuse(table, data, {row: [ITS_SESSION] for row in rows})
        return data.filter(pa.array(~refused)) if rows else data

    def _without_repeats(self, sessions: pa.Table) -> pa.Table:
        _, code = encode(sessions["session_id"])
        first = np.sort(np.unique(code, return_index=True)[1])
        self._leave_out("sessions", "repeated rows of a session", sessions.num_rows - len(first))
        return sessions.take(pa.array(first))

    def _by_row(
        self, tables: dict[str, pa.Table], faults: Faults
    ) -> dict[str, dict[int, list[str]]]:
        """Table → row → what is wrong with it; each fault is reported on the way."""
        reasons: dict[str, dict[int, list[str]]] = {table: {} for table in STAGED}
        for fault in faults.found:
            table = next(name for name in STAGED if file_of(name) == fault.file)
            for number, row in enumerate(fault.rows.tolist()):
                example = fault.examples[number] if number < len(fault.examples) else ""
                file, line = self._origin(tables[table], row)
                self._rejections.fault(file, f"{table}: {fault.what}", line, example)
                reasons[table].setdefault(row, []).append(fault.what)
        return reasons

    def _repeated_events(self, events: pa.Table, reasons: dict[int, list[str]]) -> None:
        """An event id may have come in an earlier part."""
        if not len(self._repeated) or not events.num_rows:
            return
        marks = hashes(events["event_id"])
        for row in np.flatnonzero(np.isin(marks, self._repeated)).tolist():
            name = events["event_id"][row].as_py()
            if name not in self._seen_events:
                self._seen_events.add(name)
            elif row not in reasons:
                file, line = self._origin(events, row)
                what = "column event_id must stand once"
                self._rejections.fault(file, f"events: {what}", line, repr(name))
                reasons[row] = [what]

    def _refuse(self, table: str, data: pa.Table, reasons: dict[int, list[str]]) -> None:
        names = [column.name for column in TABLES[table]]
        for row, what in sorted(reasons.items()):
            file, line = self._origin(data, row)
            content = content_of({name: data[name][row] for name in names})
            self._rejections.keep(table, file, line, "; ".join(what), content)

    def _write(self, table: str, data: pa.Table) -> None:
        schema = output_schema(table)
        self._writers[table].write_table(data.select(schema.names).cast(schema))
        self.n_out[table] += data.num_rows

    def _origin(self, data: pa.Table, row: int) -> tuple[str, int]:
        return self._source.files[data["_file"][row].as_py()], data["_row"][row].as_py()


def _ids(sessions: pa.Table) -> pa.Array:
    return encode(sessions["session_id"])[0]


def _spread_to_sessions(
    tables: dict[str, pa.Table], reasons: dict[str, dict[int, list[str]]]
) -> dict[str, NDArray[np.bool_]]:
    """Refuse all rows of a session that is at fault in itself or in what it shows.

    A session that lost a result is not the one that its user saw. A bad event harms itself alone.

    Returns:
        Table → rows that hold.
    """
    bad_ids = [
        tables[table]["session_id"].take(pa.array(sorted(reasons[table]), pa.int64()))
        for table in ("sessions", "impressions")
    ]
    bad = pc.unique(pa.chunked_array([c for ids in bad_ids for c in ids.chunks], pa.string()))
    good = {}
    for table in STAGED:
        mine = find(tables[table]["session_id"], bad.cast(pa.large_string())) >= 0
        for row in np.flatnonzero(mine).tolist():
            reasons[table].setdefault(row, [ITS_SESSION])
        good[table] = np.ones(tables[table].num_rows, bool)
        good[table][list(reasons[table])] = False
    return good


def output_schema(table: str) -> pa.Schema:
    """The columns that are written."""
    return pa.schema([(column.name, OUTPUT_TYPES[column.kind]) for column in TABLES[table]])


def _writer(folder: Path, table: str) -> ParquetFileWriter:
    return table_writer(folder, table, output_schema(table))
