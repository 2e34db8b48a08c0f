"""Team-draft interleaving: two rankings shown as one, so that clicks say which is better.

Radlinski, Kurup and Joachims, *How Does Clickthrough Data Reflect Retrieval Quality?*, CIKM 2008:
in each round a coin says which ranking picks first; each picks its best result that is not shown
yet, and is credited with the clicks on what it picked. Whatever users prefer about positions,
both have it alike.

What both rankings begin with alike is shown before the first round and credits neither: a coin
would credit it to either, which adds noise and nothing else.
"""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from adjuster.live.ranking.slots import shared_beginning

Item = TypeVar("Item", bound=Hashable)

ADJUSTED, ORIGINALS, BOTH = "adjusted", "originals", "both"
"""Teams: the ranking that picked a result; `BOTH` for what they begin with alike."""

TEAMS = (ADJUSTED, ORIGINALS, BOTH)


def team_draft(
    adjusted: Sequence[Item], originals: Sequence[Item], coins: Sequence[bool]
) -> tuple[list[Item], list[str]]:
    """Interleave two rankings of the same results.

    Args:
        adjusted: Results, best first.
        originals: The same results in another order; see `slots.completed` where they differ.
        coins: One a round: whether `adjusted` picks first. As many rounds as there are coins are
            drafted, until all results are shown.

    Returns:
        What is shown, and the team of each, one of `TEAMS`.

    Raises:
        ValueError: If the rankings differ in their results.

    Example:
        >>> team_draft("abcd", "adcb", [True, False])
        (['a', 'b', 'd', 'c'], ['both', 'adjusted', 'originals', 'originals'])
    """
    if len(adjusted) != len(originals) or set(adjusted) != set(originals):
        raise ValueError("adjusted and originals must hold the same results.")
    n_shared = shared_beginning(adjusted, originals)
    shown: dict[Item, str] = dict.fromkeys(adjusted[:n_shared], BOTH)
    sides = ((ADJUSTED, iter(adjusted)), (ORIGINALS, iter(originals)))
    for coin in coins:
        for team, ranking in sides if coin else sides[::-1]:
            item = next((item for item in ranking if item not in shown), None)
            if item is not None:
                shown[item] = team
    return list(shown), list(shown.values())


def team_draft_sessions(
    adjusted: NDArray[np.integer], originals: NDArray[np.integer], coins: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """`team_draft` of many sessions at once, each of as many results.

    Args:
        adjusted: Shape ``(n_sessions, K)``: a permutation of ``range(K)`` a session, best first.
        originals: Shape ``(n_sessions, K)``, likewise.
        coins: Shape ``(n_sessions, n_rounds)``, with two rounds for every four results or more.

    Returns:
        Shape ``(n_sessions, K)`` both: what is shown, and the number of its team in `TEAMS`.

    Example:
        >>> coins = np.array([[True, False]])
        >>> team_draft_sessions(np.array([[0, 1, 2, 3]]), np.array([[0, 3, 2, 1]]), coins)
        (array([[0, 1, 3, 2]]), array([[2, 0, 1, 1]], dtype=int8))
    """
    n_sessions, k = adjusted.shape
    row = np.arange(n_sessions)
    n_shared = np.logical_and.accumulate(adjusted == originals, axis=1).sum(axis=1)
    is_shown = np.zeros((n_sessions, k), np.bool_)
    heads = np.zeros((2, n_sessions), np.int64)
    shown, teams = np.empty((n_sessions, k), np.int64), np.empty((n_sessions, k), np.int8)
    for slot in range(k):
        turn, is_second = np.divmod(np.maximum(slot - n_shared, 0), 2)
        side = np.where(coins[row, turn], is_second, 1 - is_second)
        teams[:, slot] = np.where(slot < n_shared, TEAMS.index(BOTH), side)
        for which, ranking in enumerate((adjusted, originals)):
            mine = np.flatnonzero(side == which)
            shown[mine, slot] = _next_unshown(ranking, heads[which], is_shown, mine)
        is_shown[row, shown[:, slot]] = True
    return shown, teams


def _next_unshown(
    ranking: NDArray[np.integer],
    heads: NDArray[np.int64],
    is_shown: NDArray[np.bool_],
    sessions: NDArray[np.int64],
) -> NDArray[np.integer]:
    """The best result of each session not shown yet; moves the sessions' heads up to it."""
    stuck = sessions
    while (stuck := stuck[is_shown[stuck, ranking[stuck, heads[stuck]]]]).size:
        heads[stuck] += 1
    return np.asarray(ranking[sessions, heads[sessions]])


def outcomes(
    adjusted_clicks: NDArray[np.integer], originals_clicks: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Which ranking won each session: 1 the adjusted, -1 the originals', 0 neither.

    Args:
        adjusted_clicks: Shape ``(n_sessions,)``: clicked results of its team.
        originals_clicks: Shape ``(n_sessions,)``: of the other.

    Example:
        >>> outcomes(np.array([2, 0, 1]), np.array([1, 1, 1])).tolist()
        [1.0, -1.0, 0.0]
    """
    return np.sign(adjusted_clicks.astype(np.float64) - originals_clicks)
