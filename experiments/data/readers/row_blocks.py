"""What readers yield: blocks of rows, and where they report the rows they cannot read."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.data.readers.decimal_comma import with_points

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

    def reject_file(self, file: str, what: str) -> None:
        """A file cannot be read to its end."""
        ...


class Silent:
    """Takes complaints and forgets them: a file is read once more, and they are told then."""

    def reject(self, table: str, file: str, row: int, what: str, content: str) -> None:
        """One row is no row."""

    def reject_file(self, file: str, what: str) -> None:
        """A file cannot be read to its end."""


@dataclass(frozen=True)
class RecordBlock:
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
    """RecordBlock by their fields: a column is made when it is asked for, None where missing."""

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
class RowBlock:
    """Some rows of a CSV or Parquet file.

    Args:
        file: Its name.
        rows: Shape ``(n,)``: number of each row, from 1; a CSV file's header is row 1.
        columns: Column name → values: Arrow arrays, or lists where they come from JSON.
        decimal_comma: Numbers may be written with a comma for a point.
        is_text: Values came as texts, whatever they were: those of a delimited file.
    """

    file: str
    rows: NDArray[np.int64]
    columns: Mapping[str, Any]
    decimal_comma: bool = False
    is_text: bool = False

    def ids(self, name: str) -> Any:
        """A column of ids; ``1.0``, as pandas writes 1 in a column with gaps, is 1 again."""
        values = self.columns[name]
        return (
            pc.replace_substring_regex(values, r"^(-?\d+)\.0$", r"\1") if self.is_text else values
        )

    def numbers(self, name: str) -> Any:
        """A column of numbers or vectors, with points where the file has commas."""
        values = self.columns[name]
        return with_points(values) if self.decimal_comma else values


def filtered(block: RowBlock, kept: NDArray[np.bool_]) -> RowBlock:
    """The rows of a block that are kept."""
    if kept.all():
        return block
    columns: Mapping[str, Any]
    if isinstance(block.columns, RecordColumns):
        columns = block.columns.filtered(kept)
    else:
        chosen = pa.array(np.flatnonzero(kept))
        columns = {name: values.take(chosen) for name, values in block.columns.items()}
    return replace(block, rows=block.rows[kept], columns=columns)


def open_file(path: Path) -> BinaryIO:
    """Open a file to read its bytes, unpacked."""
    opener = OPENERS.get(path.suffix)
    return cast(BinaryIO, opener(path) if opener else path.open("rb"))


def reason_of(error: Exception) -> str:
    """What a library said, on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
