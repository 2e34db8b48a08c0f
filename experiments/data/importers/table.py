"""Any log in tables: CSV, TSV, JSON lines or Parquet files, with a mapping of their columns."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.importers.base import Importer, chosen_types
from experiments.data.importers.mapping import TableMapping, read_mapping
from experiments.data.importers.where import Wanted
from experiments.data.intake.intake import Intake
from experiments.data.readers.any_file import read_table
from experiments.data.readers.row_blocks import RowBlock, filtered

NUMBERS = ("vector", "created_at", "relevance", "propensity")
"""Columns whose texts are numbers, or lists of such."""

IDS = ("object_id", "part_id", "query_id", "session_id", "user_id", "segment", "event_id")


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read the files that the mapping names, objects and queries first.

    Raises:
        InputError: If the mapping cannot be used or names a file outside the path.
    """
    assert config.mapping is not None
    mapping = read_mapping(Path(config.mapping))
    base = root if root.is_dir() else root.parent
    types = chosen_types(config, None)
    intake.distinct_sessions = mapping.tables["sessions"].distinct
    files = {name: mapped_files(base, name, table) for name, table in mapping.tables.items()}
    for name, table in mapping.tables.items():
        for path in files[name]:
            for block in read_table(path, name, intake, config.csv):
                if not _add(block, name, table, mapping.time_unit, types, intake):
                    break


def mapped_files(base: Path, name: str, table: TableMapping) -> list[Path]:
    """The files of a table, all inside the folder.

    Raises:
        InputError: If there is none, or one lies outside.
    """
    pattern = Path(table.file)
    outside = pattern.is_absolute() or ".." in pattern.parts
    paths = [] if outside else sorted(p for p in base.glob(table.file) if p.is_file())
    home = base.resolve()
    if outside or any(not path.resolve().is_relative_to(home) for path in paths):
        raise InputError(
            f"mapping: {name}.file must lie inside path ({str(base)!r}), got {table.file!r}."
        )
    if not paths:
        raise InputError(
            f"mapping: {name}.file must be a file in {str(base)!r}, got {table.file!r}, which is "
            "not there."
        )
    return paths


def _add(
    block: RowBlock,
    name: str,
    table: TableMapping,
    time_unit: str,
    types: set[str] | None,
    intake: Intake,
) -> bool:
    wanted = [*table.columns.values(), *table.where]
    missing = sorted({column for column in wanted if column not in block.columns})
    if missing:
        there = ", ".join(block.columns) or "no columns"
        what = f"column {', '.join(missing)} of the mapping is missing; the file has {there}"
        intake.reject_file(block.file, what)
        return False
    block = _chosen(block, name, table, types, intake)
    columns = {c: _column(block, c, source) for c, source in table.columns.items()}
    if name == "events" and "event_id" not in columns:
        columns["event_id"] = [f"{block.file}-{row}" for row in block.rows.tolist()]
    if name == "impressions" and table.first_position:
        columns["position"] = [shifted(position) for position in _values(columns["position"])]
    intake.add(name, block.file, block.rows, columns, time_unit=time_unit)
    return True


def _column(block: RowBlock, column: str, source: str) -> Any:
    """The values of a column of the format, as the source has them."""
    if column in NUMBERS:
        return block.numbers(source)
    return block.ids(source) if column in IDS else block.columns[source]


def _chosen(
    block: RowBlock, name: str, table: TableMapping, types: set[str] | None, intake: Intake
) -> RowBlock:
    """The rows that `where` and the click types let through."""
    kept = np.ones(len(block.rows), bool)
    rules = [(f"where {column} is another", column, v) for column, v in table.where.items()]
    if name == "events" and types is not None and "event_type" in table.columns:
        clicks = Wanted(tuple(sorted(types)))
        rules.append(("of types that are no clicks", table.columns["event_type"], clicks))
    for why, column, values in rules:
        mine = values.choose(block.columns[column])
        intake.leave_out(name, why, int((kept & ~mine).sum()))
        kept &= mine
    return filtered(block, kept)


def shifted(position: Any) -> Any:
    """A position counted from 1 as one counted from 0; anything else as it came.

    Example:
        >>> shifted("3"), shifted(1), shifted("x")
        (2, 0, 'x')
    """
    if isinstance(position, str) and position.strip().removesuffix(".0").isdecimal():
        position = int(position.strip().removesuffix(".0"))
    if isinstance(position, int | float) and not isinstance(position, bool):
        return position - 1
    return position


def _values(column: Any) -> list[Any]:
    return list(column.to_pylist() if isinstance(column, pa.Array) else column)


IMPORTER = Importer(
    read=read,
    click_types=None,
    source="tables of one's own",
    how_made="RowBlock were taken as the mapping says.",
)
