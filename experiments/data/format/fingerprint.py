"""The fingerprint of a click log: a hash of what it says, not of how it is stored."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.index import SearchIndexInfo
from experiments.data.format.vector_table import VectorTable

CHUNK_ROWS = 65_536


class Fingerprint:
    """A SHA-256 over named arrays, each with its type and length.

    Example:
        >>> one, two = Fingerprint(), Fingerprint()
        >>> one.add_array("a", np.array([1, 2]))
        >>> two.add_array("a", np.array([2, 1]))
        >>> one.hexdigest() == two.hexdigest()
        False
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def _head(self, name: str, kind: str, shape: Iterable[int]) -> None:
        self._hash.update(f"{name}|{kind}|{tuple(shape)}|".encode())

    def add_text(self, name: str, text: str) -> None:
        """Add a string."""
        self._head(name, "text", (len(text.encode()),))
        self._hash.update(text.encode())

    def add_array(self, name: str, array: NDArray[Any]) -> None:
        """Add numbers, little-endian; NaNs of every payload count as one."""
        self._head(name, array.dtype.str, array.shape)
        self._add_numbers(array)

    def add_pieces(self, name: str, pieces: "Pieces") -> None:
        """Add a column as the whole of it would be added, one piece in memory at a time."""
        kind = "strings" if pieces.dtype == object else pieces.dtype.str
        self._head(name, kind, (pieces.length,))
        if pieces.dtype != object:
            for array in pieces.read():
                self._add_numbers(array)
            return
        for strings in pieces.read():
            self._add_lengths(strings)
        for strings in pieces.read():
            self._add_joined(strings)

    def _add_numbers(self, array: NDArray[Any]) -> None:
        for start in range(0, len(array), CHUNK_ROWS):
            part = np.ascontiguousarray(array[start : start + CHUNK_ROWS])
            if part.dtype.kind == "f":
                # x + 0 turns -0 into 0, which are equal as numbers.
                part = np.where(np.isnan(part), np.array(np.nan, part.dtype), part + 0)
            self._hash.update(part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes())

    def add_strings(self, name: str, strings: pa.Array) -> None:
        """Add strings; a missing one differs from an empty one."""
        strings = strings.cast(pa.large_string())
        self._head(name, "strings", (len(strings),))
        self._add_lengths(strings)
        self._add_joined(strings)

    def _add_lengths(self, strings: pa.Array) -> None:
        lengths = pc.fill_null(pc.binary_length(strings), -1)
        self._hash.update(lengths.to_numpy(zero_copy_only=False).astype("<i8").tobytes())

    def _add_joined(self, strings: pa.Array) -> None:
        joined = pc.fill_null(strings, "").to_numpy(zero_copy_only=False)
        for start in range(0, len(joined), CHUNK_ROWS):
            self._hash.update("".join(joined[start : start + CHUNK_ROWS]).encode())

    def hexdigest(self) -> str:
        """The fingerprint so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()


class Pieces(NamedTuple):
    """A column that is never in memory as a whole.

    Args:
        dtype: Of its numbers; object for strings.
        length: Its rows.
        read: Gives its pieces in order, anew at each call: arrays, or Arrow strings.
    """

    dtype: np.dtype[Any]
    length: int
    read: Callable[[], Iterator[Any]]


def row_hashes(matrix: NDArray[np.float32]) -> NDArray[np.uint64]:
    """A 64-bit number for each row, to put a vector's parts into an order of their own.

    Args:
        matrix: Shape ``(n_rows, D)``.

    Returns:
        Shape ``(n_rows,)``; equal rows have equal numbers.
    """
    weights = np.random.default_rng(0).integers(1, 2**63, matrix.shape[1], dtype=np.uint64) | 1
    hashes = np.empty(len(matrix), np.uint64)
    for start in range(0, len(matrix), CHUNK_ROWS):
        part = np.ascontiguousarray(matrix[start : start + CHUNK_ROWS] + np.float32(0))
        hashes[start : start + len(part)] = part.view(np.uint32).astype(np.uint64) @ weights
    return hashes


def fingerprint_of(
    index: SearchIndexInfo,
    items: VectorTable,
    queries: VectorTable,
    arrays: Mapping[str, "NDArray[Any] | Pieces"],
    events: "pa.Table | Mapping[str, Pieces]",
) -> str:
    """The fingerprint of a click log's content, its name and notes left out.

    Args:
        index: Dimensions, metric and pooling.
        items: The objects.
        queries: The queries.
        arrays: The arrays of the `ClickLog`, in its canonical order.
        events: The events' ``id`` and ``type``, in the same order.
    """
    mark = Fingerprint()
    kinds = (index.metric_type.value, index.metric_aggregation_type.value)
    mark.add_text("index", f"{index.dimensions} {' '.join(kinds)}")
    _add_parts(mark, "object", items)
    _add_parts(mark, "query", queries)
    for name in ("id", "type"):
        strings = events[name]
        if isinstance(strings, Pieces):
            mark.add_pieces(f"event_{name}", strings)
        else:
            mark.add_strings(f"event_{name}", strings.combine_chunks())
    for name in sorted(arrays):
        column = arrays[name]
        if isinstance(column, Pieces):
            mark.add_pieces(name, column)
        elif column.dtype == object:
            mark.add_strings(name, pa.array(column, pa.large_string()))
        elif not name.endswith(("_vectors", "_is_average")):
            mark.add_array(name, column)
    return mark.hexdigest()


def _add_parts(mark: Fingerprint, name: str, table: VectorTable) -> None:
    """Add vectors in an order that the order of rows cannot change: pooling knows none."""
    owner = np.repeat(np.arange(len(table.ids)), np.diff(table.offsets))
    order = np.lexsort((table.is_average, row_hashes(table.vectors), owner))
    mark.add_array(f"{name}_vectors", table.vectors[order])
    mark.add_array(f"{name}_is_average", table.is_average[order])
