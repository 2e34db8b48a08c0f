"""Reading JSON lines in bounded memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from experiments.data.readers.row_blocks import (
    BYTE_ORDER_MARK,
    UNREADABLE,
    Complaints,
    RecordBlock,
    open_file,
    reason_of,
)

BLOCK_ROWS = 16_384
MAX_LINE_BYTES = 64 << 20


def read_json_lines(path: Path, table: str, complaints: Complaints) -> Iterator[RecordBlock]:
    """Read a file of one JSON object a line; empty lines are passed over.

    Args:
        path: The file, UTF-8 with or without a byte order mark, plain, .gz, .bz2 or .xz.
        table: What its lines are counted as when they cannot be read.
        complaints: Where to report bad lines, and a file that cannot be read to its end.
    """
    try:
        with open_file(path) as file:
            yield from _json_blocks(file, path.name, table, complaints)
    except UNREADABLE as error:
        complaints.reject_file(path.name, f"cannot be read to its end: {reason_of(error)}")


def _json_blocks(
    file: BinaryIO, name: str, table: str, complaints: Complaints
) -> Iterator[RecordBlock]:
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
            yield RecordBlock(name, np.array(rows, np.int64), records)
            rows, records = [], []
    if rows:
        yield RecordBlock(name, np.array(rows, np.int64), records)


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
