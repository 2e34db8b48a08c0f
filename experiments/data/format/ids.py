"""Columns of ids as numbers: their distinct values, the row of each in another, their hashes."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def encode(values: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """A text column as its distinct values and, for each row, the index of its value.

    Returns:
        The values, and codes of shape ``(n_rows,)``; an empty cell has the code ``len(values)``.
    """
    if pa.types.is_dictionary(values.type):
        encoded = values.unify_dictionaries()
    else:
        encoded = pc.dictionary_encode(values)
    if encoded.num_chunks and len(pc.unique(encoded.chunk(0).dictionary)) < len(
        encoded.chunk(0).dictionary
    ):
        encoded = pc.dictionary_encode(values.cast(pa.large_string()))
    if not encoded.num_chunks:
        return pa.array([], pa.large_string()), np.empty(0, np.int64)
    dictionary = encoded.chunk(0).dictionary.cast(pa.large_string())
    empty = len(dictionary)
    codes = np.concatenate(
        [to_numpy(pc.fill_null(pc.cast(c.indices, pa.int64()), empty)) for c in encoded.chunks]
    )
    return _used(dictionary, codes)


def _used(dictionary: pa.Array, codes: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int64]]:
    """Leave out values that no row has: a stored dictionary may hold such."""
    used = np.zeros(len(dictionary) + 1, bool)
    used[codes] = True
    if used[:-1].all():
        return dictionary, codes
    new_code = np.cumsum(used) - 1
    new_code[-1] = int(used[:-1].sum())
    return dictionary.take(pa.array(np.flatnonzero(used[:-1]))), new_code[codes]


def find(values: pa.ChunkedArray, ids: pa.Array) -> NDArray[np.int64]:
    """For each row the index of its id in `ids`, -1 where it is empty or unknown."""
    dictionary, codes = encode(values)
    rows = to_numpy(pc.fill_null(pc.index_in(dictionary, value_set=ids), -1))
    return np.append(rows.astype(np.int64), -1)[codes]


def to_numpy(values: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """An Arrow column without empty cells as a NumPy array."""
    whole = isinstance(values, pa.ChunkedArray)
    array: NDArray[Any] = values.to_numpy() if whole else values.to_numpy(zero_copy_only=False)
    return array


def hashes(values: pa.ChunkedArray) -> NDArray[np.uint64]:
    """A 64-bit hash of each string, the same in every run; empty cells have one of their own."""
    distinct, codes = encode(values)
    marks = pd.util.hash_array(distinct.to_numpy(zero_copy_only=False).astype(object))
    return np.append(marks, np.uint64(0))[codes]
