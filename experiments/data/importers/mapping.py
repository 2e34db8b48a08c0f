"""The mapping of `source=table`: which column of which file is what."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from experiments.common.errors import InputError
from experiments.common.plain_yaml import load_plain
from experiments.data.format.faults import show
from experiments.data.importers.where import Wanted, fault_of, wanted
from experiments.data.intake.coercion import TIME_UNITS

KNOWN_COLUMNS: dict[str, tuple[str, ...]] = {
    "items": ("object_id", "vector", "title", "body", "part_id", "is_average"),
    "queries": ("query_id", "vector", "text", "part_id"),
    "sessions": (
        "session_id",
        "user_id",
        "query_id",
        "query_text",
        "created_at",
        "is_irrelevant",
        "segment",
    ),
    "impressions": ("session_id", "position", "object_id", "relevance", "propensity"),
    "events": ("event_id", "session_id", "object_id", "event_type", "created_at"),
}
NEEDED_COLUMNS: dict[str, tuple[str, ...]] = {
    "items": ("object_id",),
    "queries": ("query_id",),
    "sessions": ("session_id", "created_at"),
    "impressions": ("session_id", "position", "object_id"),
    "events": ("session_id", "object_id", "created_at"),
}
ONE_OF: dict[str, tuple[str, ...]] = {
    "items": ("vector", "title", "body"),
    "queries": ("vector", "text"),
    "sessions": ("query_id", "query_text"),
}
KEYS = ("file", "columns", "where", "distinct", "first_position")
QUOTED = "put a name such as no, on or 1 into quotes"


@dataclass(frozen=True)
class TableMapping:
    """One table of the mapping.

    Args:
        file: A file, or a pattern that several match, inside the path.
        columns: Column of the format → column of the file.
        where: Column of the file → values; only such rows are taken.
        distinct: The same session may stand in several rows, the first of which counts.
        first_position: The position of the first result: 0 or 1.
    """

    file: str
    columns: dict[str, str]
    where: dict[str, Wanted] = field(default_factory=dict)
    distinct: bool = False
    first_position: int = 0


@dataclass(frozen=True)
class Mapping:
    """The tables by name, and the unit of their times."""

    tables: dict[str, TableMapping]
    time_unit: str = "s"


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping.

    Args:
        path: A YAML file such as::

            time_unit: s
            sessions: {file: searches.csv, columns: {session_id: id, query_text: q, created_at: at}}
            impressions: {file: shown.csv, columns: {session_id: id, position: n, object_id: sku}}
            events: {file: clicks.jsonl, columns: {session_id: id, object_id: sku, created_at: at}}
            items: {file: products.parquet, columns: {object_id: sku, title: name, body: text}}

    Raises:
        InputError: Listing everything that is wrong with it.
    """
    content = _parse(path)
    faults: list[str] = []
    unit = content.pop("time_unit", "s")
    if not isinstance(unit, str) or unit not in TIME_UNITS:
        faults.append(f"time_unit must be one of {', '.join(TIME_UNITS)}, got {show(unit)}")
    unknown = sorted(set(map(str, content)) - set(KNOWN_COLUMNS))
    known = ", ".join(KNOWN_COLUMNS)
    faults += [f"{name} is no table; tables are {known}" for name in unknown]
    missing = [t for t in KNOWN_COLUMNS if t not in content and t != "queries"]
    faults += [f"{table} is missing" for table in missing]
    tables = {t: _table(t, content[t], faults) for t in KNOWN_COLUMNS if t in content}
    if faults:
        lines = "\n".join(f"- {fault}." for fault in faults)
        raise InputError(f"The mapping {str(path)!r} cannot be used:\n{lines}")
    return Mapping({name: table for name, table in tables.items() if table is not None}, unit)


def _parse(path: Path) -> dict[Any, Any]:
    try:
        content = load_plain(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"mapping must be a plain YAML file (no tags that build objects), got {str(path)!r}: "
            f"{reason}"
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"mapping must hold a table a key, got {show(content)} in {str(path)!r}.")
    return content


def _table(name: str, content: Any, faults: list[str]) -> TableMapping | None:
    if not isinstance(content, dict) or not isinstance(content.get("file"), str):
        faults.append(f"{name} must have a file and columns, got {show(content)}")
        return None
    n_before = len(faults)
    unknown = sorted(set(map(str, content)) - set(KEYS))
    faults += [f"{name}.{key} is no key; keys are {', '.join(KEYS)}" for key in unknown]
    columns, where = content.get("columns"), content.get("where", {})
    if not _is_text_map(columns):
        faults.append(f"{name}.columns must map names to names ({QUOTED}), got {show(columns)}")
        return None
    faults += _column_faults(name, columns)
    faults += _where_faults(name, where)
    faults += _choice_faults(name, content)
    if len(faults) > n_before:
        return None
    return TableMapping(
        file=content["file"],
        columns=columns,
        where={column: wanted(value) for column, value in where.items()},
        distinct=content.get("distinct", False),
        first_position=content.get("first_position", 0),
    )


def _where_faults(name: str, where: Any) -> list[str]:
    if not isinstance(where, dict) or not all(isinstance(column, str) for column in where):
        return [f"{name}.where must map columns to values ({QUOTED}), got {show(where)}"]
    return [
        f"{name}.where.{column} {fault}, got {show(value)}"
        for column, value in where.items()
        if (fault := fault_of(value))
    ]


def _choice_faults(name: str, content: dict[Any, Any]) -> list[str]:
    """YAML's true is no 1, nor is 1 true: what was meant is not guessed."""
    faults = []
    if not isinstance(content.get("distinct", False), bool):
        faults.append(f"{name}.distinct must be true or false, got {show(content['distinct'])}")
    first = content.get("first_position", 0)
    if isinstance(first, bool) or not isinstance(first, int) or first not in (0, 1):
        faults.append(f"{name}.first_position must be 0 or 1, got {show(first)}")
    return faults


def _column_faults(name: str, columns: dict[str, str]) -> list[str]:
    known = KNOWN_COLUMNS[name]
    faults = [
        f"{name}.columns.{column} is no column; columns are {', '.join(known)}"
        for column in columns
        if column not in known
    ]
    faults += [
        f"{name}.columns.{column} is missing"
        for column in NEEDED_COLUMNS[name]
        if column not in columns
    ]
    choices = ONE_OF.get(name, ())
    if choices and not set(choices) & set(columns):
        faults.append(f"{name}.columns must have one of {', '.join(choices)}")
    return faults


def _is_text_map(value: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(
        isinstance(k, str) and isinstance(v, str) for k, v in value.items()
    )
