"""Feedback as terms: an object's clicked and unclicked weight for each query it was shown for."""

import numpy as np
from numpy.typing import NDArray

Keys = tuple[NDArray[np.int64], ...]


def term_weights(
    clicked: NDArray[np.bool_],
    session: NDArray[np.integer],
    n_clicked: NDArray[np.int64],
    n_shown: NDArray[np.int64],
    term_weight: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much each impression says, as clicked and as unclicked.

    Args:
        clicked: Shape ``(n_impressions,)``.
        session: Shape ``(n_impressions,)``: the session of each.
        n_clicked: Shape ``(n_sessions,)``: clicked impressions of each session.
        n_shown: Shape ``(n_sessions,)``: all impressions of each session.
        term_weight: ``session`` (1/|clicked|, 1/|unclicked|) or ``impression`` (1 each).

    Returns:
        Two arrays of shape ``(n_impressions,)``; one of an impression's weights is 0.

    Example:
        >>> flags = np.array([True, False, False])
        >>> of = np.zeros(3, int), np.array([1]), np.array([3])
        >>> [weights.tolist() for weights in term_weights(flags, *of, "session")]
        [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]
    """
    weights = clicked.astype(np.float64)
    passed = 1.0 - weights
    if term_weight == "session":
        weights /= np.maximum(n_clicked, 1)[session]
        passed /= np.maximum(n_shown - n_clicked, 1)[session]
    return weights, passed


def merge_terms(
    keys: Keys, clicked: NDArray[np.float64], unclicked: NDArray[np.float64]
) -> tuple[Keys, NDArray[np.float64], NDArray[np.float64]]:
    """Add up the weights of rows with equal keys, in the order in which they stand.

    Args:
        keys: Arrays of shape ``(n_rows,)``, the most significant first.
        clicked: Shape ``(n_rows,)``.
        unclicked: Shape ``(n_rows,)``.

    Returns:
        The distinct keys in ascending order, and their sums.

    Example:
        >>> keys = np.array([1, 0, 1]), np.array([2, 5, 2])
        >>> (pair, query), clicked, _ = merge_terms(keys, np.array([1.0, 2, 3]), np.zeros(3))
        >>> pair.tolist(), query.tolist(), clicked.tolist()
        ([0, 1], [5, 2], [2.0, 4.0])
    """
    if not len(clicked):
        return keys, clicked, unclicked
    order = np.lexsort(keys[::-1])
    ordered = [key[order] for key in keys]
    starts = np.flatnonzero(changes(*ordered))
    return (
        tuple(key[starts] for key in ordered),
        np.add.reduceat(clicked[order], starts),
        np.add.reduceat(unclicked[order], starts),
    )


def changes(*columns: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Where any column differs from the row before; the first row does.

    Example:
        >>> changes(np.array([1, 1, 2]), np.array([5, 6, 6])).tolist()
        [True, True, True]
    """
    changed = np.zeros(len(columns[0]), np.bool_)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return changed
