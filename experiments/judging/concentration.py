"""Whether a log is many people's: what stands behind one person, query or hour, and bots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST_SHARE = 0.2
"""A fifth: beyond it one person, query or hour can carry a gain alone."""

FASTEST_MEDIAN = 2.0
"""Seconds between consecutive sessions: nobody reads results and clicks faster all the time."""

AT_ONCE = 1
"""Seconds from search to click: within it nobody reads a list and chooses."""

MINUTE = 60

FEWEST_SESSIONS = 20
"""Sessions of a user from which a median gap says something."""


@dataclass(frozen=True)
class Largest:
    """The one key with most clicks.

    Args:
        key: As given; -1 where there are no clicks.
        share: Its part of all clicks, in [0, 1]; 0 where there are none.
        n_effective: Keys with equal clicks that would be as concentrated (Kish).
    """

    key: int
    share: float
    n_effective: float

    @property
    def too_much(self) -> bool:
        """Whether it alone stands behind more than `LARGEST_SHARE` of the clicks."""
        return self.share > LARGEST_SHARE


def largest(keys: NDArray[np.int64], clicks: NDArray[np.float64] | NDArray[np.int64]) -> Largest:
    """Who or what holds most clicks: of users, queries, or hours (seconds // 3600).

    Args:
        keys: Shape ``(n_sessions,)``; negative where unknown, which counts in the total but as
            nobody.
        clicks: Shape ``(n_sessions,)``: clicks of each session, >= 0.

    Example:
        >>> largest(np.array([7, 7, 3, -1]), np.array([2, 1, 1, 4]))
        Largest(key=7, share=0.375, n_effective=1.6)
    """
    total = float(clicks.sum())
    known = keys >= 0
    names, numbers = np.unique(keys[known], return_inverse=True)
    sums: NDArray[np.float64] = np.bincount(
        numbers, weights=clicks[known], minlength=len(names)
    ).astype(np.float64)
    if total <= 0 or not sums.any():
        return Largest(-1, 0.0, 0.0)
    most = int(sums.argmax())
    return Largest(int(names[most]), float(sums[most]) / total, effective_number(sums))


def effective_number(weights: NDArray[np.float64]) -> float:
    """How many equal ones would count as much: (sum of w)^2 / sum of w^2 (Kish, 1965).

    Args:
        weights: Shape ``(n,)``, >= 0, such as clicks a user; 0 where all are 0.

    Example:
        >>> effective_number(np.array([1.0, 1.0, 1.0])), effective_number(np.array([3.0, 1.0]))
        (3.0, 1.6)
    """
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def faster_than_people(
    users: NDArray[np.int64],
    seconds: NDArray[np.float64],
    *,
    fastest: float = FASTEST_MEDIAN,
    fewest: int = FEWEST_SESSIONS,
) -> NDArray[np.int64]:
    """Users whose sessions follow each other faster than a person's would.

    Args:
        users: Shape ``(n_sessions,)``; negative where unknown, which are left out.
        seconds: Shape ``(n_sessions,)``: when each session began, in any order.
        fastest: A median gap below this many seconds is no person's.
        fewest: Sessions from which a user is judged, >= 2.

    Returns:
        Shape ``(n_found,)``: the users found, ascending.

    Example:
        >>> users, seconds = np.repeat([4, 9], 30), np.tile(np.arange(30.0), 2)
        >>> faster_than_people(users, np.where(users == 4, seconds, 60 * seconds)).tolist()
        [4]
    """
    known = users >= 0
    order = np.lexsort((seconds[known], users[known]))
    ordered, times = users[known][order], seconds[known][order]
    same = ordered[1:] == ordered[:-1]
    owner, gap = ordered[1:][same], np.diff(times)[same]
    by_gap = np.lexsort((gap, owner))
    names, starts, counts = np.unique(owner[by_gap], return_index=True, return_counts=True)
    low, high = starts + (counts - 1) // 2, starts + counts // 2
    median = (gap[by_gap][low] + gap[by_gap][high]) / 2
    found: NDArray[np.int64] = names[(median < fastest) & (counts + 1 >= fewest)]
    return found


def clicked_at_once(delay: NDArray[np.int64]) -> float:
    """Share of the clicks that come with the search itself, where others show that people wait.

    Some logs write no time of a click, or whole minutes: there nothing can be said.

    Args:
        delay: Shape ``(n_clicks,)``: seconds from search to click.

    Returns:
        In [0, 1); 0 where all clicks come at once, or the others are of whole minutes.

    Example:
        >>> clicked_at_once(np.array([1, 0, 14, 31])), clicked_at_once(np.array([0, 0, 60, 120]))
        (0.5, 0.0)
    """
    at_once = delay <= AT_ONCE
    waited = delay[~at_once]
    if not len(waited) or (waited % MINUTE == 0).mean() > 0.5:
        return 0.0
    return float(at_once.mean())
