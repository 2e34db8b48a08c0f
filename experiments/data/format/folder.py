"""Reading and writing the folder of a data set."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adjuster.index import MetricType
from experiments.common.errors import InputError
from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.format.assembly import build_click_log
from experiments.data.format.click_log import ClickLog
from experiments.data.format.faults import Faults
from experiments.data.format.ids import encode
from experiments.data.format.metadata import Metadata, read_metadata
from experiments.data.format.relations import check_relations
from experiments.data.format.schema import METADATA_FILE, TABLES, file_of
from experiments.data.format.validation import check_columns, check_values, check_vectors
from experiments.data.format.vector_table import VectorTable, build_vector_table
from experiments.data.format.whole_folder import mend, new_folder

TEXT_COLUMNS = {"items": "title", "queries": "text"}


def load_click_log(path: str | Path) -> ClickLog:
    """Read a data set's folder and check all of it.

    Args:
        path: The folder, with five Parquet files and `dataset.yaml`.

    Raises:
        InputError: Listing every fault: its file, column, number of rows, and the first five.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(
            f"The data set must be a folder with {METADATA_FILE} and "
            f"{', '.join(file_of(table) for table in TABLES)}, got {str(path)!r}, which is "
            f"{'a file' if folder.exists() else 'not there'}. Make one with "
            "`python -m experiments.ingest`, or correct dataset.path."
        )
    faults = Faults()
    metadata = read_metadata(folder, faults)
    read = {table: read_table(folder / file_of(table), table, faults) for table in TABLES}
    tables = {name: data for name, data in read.items() if data is not None}
    groups = [
        group_vectors(name, tables[name], metadata, faults)
        for name in TEXT_COLUMNS
        if name in tables
    ]
    if len(tables) == len(TABLES) and all(data.num_rows for data in tables.values()):
        items, queries = groups
        complete = metadata is None or metadata.complete_lists
        codes = check_relations(tables, items.ids, queries.ids, faults, complete_lists=complete)
    faults.raise_if_any(f"The data set {str(path)!r} cannot be used:")
    assert metadata is not None
    return build_click_log(metadata, items, queries, tables, codes)


def read_table(path: Path, table: str, faults: Faults) -> pa.Table | None:
    """Read one Parquet file and check its columns one by one.

    Returns:
        The known columns in the format's order, or None if the file cannot be used at all.
    """
    try:
        schema = pq.read_schema(path)
        if not check_columns(table, path.name, schema, faults):
            return None
        known = [column for column in TABLES[table] if column.name in schema.names]
        ids = [column.name for column in known if column.kind == "id"]
        data = pq.ParquetFile(path, read_dictionary=ids).read([column.name for column in known])
        data.validate(full=True)  # Texts that are no UTF-8, offsets that lead nowhere.
    except FileNotFoundError:
        faults.add_file(path.name, "the file is missing")
        return None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        faults.add_file(path.name, f"cannot be read as a whole Parquet file: {reason}")
        return None
    check_values(table, path.name, data, faults)
    return data


def group_vectors(
    table: str, data: pa.Table, metadata: Metadata | None, faults: Faults
) -> VectorTable:
    """Check the vectors and texts of items or queries, and group their rows by id.

    Args:
        table: ``items`` or ``queries``.
        data: Its rows.
        metadata: What the vectors must be like; None leaves them unchecked.
        faults: Where to report.

    Returns:
        The rows grouped; its vectors are not to be used if a fault was found.
    """
    _check_texts(table, data, faults)
    vectors = np.empty((data.num_rows, 0), np.float32)
    if metadata is not None and data.num_rows:
        index = metadata.index
        cosine = index.metric_type is MetricType.COSINE
        checked = check_vectors(
            file_of(table), data, index.dimensions, cosine=cosine, faults=faults
        )
        vectors = vectors if checked is None else checked
    return build_vector_table(data, vectors, TEXT_COLUMNS[table])


def _check_texts(table: str, data: pa.Table, faults: Faults) -> None:
    """A title or text speaks of all parts of an id, so two different ones are a fault."""
    text = TEXT_COLUMNS[table]
    if text not in data.column_names or pa.types.is_null(data[text].type) or not data.num_rows:
        return
    texts, text_code = encode(data[text])
    _, code = encode(data.column(0))
    known = np.flatnonzero(text_code < len(texts))
    _, first, group = np.unique(code[known], return_index=True, return_inverse=True)
    other = known[text_code[known] != text_code[known[first]][group]]
    faults.add_rows(
        file_of(table),
        f"column {text} must be the same, or null, in every part of one {data.column_names[0]}",
        other,
        lambda row: data[text][row].as_py(),
    )


def write_click_log(path: str | Path, metadata: Metadata, tables: Mapping[str, pa.Table]) -> None:
    """Write a data set's folder, whole or not at all; a folder that is there is replaced.

    Args:
        path: The folder.
        metadata: The content of `dataset.yaml`.
        tables: ``items``, ``queries``, ``sessions``, ``impressions`` and ``events``, each with
            the columns of the format.
    """
    with new_folder(path) as folder:
        for table in TABLES:
            with table_writer(folder, table, tables[table].schema) as writer:
                writer.write_table(tables[table])
        (folder / METADATA_FILE).write_text(metadata.to_yaml(), encoding="utf-8")


def check_free(path: str | Path, *, overwrite: bool) -> None:
    """Check that a data set may be written to a path, before any work.

    Args:
        path: The folder to write.
        overwrite: Whether a data set that is there may be replaced.

    Raises:
        InputError: If anything else is there, or a data set that may not be replaced.
    """
    mend(path)
    folder = Path(path)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / METADATA_FILE).is_file():
        raise InputError(
            f"output must be a new or empty folder, or a data set, got {str(path)!r}, which holds "
            "something else. Choose another."
        )
    if not overwrite:
        raise InputError(
            f"output must be a new folder, got {str(path)!r}, which holds a data set. Choose "
            "another, or say overwrite=true to replace it."
        )


def table_writer(folder: Path, table: str, schema: pa.Schema) -> ParquetFileWriter:
    """A Parquet writer for one table, ids stored as dictionaries."""
    ids = [column.name for column in TABLES[table] if column.kind == "id"]
    return ParquetFileWriter(
        folder / file_of(table), schema, compression="zstd", use_dictionary=ids
    )


def vector_column(vectors: NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Vectors as a column.

    Args:
        vectors: Shape ``(n, D)``.
    """
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
