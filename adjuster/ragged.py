"""Sums, smallest and largest values of ragged rows, empty ones included."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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


def row_minima(values: NDArray[Any], offsets: NDArray[np.int64], *, empty: int) -> NDArray[Any]:
    """Smallest value of each row.

    Example:
        >>> row_minima(np.array([1, 2, 3]), np.array([0, 2, 2, 3]), empty=9).tolist()
        [1, 9, 3]
    """
    return _reduce(np.minimum, values, offsets, empty)


def _reduce(
    operation: np.ufunc, values: NDArray[Any], offsets: NDArray[np.int64], empty: int
) -> NDArray[Any]:
    filled = np.diff(offsets) > 0
    result = np.full(len(filled), empty, values.dtype)
    if filled.any():
        result[filled] = operation.reduceat(values[: offsets[-1]], offsets[:-1][filled])
    return result
