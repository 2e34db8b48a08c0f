"""Reading a log's table, whatever its format, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from experiments.config.data import CsvConfig
from experiments.data.readers.csv_file import CsvForm, read_csv
from experiments.data.readers.json_lines import read_json_lines
from experiments.data.readers.row_blocks import (
    OPENERS,
    UNREADABLE,
    Complaints,
    RecordColumns,
    RowBlock,
    reason_of,
)

BLOCK_ROWS = 16_384


def read_parquet(path: Path, complaints: Complaints) -> Iterator[RowBlock]:
    """Read a Parquet file, a few row groups' worth at a time."""
    try:
        file = pq.ParquetFile(path)
        done = 0
        for batch in file.iter_batches(BLOCK_ROWS):
            batch.validate(full=True)  # Texts that are no UTF-8, offsets that lead nowhere.
            rows = np.arange(done + 1, done + 1 + batch.num_rows)
            done += batch.num_rows
            names = batch.schema.names
            yield RowBlock(path.name, rows, dict(zip(names, batch.columns, strict=True)))
    except UNREADABLE as error:
        complaints.reject_file(path.name, f"cannot be read to its end: {reason_of(error)}")


def read_table(
    path: Path, table: str, complaints: Complaints, csv: CsvConfig | None = None
) -> Iterator[RowBlock]:
    """Read a CSV, TSV, JSON-lines or Parquet file by its suffix, column by column.

    Args:
        path: The file.
        table: What its rows are counted as when they cannot be read.
        complaints: Where to report what cannot be read.
        csv: How delimited files are written; None finds it out.
    """
    kind = format_of(path)
    if kind == "parquet":
        yield from read_parquet(path, complaints)
    elif kind == "json":
        for block in read_json_lines(path, table, complaints):
            yield RowBlock(block.file, block.rows, RecordColumns(block.records))
    else:
        asked = csv or CsvConfig()
        delimiter = asked.delimiter or ("\t" if kind == "tsv" else None)
        comma = None if asked.decimal is None else asked.decimal == ","
        yield from read_csv(path, table, complaints, CsvForm(delimiter, decimal_comma=comma))


def format_of(path: Path) -> str:
    """``parquet``, ``json``, ``tsv`` or ``csv``, by a file's suffix.

    Example:
        >>> format_of(Path("log.jsonl.gz"))
        'json'
    """
    suffix = path.with_suffix("").suffix if path.suffix in OPENERS else path.suffix
    if suffix in (".parquet", ".pq"):
        return "parquet"
    if suffix in (".json", ".jsonl", ".ndjson"):
        return "json"
    return "tsv" if suffix in (".tsv", ".tab") else "csv"
