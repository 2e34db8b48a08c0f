"""From a data set's folder to a log in partitions, in bounded memory."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.common.errors import InputError
from experiments.data.format.assembly import default_scope
from experiments.data.format.faults import Faults
from experiments.data.format.folder import check_free, group_vectors, read_table
from experiments.data.format.metadata import Metadata, read_metadata
from experiments.data.format.relations import check_relations
from experiments.data.format.schema import METADATA_FILE, TABLES, file_of
from experiments.data.format.validation import check_columns, check_values
from experiments.data.format.vector_table import VectorTable
from experiments.data.format.whole_folder import new_folder
from experiments.data.intake.staging import STAGED, Staging, staged_schema
from experiments.data.partitions.log_writer import Cut, Partitioned, write_log
from experiments.data.partitions.sorting import SessionSorter

BUCKET_ROWS = 4_000_000
"""Impressions that are checked and sorted together."""

READ_ROWS = 200_000

Progress = Callable[[int], object]


def partition_log(
    source: str | Path,
    output: str | Path,
    n_parts: int,
    *,
    by: str | None = None,
    overwrite: bool = False,
    progress: Progress = lambda _: None,
) -> Partitioned:
    """Cut a data set into partitions.

    Memory is bounded but for the vectors, and some 100 bytes a session.

    Args:
        source: The data set's folder.
        output: Where to write.
        n_parts: How many partitions, >= 1.
        by: ``user`` or ``object``; None is by user where these own vectors by default.
        overwrite: Replace a data set that is there.
        progress: Told how many rows were read, each time.

    Raises:
        InputError: Listing the faults of the data set, or if `output` is not free.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise InputError(f"dataset.path must be a data set's folder, got {str(source)!r}.")
    check_free(output, overwrite=overwrite)
    faults = Faults()
    metadata = read_metadata(folder, faults)
    read = {name: read_table(folder / file_of(name), name, faults) for name in VECTORS}
    groups = {
        name: group_vectors(name, data, metadata, faults)
        for name, data in read.items()
        if data is not None
    }
    _refuse(faults, source)
    assert metadata is not None
    with new_folder(output) as target:
        work = target / ".work"
        work.mkdir()
        sorter = SessionSorter(work)
        _sort(folder, work, groups, metadata, sorter, progress)
        made = _write(target, sorter, groups, metadata, n_parts, by)
        shutil.rmtree(work)
        for name in (METADATA_FILE, *(file_of(table) for table in VECTORS)):
            shutil.copyfile(folder / name, target / name)
    return made


VECTORS = ("items", "queries")


def _refuse(faults: Faults, source: str | Path) -> None:
    faults.raise_if_any(
        f"The data set {str(source)!r} cannot be used (rows are counted within a part of it):"
    )


def _sort(
    folder: Path,
    work: Path,
    groups: dict[str, VectorTable],
    metadata: Metadata,
    sorter: SessionSorter,
    progress: Progress,
) -> None:
    """Check the sessions bucket by bucket and hand them to the sorter."""
    faults = Faults()
    present = {table: _columns(folder, table, faults) for table in STAGED}
    _refuse(faults, folder)
    n_shown = pq.ParquetFile(folder / file_of("impressions")).metadata.num_rows
    staging = Staging(work, max(1, -(-n_shown // BUCKET_ROWS)))
    for table in STAGED:
        for rows in _iter_rows(folder, table, present[table], faults):
            staging.add(table, rows)
            progress(rows.num_rows)
    staging.finish()
    repeated = len(staging.repeated_event_ids())
    if repeated:
        faults.add_file(file_of("events"), f"event_id must be unique, {repeated} are not")
    _refuse(faults, folder)
    for tables in staging.iter_parts():
        mine = {name: rows.select(present[name]) for name, rows in tables.items()}
        codes = check_relations(
            mine,
            groups["items"].ids,
            groups["queries"].ids,
            faults,
            complete_lists=metadata.complete_lists,
        )
        if not faults.found:
            sorter.add(mine, codes)
    _refuse(faults, folder)


def _columns(folder: Path, table: str, faults: Faults) -> list[str]:
    """The columns that a file has, of those that the format knows."""
    path = folder / file_of(table)
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        faults.add_file(path.name, "the file is missing")
        return []
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        faults.add_file(path.name, f"cannot be read as a whole Parquet file: {reason}")
        return []
    check_columns(table, path.name, file.schema_arrow, faults)
    if not file.metadata.num_rows:
        faults.add_file(path.name, "must have at least one row, got none")
    names = file.schema_arrow.names
    known = [column.name for column in TABLES[table] if column.name in names]
    return [n for n in known if not pa.types.is_null(file.schema_arrow.field(n).type)]


def _iter_rows(folder: Path, table: str, columns: list[str], faults: Faults) -> Iterator[pa.Table]:
    """The rows of a file as they are staged, each column checked by itself."""
    schema, start = staged_schema(table), 0
    file = pq.ParquetFile(folder / file_of(table))
    for batch in file.iter_batches(READ_ROWS, columns=columns):
        rows = pa.Table.from_batches([batch])
        n_faults = len(faults.found)
        check_values(table, f"{file_of(table)} from row {start:,} on", rows, faults)
        start += rows.num_rows
        if len(faults.found) > n_faults:
            continue
        own = {"_file": np.zeros(rows.num_rows, np.int32), "_row": np.arange(rows.num_rows)}
        yield pa.table(
            {
                field.name: rows[field.name].cast(field.type)
                if field.name in columns
                else own.get(field.name, pa.nulls(rows.num_rows, field.type))
                for field in schema
            },
            schema,
        )


def _write(
    target: Path,
    sorter: SessionSorter,
    groups: dict[str, VectorTable],
    metadata: Metadata,
    n_parts: int,
    by: str | None,
) -> Partitioned:
    table = sorter.sessions()
    scope = default_scope(metadata, len(table.users))
    chosen = by or ("user" if scope == "user_id" and len(table.users) else "object")
    if chosen == "user" and not len(table.users):
        raise InputError("by=user needs a user_id on the sessions, of which there is none.")
    ids = table.users if chosen == "user" else groups["items"].ids
    return write_log(
        target,
        Cut(chosen, ids, n_parts),
        sorter.iter_shards(table, n_parts),
        lambda: table,
        metadata.index,
        (groups["items"], groups["queries"]),
    )
