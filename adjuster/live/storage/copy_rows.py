"""Copies as rows of their table, a row a part, and back."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter

import numpy as np

from adjuster.live.storage.records import Copy, Rows
from adjuster.live.storage.sql_connection import Row
from adjuster.live.storage.store import Pair
from adjuster.live.storage.vector_bytes import from_bytes, to_bytes, type_name


def to_rows(generation: int, copies: Sequence[Copy]) -> list[Row]:
    """Rows of (generation, owner, object, part, type, bytes), in the order of the table's key.

    In order, a batch's rows fall on pages side by side.

    Raises:
        ValueError: If vectors are neither float32 nor float64.
    """
    alike: dict[tuple[np.dtype[np.floating], int], list[Copy]] = {}
    for mine in sorted(copies, key=itemgetter(0, 1)):
        alike.setdefault((mine.vectors.dtype, mine.vectors.shape[1]), []).append(mine)
    return [row for group in alike.values() for row in _rows_alike(generation, group)]


def _rows_alike(generation: int, copies: Sequence[Copy]) -> Iterator[Row]:
    """Rows of copies of one type and length, made in one go: a batch has a hundred thousand."""
    vectors = [mine.vectors for mine in copies]
    n_parts = np.array([len(rows) for rows in vectors])
    block = np.concatenate(vectors)
    data, size = to_bytes(block), block[0].nbytes
    names = [mine[:2] for mine in copies]
    if len(block) > len(copies):
        names = [name for name, n in zip(names, n_parts, strict=True) for _ in range(n)]
    owners, objects = zip(*names, strict=True)
    parts = np.arange(len(block)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    blobs = [data[start : start + size] for start in range(0, len(data), size)]
    return zip(
        repeat(generation),
        owners,
        objects,
        parts.tolist(),
        repeat(type_name(block)),
        blobs,
        strict=False,
    )


def from_rows(rows: Iterable[Row]) -> dict[Pair, Rows]:
    """Vectors by pair.

    Args:
        rows: Rows of (owner, object, part, type, bytes), in any order.
    """
    found: dict[Pair, list[Row]] = {}
    for row in rows:
        found.setdefault(row[:2], []).append(row)
    vectors = {}
    for pair, parts in found.items():
        if len(parts) > 1:
            parts.sort(key=itemgetter(2))
        data = b"".join([part[4] for part in parts])
        vectors[pair] = from_bytes(data, parts[0][3], len(parts))
    return vectors
