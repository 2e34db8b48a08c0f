"""How far two orders of each session's results agree: Spearman's correlation, ragged."""

import numpy as np
from numpy.typing import NDArray


def rank_correlations(
    one: NDArray[np.number], other: NDArray[np.number], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Spearman's rank correlation of two values over each session's rows, ties in the middle.

    Args:
        one: Shape ``(n_rows,)``.
        other: Shape ``(n_rows,)``.
        offsets: Shape ``(n_sessions + 1,)``.

    Returns:
        Shape ``(n_sessions,)``, in [-1, 1]; NaN with fewer than three rows, or where one side
        is the same in all.

    Example:
        >>> rank_correlations(np.array([1, 2, 3]), np.array([3, 5, 4]), np.array([0, 3])).tolist()
        [0.5]
    """
    session = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    n = np.maximum(np.diff(offsets), 1)
    x, y = (_mean_ranks(np.asarray(values), session) for values in (one, other))
    x, y = (v - (np.bincount(session, v, len(n)) / n)[session] for v in (x, y))
    xy, xx, yy = (np.bincount(session, v, len(n)) for v in (x * y, x * x, y * y))
    known = (np.diff(offsets) >= 3) & (xx > 1e-9) & (yy > 1e-9)
    result = np.full(len(n), np.nan)
    result[known] = xy[known] / np.sqrt(xx[known] * yy[known])
    return result


def _mean_ranks(values: NDArray[np.number], session: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rank of each row among all rows sorted by (session, value); ties share their mean."""
    order = np.lexsort((values, session))
    new = np.diff(values[order], prepend=np.nan) != 0
    new |= np.diff(session[order], prepend=-1) != 0
    group = np.cumsum(new) - 1
    means = np.bincount(group, np.arange(len(order))) / np.bincount(group)
    ranks = np.empty(len(order))
    ranks[order] = means[group]
    return ranks
