"""Reading delimited files in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    Complaints,
    RowBlock,
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
) -> Iterator[RowBlock]:
    """Read a delimited file; every value comes as text, an empty one as null.

    Args:
        path: The file, UTF-8 with or without a byte order mark; compressed ones are recognised.
        table: What its rows are counted as when they cannot be read.
        complaints: Where to report bad rows, and a file that cannot be read to its end.
        delimiter: Between values.
        columns: Names of the columns, for a file without a header.
        quoted: Whether values may stand in double quotes.
    """
    form = CsvForm(delimiter, columns, quoted)
    try:
        names = _names(path, form)
        if _check_names(path.name, names, complaints):
            yield from _blocks(path, table, form, names, complaints)
    except UNREADABLE as error:
        complaints.reject_file(path.name, f"cannot be read to its end: {reason_of(error)}")


@dataclass(frozen=True)
class CsvForm:
    """How a file is written: what stands between values, names of the columns, quotes."""

    delimiter: str
    columns: list[str] | None
    quoted: bool

    def reading(self) -> pcsv.ReadOptions:
        """Bytes as Latin-1: every byte is a character, so that one bad row cannot stop the file."""
        return pcsv.ReadOptions(
            use_threads=False,
            block_size=BLOCK_BYTES,
            column_names=self.columns or None,
            encoding="latin-1",
        )

    def parsing(self, on_invalid: Callable[[pcsv.InvalidRow], str]) -> pcsv.ParseOptions:
        """What separates values, and what is told of a row with too few or too many."""
        return pcsv.ParseOptions(
            delimiter=self.delimiter,
            quote_char='"' if self.quoted else False,
            newlines_in_values=self.quoted,
            invalid_row_handler=on_invalid,
        )


class _SkippedRows:
    """Reports rows with too few or too many values, and remembers their numbers."""

    def __init__(self, file: str, table: str, complaints: Complaints) -> None:
        self._file, self._table, self._complaints = file, table, complaints
        self._numbers: list[int] = []

    def __call__(self, row: pcsv.InvalidRow) -> str:
        what = f"a row must have {row.expected_columns} values, got {row.actual_columns}"
        content = row.text[:1000].encode("latin-1").decode(errors="replace")
        self._complaints.reject(self._table, self._file, row.number, what, content)
        self._numbers.append(row.number)
        return "skip"

    def next_rows(self, done: int, n_rows: int) -> NDArray[np.int64]:
        """Numbers of the rows after `done`, those that were skipped left out."""
        ahead = [number for number in self._numbers if number > done]
        candidates = np.arange(done + 1, done + 1 + n_rows + len(ahead))
        return np.setdiff1d(candidates, np.array(ahead, np.int64))[:n_rows]


def _names(path: Path, form: CsvForm) -> list[str]:
    with _open_csv(path) as stream:
        schema = pcsv.open_csv(stream, form.reading(), form.parsing(lambda _: "skip")).schema
    return list(schema.names)


def _blocks(
    path: Path, table: str, form: CsvForm, names: list[str], complaints: Complaints
) -> Iterator[RowBlock]:
    converting = pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    skipped = _SkippedRows(path.name, table, complaints)
    done = 1 if form.columns is None else 0
    with _open_csv(path) as stream:
        for batch in pcsv.open_csv(stream, form.reading(), form.parsing(skipped), converting):
            rows = skipped.next_rows(done, batch.num_rows)
            done = int(rows[-1]) if len(rows) else done
            yield _decoded(path.name, table, rows, batch, complaints)


def _check_names(file: str, names: list[str], complaints: Complaints) -> bool:
    if any(_utf8(name) is None for name in names):
        complaints.reject_file(file, "the names of the columns must be UTF-8 text")
        return False
    repeated = sorted({str(_utf8(name)) for name in names if names.count(name) > 1})
    if repeated:
        complaints.reject_file(file, f"column {', '.join(repeated)} must stand once")
    return not repeated


def _decoded(
    file: str, table: str, rows: NDArray[np.int64], batch: pa.RecordBatch, complaints: Complaints
) -> RowBlock:
    """Latin-1 as the UTF-8 it is; rows that are none are reported and left out."""
    columns, broken = {}, np.zeros(len(rows), bool)
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        if not pc.all(pc.string_is_ascii(values)).as_py():
            texts = [_utf8(value) for value in values.to_pylist()]
            broken |= np.array([text is None for text in texts])
            values = pa.array(texts, pa.string())
        columns[str(_utf8(name))] = pc.if_else(pc.equal(values, ""), None, values)
    for index in np.flatnonzero(broken):
        complaints.reject(table, file, int(rows[index]), "a row must be UTF-8 text", "")
    return filtered(RowBlock(file, rows, columns), ~broken)


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
