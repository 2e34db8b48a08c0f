"""The one scale of all figures: the mean over people of each one's mean session."""

import numpy as np
from numpy.typing import NDArray


def users_shares(user: NDArray[np.integer], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Part that each session has in the mean over users of their mean sessions; 0 if not kept.

    Args:
        user: Shape ``(n_sessions,)``: index of the user; a session of unknown user, -1, counts
            as a user of its own.
        keep: Shape ``(n_sessions,)`` bool.

    Returns:
        Shape ``(n_sessions,)``, of sum 1; all 0 where nothing is kept.

    Example:
        >>> users_shares(np.array([0, 0, 1, -1]), np.array([True, True, True, False])).tolist()
        [0.25, 0.25, 0.5, 0.0]
    """
    known = user >= 0
    sessions = np.bincount(user[keep & known], minlength=int(user.max(initial=-1)) + 1)
    n_people = int((sessions > 0).sum()) + int((keep & ~known).sum())
    shares = np.zeros(len(user))
    shares[keep] = 1.0
    mine = keep & known
    shares[mine] /= sessions[user[mine]]
    return shares / max(n_people, 1)


def users_mean(values: NDArray[np.number | np.bool_], user: NDArray[np.integer]) -> float:
    """Mean over users of their mean sessions, of those sessions that have a value.

    Args:
        values: Shape ``(n_sessions,)``; NaN has none.
        user: Shape ``(n_sessions,)``: index of the user, -1 unknown.

    Returns:
        NaN of nothing.

    Example:
        >>> users_mean(np.array([1.0, 0.0, 0.0, np.nan]), np.array([0, 0, 1, 2]))
        0.25
    """
    numbers = np.asarray(values, np.float64)
    return weighted_mean(numbers, users_shares(user, ~np.isnan(numbers)))


def weighted_mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Mean of the values by weight; those of weight 0 may be NaN. NaN of nothing.

    Example:
        >>> weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([0.5, 0.25, 0.0]))
        2.0
    """
    total = float(weight.sum())
    weighted = np.where(weight > 0, values, 0.0) * weight
    return float(weighted.sum()) / total if total > 0 else float("nan")
