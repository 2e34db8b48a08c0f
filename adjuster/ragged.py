"""Ragged rows, one after the other in one array: offsets, sums and largest values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def offsets_of(lengths: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Ragged lengths as offsets.

    Example:
        >>> offsets_of([2, 0, 3]).tolist()
        [0, 2, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def rows_of(begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers ``begins[i]``, ``begins[i] + 1``, … of so many each, one after the other.

    Example:
        >>> rows_of(np.array([7, 0]), np.array([2, 3])).tolist()
        [7, 8, 0, 1, 2]
    """
    ends = offsets_of(lengths)
    return np.arange(ends[-1]) + np.repeat(begins - ends[:-1], lengths)


def row_sums(values: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Sum of each row, 0 for an empty one; booleans are counted.

    Example:
        >>> row_sums(np.array([1, 2, 3]), np.array([0, 2, 2, 3])).tolist()
        [3, 0, 3]
    """
    values = values.astype(np.int64) if values.dtype == np.bool_ else values
    return _reduce(np.add, values, offsets, 0)


def row_maxima(values: NDArray[Any], offsets: NDArray[np.int64], *, empty: int) -> NDArray[Any]:
    """Largest value of each row.

    Example:
        >>> row_maxima(np.array([1, 2, 3]), np.array([0, 2, 2, 3]), empty=-1).tolist()
        [2, -1, 3]
    """
    return _reduce(np.maximum, values, offsets, empty)


def _reduce(
    operation: np.ufunc, values: NDArray[Any], offsets: NDArray[np.int64], empty: int
) -> NDArray[Any]:
    filled = np.diff(offsets) > 0
    result = np.full(len(filled), empty, values.dtype)
    if filled.any():
        result[filled] = operation.reduceat(values[: offsets[-1]], offsets[:-1][filled])
    return result
