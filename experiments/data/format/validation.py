"""Checks of the data set's tables, vectorised: every fault of every column at once.

The loader runs them over whole files, the importers over the rows they have made.
"""

import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.data.format.faults import Faults, Got
from experiments.data.format.ids import encode, to_numpy
from experiments.data.format.schema import MAX_ID_LENGTH, TABLES, Column

DAY = 86_400
LOOKS_LIKE_MILLISECONDS = 10**11
"""Epoch seconds reach this in the year 5138; epoch milliseconds passed it in 1973."""

CONTROL_CHARACTERS = r"[\x00-\x1f\x7f]"

_IS_KIND: dict[str, Callable[[pa.DataType], bool]] = {
    "id": lambda kind: _is_text(kind),
    "text": lambda kind: _is_text(kind),
    "time": pa.types.is_integer,
    "flag": pa.types.is_boolean,
    "number": lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    "share": lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    "position": pa.types.is_integer,
    "vector": lambda kind: _is_list(kind) and pa.types.is_floating(kind.value_type),
}


def check_columns(table: str, file: str, schema: pa.Schema, faults: Faults) -> bool:
    """Check that the columns are there and have their types.

    Returns:
        Whether the table can be checked further.
    """
    n_before = len(faults.found)
    for column in TABLES[table]:
        if column.name not in schema.names:
            if column.required:
                faults.add_file(
                    file,
                    f"column {column.name} is missing; it must be {column.must}. "
                    f"The file has {', '.join(schema.names) or 'no columns'}",
                )
            continue
        kind = schema.field(column.name).type
        empty = pa.types.is_null(kind) and column.nullable
        if not _IS_KIND[column.kind](kind) and not empty:
            faults.add_file(file, f"column {column.name} must be {column.must}, got {kind}")
    return len(faults.found) == n_before


def check_values(table: str, file: str, data: pa.Table, faults: Faults) -> None:
    """Check each column by itself: empty cells, ids, times, positions, numbers, shares."""
    if not data.num_rows:
        faults.add_file(file, "must have at least one row, got none" + _remedy(table))
        return
    for column in TABLES[table]:
        if column.name not in data.column_names:
            continue
        values = data[column.name]
        if not column.nullable and values.null_count:
            faults.add_rows(
                file,
                f"column {column.name} must not be empty",
                to_numpy(pc.is_null(values)),
                lambda _: Got("null"),
            )
        _VALUE_CHECKS.get(column.kind, _no_check)(column, file, values, faults)


def _remedy(table: str) -> str:
    return "; without clicks there is nothing to learn from" if table == "events" else ""


def _no_check(column: Column, file: str, values: pa.ChunkedArray, faults: Faults) -> None:
    """Text and flags can hold anything of their type."""


def _check_ids(column: Column, file: str, values: pa.ChunkedArray, faults: Faults) -> None:
    if pa.types.is_null(values.type):
        return
    dictionary, codes = encode(values)
    rules = (
        ("must not be an empty string", pc.equal(dictionary, "")),
        (
            f"must have at most {MAX_ID_LENGTH:,} characters",
            pc.greater(pc.utf8_length(dictionary), MAX_ID_LENGTH),
        ),
        (
            "must not contain a line break or another control character",
            pc.match_substring_regex(dictionary, CONTROL_CHARACTERS),
        ),
    )
    for must, bad in rules:
        if pc.any(bad).as_py():
            flags = np.append(to_numpy(bad), False)
            faults.add_rows(
                file, f"column {column.name} {must}", flags[codes], lambda row: values[row].as_py()
            )


def _check_times(column: Column, file: str, values: pa.ChunkedArray, faults: Faults) -> None:
    times = to_numpy(pc.fill_null(pc.cast(values, pa.int64(), safe=False), 0))
    latest = int(time.time()) + DAY
    name = f"column {column.name} must be UTC epoch seconds"
    milliseconds = times >= LOOKS_LIKE_MILLISECONDS

    def got(row: int) -> int:
        return int(times[row])

    faults.add_rows(file, f"{name}, not milliseconds (divide by 1,000)", milliseconds, got)
    faults.add_rows(file, f"{name}, not in the future", (times > latest) & ~milliseconds, got)
    faults.add_rows(file, f"{name}, >= 0", times < 0, got)


def _check_positions(column: Column, file: str, values: pa.ChunkedArray, faults: Faults) -> None:
    positions = to_numpy(pc.fill_null(values, 0)).astype(np.int64)
    out = (positions < 0) | (positions > np.iinfo(np.int32).max)
    faults.add_rows(
        file, f"column {column.name} must be >= 0 (0-based)", out, lambda row: int(positions[row])
    )


def _check_numbers(column: Column, file: str, values: pa.ChunkedArray, faults: Faults) -> None:
    if pa.types.is_null(values.type):
        return
    numbers = to_numpy(pc.fill_null(pc.cast(values, pa.float64(), safe=False), 1.0))
    is_share = column.kind == "share"
    with np.errstate(invalid="ignore"):
        good = (numbers > 0) & (numbers <= 1) if is_share else (numbers >= 0) & (numbers < np.inf)
    must = "in (0, 1], or null" if is_share else ">= 0 and finite, or null"
    faults.add_rows(
        file, f"column {column.name} must be {must}", ~good, lambda row: float(numbers[row])
    )


_VALUE_CHECKS: dict[str, Callable[[Column, str, pa.ChunkedArray, Faults], None]] = {
    "id": _check_ids,
    "time": _check_times,
    "position": _check_positions,
    "number": _check_numbers,
    "share": _check_numbers,
}


def check_vectors(
    file: str, data: pa.Table, dimensions: int, *, cosine: bool, faults: Faults
) -> NDArray[np.float32] | None:
    """Check the vectors of items or queries: their length, NaN, infinity, zero under cosine.

    Args:
        file: Where they come from.
        data: With the column ``vector`` and, first, the column of ids.
        dimensions: Numbers that each vector must have.
        cosine: Whether vectors are compared by cosine, under which a zero vector has no direction.
        faults: Where to report.

    Returns:
        Shape ``(n_rows, dimensions)``, or None if some row has no such vector.
    """
    column = data["vector"]
    lengths = to_numpy(pc.fill_null(pc.list_value_length(column), -1))
    wrong = (lengths != dimensions) & (lengths >= 0)
    faults.add_rows(
        file,
        f"column vector must have {dimensions} numbers",
        wrong,
        lambda row: Got(f"{lengths[row]} numbers"),
    )
    rows = np.flatnonzero(lengths == dimensions)
    whole = len(rows) == len(lengths)
    matrix = _matrix(column if whole else column.take(pa.array(rows)), dimensions)
    _check_matrix(file, matrix, rows, data[0], cosine, faults)
    return matrix if whole else None


def _matrix(column: pa.ChunkedArray, dimensions: int) -> NDArray[np.float32]:
    matrix = np.empty((len(column), dimensions), np.float32)
    start = 0
    for chunk in column.chunks:
        values = chunk.flatten().to_numpy(zero_copy_only=False)
        matrix[start : start + len(chunk)] = values.reshape(len(chunk), dimensions)
        start += len(chunk)
    return matrix


def _check_matrix(
    file: str,
    matrix: NDArray[np.float32],
    rows: NDArray[np.int64],
    ids: pa.ChunkedArray,
    cosine: bool,
    faults: Faults,
) -> None:
    # A row's largest magnitude is NaN, infinite or zero exactly when the row is at fault.
    largest = np.abs(matrix).max(axis=1) if matrix.size else np.zeros(0, np.float32)
    finite = np.isfinite(largest)

    def got(word: str) -> Callable[[int], object]:
        return lambda row: Got(f"{word} ({ids[row].as_py()!r:.60})")

    faults.add_rows(
        file, "column vector must be finite", rows[~finite], got("NaN, null or infinity")
    )
    if cosine:
        faults.add_rows(
            file,
            "column vector must not be zero under cosine",
            rows[largest == 0],
            got("a zero vector"),
        )


def check_unique(file: str, column: str, values: pa.ChunkedArray, faults: Faults) -> None:
    """Check that an id stands once; the later rows of each are at fault."""
    dictionary, codes = encode(values)
    known = codes[codes < len(dictionary)]
    if len(known) == len(dictionary):
        return
    order = np.argsort(codes, kind="stable")
    same = (np.diff(codes[order]) == 0) & (codes[order][1:] < len(dictionary))
    again = order[1:][same]
    faults.add_rows(
        file, f"column {column} must stand once", again, lambda row: values[row].as_py()
    )


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list or pa.types.is_fixed_size_list(kind))
