"""Keeping the lengths of vectors where their squares can be computed.

Under cosine the length of a vector says nothing, yet squares of its coordinates leave float32
above 1e19 and below 1e-19. A row whose largest coordinate is outside `safe_exponent` is therefore
multiplied by the power of two that brings that coordinate into [1, 2), which is exact; what an
adjuster makes of it is multiplied back. Rows inside the range, which is all that is met in
practice, are not touched. A step of the optimizer is an absolute length, so such a row is moved
as though it had been handed over at length about 1, whatever its length was.

Dot product and distance do know lengths: there, what cannot be computed is refused.
"""

import numpy as np
from numpy.typing import NDArray

from adjuster.index import MetricType

Rows = NDArray[np.floating]


def safe_exponent(dtype: np.dtype[np.floating]) -> int:
    """Coordinates between 2 to the power of minus this and of this have harmless squares.

    Example:
        >>> safe_exponent(np.dtype(np.float32))
        42
    """
    return int(np.finfo(dtype).maxexp) // 3


def row_sizes(rows: Rows) -> Rows:
    """Each row's largest absolute coordinate; NaN where it holds one.

    Example:
        >>> row_sizes(np.array([[1.0, -3.0], [0.0, 0.0]])).tolist()
        [3.0, 0.0]
    """
    sizes: Rows = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    return sizes


def shifts_of(rows: Rows) -> NDArray[np.intc]:
    """The power of two that each row is to be multiplied by: 0 for rows that may stay.

    Example:
        >>> shifts_of(np.array([[1.0], [1e-30], [0.0]], np.float32)).tolist()
        [0, 100, 0]
    """
    sizes = row_sizes(rows)
    exponents = np.frexp(sizes)[1] - 1
    outside = (np.abs(exponents) > safe_exponent(rows.dtype)) & (sizes > 0) & np.isfinite(sizes)
    shifts: NDArray[np.intc] = np.where(outside, -exponents, 0).astype(np.intc)
    return shifts


def shifted(rows: Rows, shifts: NDArray[np.intc]) -> Rows:
    """Rows multiplied by their powers of two; the very array where all are 0."""
    if not shifts.any():
        return rows
    scaled: Rows = np.ldexp(rows, shifts[:, None])
    return scaled


def in_range(rows: Rows, metric: MetricType) -> Rows:
    """Rows as they can be compared: under cosine those outside the range are scaled into it.

    Example:
        >>> in_range(np.array([[3e30, 4e30]], np.float32), MetricType.COSINE).round(2).tolist()
        [[1.18, 1.58]]
    """
    return shifted(rows, shifts_of(rows)) if metric is MetricType.COSINE else rows


def cannot_be_computed(sizes: Rows) -> NDArray[np.bool_]:
    """Which `row_sizes` have squares that their type cannot hold, too large or too small.

    Zero rows are no such rows.

    Example:
        >>> cannot_be_computed(np.array([1e13, 1.0, 1e-20, 0.0], np.float32)).tolist()
        [True, False, True, False]
    """
    smallest, largest = computable_sizes(sizes.dtype)
    outside: NDArray[np.bool_] = ((sizes > largest) | (sizes < smallest)) & (sizes > 0)
    return outside & np.isfinite(sizes)


def computable_sizes(dtype: np.dtype[np.floating]) -> tuple[float, float]:
    """The smallest and the largest coordinate that a row may have under dot and Euclid.

    Example:
        >>> [f"{size:.0e}" for size in computable_sizes(np.dtype(np.float32))]
        ['2e-19', '4e+12']
    """
    smallest = 2.0 ** (2 - int(np.finfo(dtype).maxexp) // 2)
    return smallest, 2.0 ** safe_exponent(dtype)
