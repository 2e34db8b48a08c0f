"""Reading logs in bounded memory: JSON lines, CSV and Parquet, plain or compressed."""

import bz2
import gzip
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

BLOCK_ROWS = 16_384
CSV_BLOCK_BYTES = 16 << 20
MAX_LINE_BYTES = 64 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
"""Suffix of a compressed file → what opens it; anything else is read as it is."""

UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)


class Complaints(Protocol):
    """Where a reader reports what it cannot read."""

    def reject(self, table: str, file: str, row: int, what: str, content: str) -> None:
        """One row is no row."""
        ...

    def fatal(self, file: str, what: str) -> None:
        """A file cannot be read to its end."""
        ...


@dataclass(frozen=True)
class Records:
    """Some lines of a JSON-lines file.

    Args:
        file: Its name.
        rows: Shape ``(n,)``: line of each record, from 1.
        records: The objects.
    """

    file: str
    rows: NDArray[np.int64]
    records: list[dict[str, Any]]

    def lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each record with its line."""
        return zip(self.rows.tolist(), self.records, strict=True)


class RecordColumns(Mapping[str, list[Any]]):
    """Records by their fields: a column is made when it is asked for, None where missing."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records = records
        self._names = dict.fromkeys(name for record in records for name in record)

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self._names:
            raise KeyError(name)
        return [record.get(name) for record in self._records]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def filtered(self, kept: NDArray[np.bool_]) -> "RecordColumns":
        """The records that are kept."""
        chosen = [r for r, keep in zip(self._records, kept, strict=True) if keep]
        return RecordColumns(chosen)


@dataclass(frozen=True)
class Columns:
    """Some rows of a CSV or Parquet file.

    Args:
        file: Its name.
        rows: Shape ``(n,)``: number of each row, from 1; a CSV file's header is row 1.
        columns: Column name → values: Arrow arrays, or lists where they come from JSON.
    """

    file: str
    rows: NDArray[np.int64]
    columns: Mapping[str, Any]


def read_json_lines(path: Path, table: str, complaints: Complaints) -> Iterator[Records]:
    """Read a file of one JSON object a line; empty lines are passed over.

    Args:
        path: The file, UTF-8 with or without a byte order mark, plain, .gz, .bz2 or .xz.
        table: What its lines are counted as when they cannot be read.
        complaints: Where to report bad lines, and a file that cannot be read to its end.
    """
    try:
        with _open(path) as file:
            yield from _json_blocks(file, path.name, table, complaints)
    except UNREADABLE as error:
        complaints.fatal(path.name, f"cannot be read to its end: {_reason(error)}")


def _json_blocks(
    file: BinaryIO, name: str, table: str, complaints: Complaints
) -> Iterator[Records]:
    rows: list[int] = []
    records: list[dict[str, Any]] = []
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if not line.strip():
            continue
        try:
            records.append(parse_object(line))
            rows.append(number)
        except ValueError as error:
            complaints.reject(table, name, number, str(error), line[:1000].decode(errors="replace"))
        if len(rows) == BLOCK_ROWS:
            yield Records(name, np.array(rows, np.int64), records)
            rows, records = [], []
    if rows:
        yield Records(name, np.array(rows, np.int64), records)


def parse_object(line: bytes) -> dict[str, Any]:
    """One line as a JSON object.

    Raises:
        ValueError: If it is not UTF-8, not JSON, or not an object.

    Example:
        >>> parse_object(b'{"a": 1}')
        {'a': 1}
    """
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("a line must be UTF-8 text") from None
    except (ValueError, RecursionError):
        raise ValueError("a line must be one whole JSON object") from None
    if not isinstance(value, dict):
        raise ValueError("a line must be one whole JSON object")
    return value


def read_csv(
    path: Path,
    table: str,
    complaints: Complaints,
    *,
    delimiter: str = ",",
    columns: list[str] | None = None,
    quoted: bool = True,
) -> Iterator[Columns]:
    """Read a delimited file; every value comes as text, an empty one as null.

    Args:
        path: The file, UTF-8 with or without a byte order mark; compressed ones are recognised.
        table: What its rows are counted as when they cannot be read.
        complaints: Where to report bad rows, and a file that cannot be read to its end.
        delimiter: Between values.
        columns: Names of the columns, for a file without a header.
        quoted: Whether values may stand in double quotes.
    """
    skipped: list[int] = []

    def skip(row: pcsv.InvalidRow) -> str:
        what = f"a row must have {row.expected_columns} values, got {row.actual_columns}"
        content = row.text[:1000].encode("latin-1").decode(errors="replace")
        complaints.reject(table, path.name, row.number, what, content)
        skipped.append(row.number)
        return "skip"

    # Read as Latin-1 every byte is a character, so that one bad row cannot stop the file.
    reading = pcsv.ReadOptions(
        use_threads=False,
        block_size=CSV_BLOCK_BYTES,
        column_names=columns or None,
        encoding="latin-1",
    )
    try:
        quiet = _parsing(delimiter, quoted, lambda _: "skip")
        with _open_csv(path) as stream:
            names = pcsv.open_csv(stream, reading, quiet).schema.names
        if not _check_names(path.name, names, complaints):
            return
        converting = pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        parsing = _parsing(delimiter, quoted, skip)
        done = 1 if columns is None else 0
        with _open_csv(path) as stream:
            for batch in pcsv.open_csv(stream, reading, parsing, converting):
                rows = _numbers(done, batch.num_rows, skipped)
                done = int(rows[-1]) if len(rows) else done
                yield _decoded(path.name, table, rows, batch, complaints)
    except UNREADABLE as error:
        complaints.fatal(path.name, f"cannot be read to its end: {_reason(error)}")


def _parsing(
    delimiter: str, quoted: bool, on_invalid: Callable[[pcsv.InvalidRow], str]
) -> pcsv.ParseOptions:
    return pcsv.ParseOptions(
        delimiter=delimiter,
        quote_char='"' if quoted else False,
        newlines_in_values=quoted,
        invalid_row_handler=on_invalid,
    )


def _check_names(file: str, names: list[str], complaints: Complaints) -> bool:
    if any(_utf8(name) is None for name in names):
        complaints.fatal(file, "the names of the columns must be UTF-8 text")
        return False
    repeated = sorted({str(_utf8(name)) for name in names if names.count(name) > 1})
    if repeated:
        complaints.fatal(file, f"column {', '.join(repeated)} must stand once")
    return not repeated


def _numbers(done: int, n_rows: int, skipped: list[int]) -> NDArray[np.int64]:
    """Numbers of the next rows, those that were skipped left out."""
    ahead = [number for number in skipped if number > done]
    candidates = np.arange(done + 1, done + 1 + n_rows + len(ahead))
    return np.setdiff1d(candidates, np.array(ahead, np.int64))[:n_rows]


def _decoded(
    file: str, table: str, rows: NDArray[np.int64], batch: pa.RecordBatch, complaints: Complaints
) -> Columns:
    """Latin-1 as the UTF-8 it is; rows that are none are reported and left out."""
    columns, broken = {}, np.zeros(len(rows), bool)
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        if not pc.all(pc.string_is_ascii(values)).as_py():
            texts = [_utf8(value) for value in values.to_pylist()]
            broken |= np.array([text is None for text in texts])
            values = pa.array(texts, pa.string())
        columns[str(_utf8(name))] = pc.if_else(pc.equal(values, ""), None, values)
    for place in np.flatnonzero(broken):
        complaints.reject(table, file, int(rows[place]), "a row must be UTF-8 text", "")
    return filtered(Columns(file, rows, columns), ~broken)


def _utf8(text: str) -> str | None:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def filtered(block: Columns, kept: NDArray[np.bool_]) -> Columns:
    """The rows of a block that are kept."""
    if kept.all():
        return block
    columns: Mapping[str, Any]
    if isinstance(block.columns, RecordColumns):
        columns = block.columns.filtered(kept)
    else:
        chosen = pa.array(np.flatnonzero(kept))
        columns = {name: values.take(chosen) for name, values in block.columns.items()}
    return Columns(block.file, block.rows[kept], columns)


def read_parquet(path: Path, complaints: Complaints) -> Iterator[Columns]:
    """Read a Parquet file, a few row groups' worth at a time."""
    try:
        file = pq.ParquetFile(path)
        done = 0
        for batch in file.iter_batches(BLOCK_ROWS):
            rows = np.arange(done + 1, done + 1 + batch.num_rows)
            done += batch.num_rows
            names = batch.schema.names
            yield Columns(path.name, rows, dict(zip(names, batch.columns, strict=True)))
    except UNREADABLE as error:
        complaints.fatal(path.name, f"cannot be read to its end: {_reason(error)}")


def read_table(path: Path, table: str, complaints: Complaints) -> Iterator[Columns]:
    """Read a CSV, TSV, JSON-lines or Parquet file by its suffix, column by column."""
    kind = format_of(path)
    if kind == "parquet":
        yield from read_parquet(path, complaints)
    elif kind == "json":
        for block in read_json_lines(path, table, complaints):
            yield Columns(block.file, block.rows, RecordColumns(block.records))
    else:
        delimiter = "\t" if kind == "tsv" else ","
        yield from read_csv(path, table, complaints, delimiter=delimiter)


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


def _open(path: Path) -> BinaryIO:
    opener = OPENERS.get(path.suffix)
    return cast(BinaryIO, opener(path) if opener else path.open("rb"))


def _open_csv(path: Path) -> Any:
    """The file behind its byte order mark, if it has one."""
    file = _open(path)
    try:
        if file.peek(3)[:3] == BYTE_ORDER_MARK:  # type: ignore[attr-defined]
            file.read(3)
    except BaseException:
        file.close()
        raise
    return pa.PythonFile(file, mode="r")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
