"""Reading delimited files in bounded memory."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from numpy.typing import NDArray

from experiments.config.data import DELIMITERS
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
SAMPLE_BYTES = 65_536
SAMPLE_LINES = 20
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class CsvForm:
    """How a delimited file is written.

    Args:
        delimiter: Between values; None is found out from the first lines.
        columns: Names of the columns, for a file without a header.
        quoted: Whether values may stand in double quotes.
        decimal_comma: Whether numbers may be written with a comma for a point; None is where
            the delimiter is ``;``.
    """

    delimiter: str | None = None
    columns: list[str] | None = None
    quoted: bool = True
    decimal_comma: bool | None = None

    def resolved(self, path: Path) -> "CsvForm":
        """The form with what the file itself must tell."""
        delimiter = self.delimiter or delimiter_of(path)
        comma = delimiter == ";" if self.decimal_comma is None else self.decimal_comma
        return replace(self, delimiter=delimiter, decimal_comma=comma)

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


def read_csv(
    path: Path,
    table: str,
    complaints: Complaints,
    form: CsvForm | None = None,
) -> Iterator[RowBlock]:
    """Read a delimited file; every value comes as text, an empty one as null.

    Args:
        path: The file, UTF-8 with or without a byte order mark; compressed ones are recognised.
        table: What its rows are counted as when they cannot be read.
        complaints: Where to report bad rows, and a file that cannot be read to its end.
        form: How it is written; None is found out from its first lines.
    """
    try:
        form = (form or CsvForm()).resolved(path)
        names = _names(path, form)
        if _check_names(path.name, names, complaints):
            yield from _blocks(path, table, form, names, complaints)
    except UNREADABLE as error:
        complaints.reject_file(path.name, f"cannot be read to its end: {reason_of(error)}")


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


def delimiter_of(path: Path) -> str:
    """What stands between the values of a file with a header, by its first lines.

    It must stand in the header; of several such the one counts that stands equally often in most
    of the lines that follow, then the one that stands more often.
    """
    with open_file(path) as file:
        head = file.read(SAMPLE_BYTES).removeprefix(BYTE_ORDER_MARK)
    complete = head if len(head) < SAMPLE_BYTES else head[: head.rfind(b"\n") + 1] or head
    lines = [_QUOTED.sub("", line) for line in complete.decode("latin-1").splitlines()]
    likeliest = DELIMITERS[0]
    best = (0, 0)
    for delimiter in DELIMITERS:
        counts = [line.count(delimiter) for line in lines[:SAMPLE_LINES] if line.strip()]
        score = (sum(count == counts[0] for count in counts), counts[0]) if counts else (0, 0)
        if score[1] and score > best:
            likeliest, best = delimiter, score
    return likeliest


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
            block = _decoded(path.name, table, rows, batch, complaints)
            yield replace(block, decimal_comma=bool(form.decimal_comma), is_text=True)


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
