"""The one scale of all figures: the mean over people of each one's mean session."""

import numpy as np
from numpy.typing import NDArray

N_GROUPS = 100
"""Groups of users that a trial keeps its gain of: enough for Student's t, few enough to store."""


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


def group_means(values: NDArray[np.float64], user: NDArray[np.integer]) -> NDArray[np.float64]:
    """Means over users in groups of them, so that little need be kept of many.

    Groups are of equal size but for one user, in the order of the users' numbers taken round
    robin, so that one log has the same groups in every replay. Their mean is the users' mean but
    for that one user.

    Args:
        values: Shape ``(n_sessions,)``.
        user: Shape ``(n_sessions,)``: index of the user; a session of unknown user, -1, counts
            as a user of its own.

    Returns:
        Shape ``(n_groups,)``: as many as there are users, at most `N_GROUPS`.

    Example:
        >>> group_means(np.array([1.0, 0.0, 3.0]), np.array([4, 4, 9])).tolist()
        [0.5, 3.0]
    """
    own = np.where(user >= 0, user, user.max(initial=-1) + 1 + np.arange(len(user)))
    _, number = np.unique(own, return_inverse=True)
    means = np.bincount(number, values) / np.bincount(number) if len(number) else np.empty(0)
    group = np.arange(len(means)) % N_GROUPS
    found: NDArray[np.float64] = np.bincount(group, means) / np.bincount(group)
    return found if len(means) else np.empty(0)


def weighted_mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Mean of the values by weight; those of weight 0 may be NaN. NaN of nothing.

    Example:
        >>> weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([0.5, 0.25, 0.0]))
        2.0
    """
    total = float(weight.sum())
    weighted = np.where(weight > 0, values, 0.0) * weight
    return float(weighted.sum()) / total if total > 0 else float("nan")
