"""Mixing unpersonalized results back in, so that what was pushed down can be seen again."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result", bound=Hashable)


def mix_exploration(
    personalized_order: Sequence[Result],
    unpersonalized_order: Sequence[Result],
    exploration_ratio: float,
    rng: np.random.Generator,
) -> list[Result]:
    """Fill each slot, by chance, from the unpersonalized ranking instead of the personalized one.

    A slot takes the best result of its ranking that is not shown yet, so nothing is shown twice
    and nothing is lost.

    Args:
        personalized_order: Results, best first.
        unpersonalized_order: The same results in their unpersonalized order.
        exploration_ratio: Chance of a slot to be filled from `unpersonalized_order`, in [0, 1].
        rng: Draws one number a slot.

    Raises:
        ValueError: If the ratio is out of range or the rankings differ in their results.

    Example:
        >>> mix_exploration("abc", "cba", 1.0, np.random.default_rng(0))
        ['c', 'b', 'a']
    """
    _check_ratio(exploration_ratio)
    same = set(personalized_order) == set(unpersonalized_order)
    if not same or len(personalized_order) != len(unpersonalized_order):
        raise ValueError("personalized_order and unpersonalized_order must hold the same results.")
    shown: dict[Result, None] = {}
    for draw in rng.random(len(personalized_order)):
        ranking = unpersonalized_order if draw < exploration_ratio else personalized_order
        shown[next(result for result in ranking if result not in shown)] = None
    return list(shown)


def mix_exploration_sessions(
    personalized_order: NDArray[np.int64],
    unpersonalized_order: NDArray[np.int64],
    offsets: NDArray[np.int64],
    exploration_ratio: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """`mix_exploration` for all sessions of a log at once.

    Args:
        personalized_order: Shape ``(n_impressions,)``, as `rank_order` returns it: session ``s``
            shows the rows ``order[offsets[s]:offsets[s + 1]]``.
        unpersonalized_order: Shape ``(n_impressions,)``, likewise.
        offsets: Shape ``(n_sessions + 1,)``.
        exploration_ratio: In [0, 1].
        rng: Draws one number an impression, in order.

    Returns:
        Shape ``(n_impressions,)``: the order shown.

    Raises:
        ValueError: If the ratio is out of range.

    Example:
        >>> both = np.array([1, 0, 3, 2]), np.array([0, 1, 2, 3])
        >>> rng = np.random.default_rng(0)
        >>> mix_exploration_sessions(*both, np.array([0, 2, 4]), 0.5, rng).tolist()
        [1, 0, 2, 3]
    """
    _check_ratio(exploration_ratio)
    explores = rng.random(len(personalized_order)) < exploration_ratio
    shown = np.zeros(len(personalized_order), np.bool_)
    mixed = np.empty_like(personalized_order)
    rankings = (personalized_order, unpersonalized_order)
    heads = (offsets[:-1].copy(), offsets[:-1].copy())
    lengths = np.diff(offsets)
    for slot in range(lengths.max(initial=0)):
        open_sessions = np.flatnonzero(lengths > slot)
        places = offsets[open_sessions] + slot
        for which in (0, 1):
            mine = explores[places] == bool(which)
            sessions = open_sessions[mine]
            rows = _next_unshown(rankings[which], heads[which], sessions, shown)
            mixed[places[mine]] = rows
            shown[rows] = True
    return mixed


def _next_unshown(
    ranking: NDArray[np.int64],
    heads: NDArray[np.int64],
    sessions: NDArray[np.int64],
    shown: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The best row of each session not shown yet; moves the sessions' heads up to it."""
    stuck = sessions[shown[ranking[heads[sessions]]]]
    while stuck.size:
        heads[stuck] += 1
        stuck = stuck[shown[ranking[heads[stuck]]]]
    return ranking[heads[sessions]]


def _check_ratio(exploration_ratio: float) -> None:
    if not 0 <= exploration_ratio <= 1:
        raise ValueError(f"exploration_ratio must be in [0, 1], got {exploration_ratio}.")
