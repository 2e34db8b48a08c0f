"""What every importer is: how to read a source, and what to say of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.config.data import IngestConfig
from experiments.data.intake.intake import Intake
from experiments.data.readers.any_file import read_table
from experiments.data.readers.row_blocks import OPENERS, RowBlock, filtered

JSON_LINES = (".jsonl", ".json", ".ndjson")
TABULAR = (".parquet", ".pq", ".csv", ".tsv", *JSON_LINES)


@dataclass(frozen=True)
class Importer:
    """One kind of source.

    Args:
        read: Reads a file or folder and hands its rows to the intake.
        click_types: Events that count as clicks; None takes all.
        source: Where such data come from.
        licence: Under what terms, where they are the same for everybody.
        how_made: What the importer makes of it, and what a reader must know.
        personalize_by: The default scope; None is by user where users are known.
    """

    read: Callable[[Path, IngestConfig, Intake], None]
    click_types: tuple[str, ...] | None
    source: str
    how_made: str
    licence: str = ""
    personalize_by: str | None = None


def find_file(
    root: Path,
    stems: Sequence[str],
    suffixes: Sequence[str],
    intake: Intake,
    *,
    needed: bool = True,
) -> Path | None:
    """A file of one of these names in a folder.

    Args:
        root: The folder.
        stems: Names without suffix, the likeliest first.
        suffixes: Suffixes, each also taken with that of a compressed file.
        intake: Told where a needed file is missing.
        needed: Whether it must be there.
    """
    compressed = ("", *OPENERS)
    names = [
        f"{stem}{suffix}{more}" for stem in stems for suffix in suffixes for more in compressed
    ]
    for name in names:
        if (root / name).is_file():
            return root / name
    if needed:
        intake.reject_file(
            f"{stems[0]}{suffixes[0]}", f"the file is missing in {root} (or with another suffix)"
        )
    return None


def chosen_types(config: IngestConfig, importer_types: tuple[str, ...] | None) -> set[str] | None:
    """The events that count as clicks, or None for all."""
    types = config.click_types if config.click_types is not None else importer_types
    return None if types is None else set(types)


def unwrap(value: Any) -> Any:
    """A value of MongoDB's extended JSON as a plain one; times as seconds or ISO text.

    Example:
        >>> unwrap({"$numberLong": "12"}), unwrap({"$oid": "ab"}), unwrap(3)
        (12, 'ab', 3)
    """
    if not isinstance(value, dict) or len(value) != 1:
        return value
    [(key, inner)] = value.items()
    if key in ("$numberLong", "$numberInt"):
        return int(inner) if isinstance(inner, str) and inner.lstrip("-").isdecimal() else inner
    if key == "$numberDouble":
        return inner
    if key == "$date":
        moment = unwrap(inner)
        return moment // 1000 if isinstance(moment, int) else moment
    return inner if key in ("$oid", "$uuid") else value


class Rows:
    """Rows of one table, column by column, each with the line that it comes from."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._columns: dict[str, list[Any]] = {}

    def add(self, line: int, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add the rows of one record; all columns have the same length."""
        for name, values in columns.items():
            self._columns.setdefault(name, []).extend(values)
        self._lines.extend([line] * len(columns[next(iter(columns))]))

    def send(self, intake: Intake, table: str, file: str, time_unit: str) -> None:
        """Hand the rows over."""
        lines: NDArray[np.int64] = np.array(self._lines, np.int64)
        intake.add(table, file, lines, self._columns, time_unit=time_unit)


class Searches:
    """What a block of a log says: sessions with their results, events, and what is left out.

    Args:
        file: Its name.
        time_unit: Of its times.
    """

    def __init__(self, file: str, time_unit: str = "s") -> None:
        self.file, self._time_unit = file, time_unit
        self._rows = {table: Rows() for table in ("queries", "sessions", "impressions", "events")}
        self._left_out: dict[tuple[str, str], int] = {}
        self._left_out_sessions: list[tuple[Any, str]] = []

    def add_session(
        self, line: int, objects: list[Any], positions: list[int] | None = None, **session: Any
    ) -> None:
        """Add a session, its columns by name, and the objects it shows, from the top."""
        name = session["session_id"]
        self._rows["sessions"].add(line, {key: [value] for key, value in session.items()})
        where = list(range(len(objects))) if positions is None else positions
        shown = {"session_id": [name] * len(objects), "position": where, "object_id": objects}
        self._rows["impressions"].add(line, shown)

    def add_impression(self, line: int, **shown: Any) -> None:
        """Add one result by itself, its columns by name."""
        self._rows["impressions"].add(line, {key: [value] for key, value in shown.items()})

    def add_event(self, line: int, **event: Any) -> None:
        """Add an event, its columns by name."""
        self._rows["events"].add(line, {key: [value] for key, value in event.items()})

    def add_query(self, line: int, **query: Any) -> None:
        """Add a query with its vector."""
        self._rows["queries"].add(line, {key: [value] for key, value in query.items()})

    def leave_out_session(self, session_id: Any, why: str) -> None:
        """Count a search that says nothing here, and what belongs to it with it."""
        self.leave_out("sessions", why)
        self._left_out_sessions.append((session_id, why))

    def leave_out(self, table: str, why: str) -> None:
        """Count one row that says nothing here."""
        self._left_out[table, why] = self._left_out.get((table, why), 0) + 1

    def send(self, intake: Intake) -> None:
        """Hand everything over."""
        for (table, why), n_rows in self._left_out.items():
            intake.leave_out(table, why, n_rows)
        for session_id, why in self._left_out_sessions:
            intake.leave_out_session(session_id, why)
        for table, rows in self._rows.items():
            rows.send(intake, table, self.file, self._time_unit)


def add_objects(
    path: Path,
    config: IngestConfig,
    intake: Intake,
    watch: Callable[[RowBlock], object] = lambda _: None,
) -> None:
    """Take objects from a table of vectors or of texts.

    RowBlock: ``object_id`` (or ``id``), then ``vector`` with ``part_id``, ``is_average`` and
    ``user_id`` where there are such, or ``title`` and ``text``. A row with a ``user_id`` is an
    adjusted copy, no original, and is left out; `watch` sees it.
    """
    for block in read_table(path, "items", intake, config.csv):
        columns = block.columns
        name = "object_id" if "object_id" in columns else "id"
        texts = [c for c in ("title", "text", "body") if c in columns]
        if name not in columns or ("vector" not in columns and not texts):
            there = ", ".join(columns) or "no columns"
            what = f"must have the columns object_id and vector (or title, text), got {there}"
            intake.reject_file(block.file, what)
            return
        watch(block)
        block = _originals(block, intake)
        taken = {"object_id": block.ids(name)}
        if "vector" in columns:
            kept = ("vector", "part_id", "is_average", "title")
            taken |= {c: _column(block, c) for c in kept if c in columns}
        else:
            taken |= {"body" if c == "text" else c: block.columns[c] for c in texts}
        intake.add("items", block.file, block.rows, taken)


def _column(block: RowBlock, name: str) -> Any:
    readers = {"vector": block.numbers, "part_id": block.ids}
    return readers.get(name, block.columns.__getitem__)(name)


def _originals(block: RowBlock, intake: Intake) -> RowBlock:
    if "user_id" not in block.columns:
        return block
    users: Any = block.columns["user_id"]
    plain = users if isinstance(users, list) else users.to_pylist()
    kept = np.array([user is None or user != user or user == "" for user in plain], bool)
    intake.leave_out("items", "adjusted copies, no originals", int((~kept).sum()))
    return filtered(block, kept)
