"""Reading delimited files in bounded memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from numpy.typing import NDArray

from experiments.data.readers.row_blocks import (
    BYTE_ORDER_MARK,
    UNREADABLE,
    Columns,
    Complaints,
    filtered,
    open_file,
    reason_of,
)

BLOCK_BYTES = 16 << 20


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
        block_size=BLOCK_BYTES,
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
        complaints.fatal(path.name, f"cannot be read to its end: {reason_of(error)}")


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


def _open_csv(path: Path) -> Any:
    """The file behind its byte order mark, if it has one."""
    file = open_file(path)
    try:
        if file.peek(3)[:3] == BYTE_ORDER_MARK:  # type: ignore[attr-defined]
            file.read(3)
    except BaseException:
        file.close()
        raise
    return pa.PythonFile(file, mode="r")
