"""What every importer is: how to read a source, and what to say of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data.intake import Intake
from experiments.data.readers import OPENERS, Columns, read_table
from experiments.data_config import IngestConfig

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
        intake.fatal(
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


@dataclass
class Flat:
    """Rows of lists of different lengths, one below the other.

    Args:
        rows: Line of each value's record.
        columns: Column → values.
    """

    rows: list[int]
    columns: dict[str, list[Any]]

    @classmethod
    def empty(cls, names: Iterable[str]) -> "Flat":
        """Without rows."""
        return cls([], {name: [] for name in names})

    def extend(self, row: int, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add the values of one record; all columns have the same length."""
        for name, values in columns.items():
            self.columns[name].extend(values)
        self.rows.extend([row] * len(columns[next(iter(columns))]))

    def send(self, intake: Intake, table: str, file: str, *, time_unit: str = "s") -> None:
        """Hand the rows over."""
        rows: NDArray[np.int64] = np.array(self.rows, np.int64)
        intake.add(table, file, rows, self.columns, time_unit=time_unit)


def shown_rows(session: Any, objects: list[Any]) -> dict[str, list[Any]]:
    """The impressions of a session that shows these objects in this order."""
    places = list(range(len(objects)))
    return {"session_id": [session] * len(objects), "position": places, "object_id": objects}


def add_objects(path: Path, intake: Intake) -> None:
    """Take objects from a table of vectors or of texts.

    Columns: ``object_id`` (or ``id``), then ``vector`` with ``part_id``, ``is_average`` and
    ``user_id`` where there are such, or ``title`` and ``text``. A row with a ``user_id`` is an
    adjusted copy, no original, and is left out.
    """
    for block in read_table(path, "items", intake):
        columns = block.columns
        name = "object_id" if "object_id" in columns else "id"
        texts = [c for c in ("title", "text", "body") if c in columns]
        if name not in columns or ("vector" not in columns and not texts):
            there = ", ".join(columns) or "no columns"
            what = f"must have the columns object_id and vector (or title, text), got {there}"
            intake.fatal(block.file, what)
            return
        block = _originals(block, intake)
        taken = {"object_id": block.columns[name]}
        if "vector" in columns:
            kept = ("vector", "part_id", "is_average", "title")
            taken |= {c: block.columns[c] for c in kept if c in columns}
        else:
            taken |= {"body" if c == "text" else c: block.columns[c] for c in texts}
        intake.add("items", block.file, block.rows, taken)


def _originals(block: Columns, intake: Intake) -> Columns:
    if "user_id" not in block.columns:
        return block
    users: Any = block.columns["user_id"]
    plain = users if isinstance(users, list) else users.to_pylist()
    kept = np.array([user is None or user == "" for user in plain], bool)
    intake.leave_out("items", "adjusted copies, no originals", int((~kept).sum()))
    return filtered(block, kept)


def filtered(block: Columns, kept: NDArray[np.bool_]) -> Columns:
    """The rows of a block that are kept."""
    if kept.all():
        return block
    columns: dict[str, Any] = {}
    for name, values in block.columns.items():
        if isinstance(values, list):
            columns[name] = [v for v, keep in zip(values, kept, strict=True) if keep]
        else:
            columns[name] = values.take(np.flatnonzero(kept))
    return Columns(block.file, block.rows[kept], columns)
