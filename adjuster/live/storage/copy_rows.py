"""Copies as rows of their table, and back."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, repeat

import numpy as np

from adjuster.live.storage.copies import Copies
from adjuster.live.storage.sql_connection import Row
from adjuster.live.storage.vector_bytes import from_bytes, to_bytes, type_name
from adjuster.ragged import offsets_of


def to_rows(generation: int, copies: Copies) -> Iterator[Row]:
    """Rows of (generation, owner, object, parts, type, bytes).

    Raises:
        ValueError: If vectors are neither float32 nor float64.
    """
    name = type_name(copies.vectors)
    data = to_bytes(copies.vectors)
    width = copies.vectors.shape[1] * copies.vectors.itemsize
    ends = (copies.offsets * width).tolist()
    return zip(
        repeat(generation),
        copies.owners,
        copies.object_ids,
        np.diff(copies.offsets).tolist(),
        repeat(name),
        [data[first:last] for first, last in pairwise(ends)],
        strict=False,
    )


def from_rows(rows: Sequence[Row]) -> Copies:
    """Copies of rows of (owner, object, parts, type, bytes).

    Raises:
        ValueError: If their dimensions differ.
    """
    if not rows:
        return Copies.of([])
    owners, object_ids, n_parts, types, blobs = zip(*rows, strict=True)
    widths = {len(blob) // n for n, blob in zip(n_parts, blobs, strict=True)}
    if len(widths) == len(set(types)) == 1:
        vectors = from_bytes(b"".join(blobs), types[0], sum(n_parts))
    else:
        each = zip(blobs, types, n_parts, strict=True)
        vectors = np.concatenate([from_bytes(*one) for one in each])
    return Copies(owners, object_ids, vectors, offsets_of(n_parts))
