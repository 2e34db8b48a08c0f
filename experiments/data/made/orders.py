"""In which order results stand: by a score, in one order a query, by past clicks, or at random."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from experiments.config.data import SimulatedConfig

BETWEEN_EQUALS = 0.125
"""Weight of a score beside the number of clicks: so small that it decides between equals only."""


def top(scores: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Columns of the `n` best scores of each row, best first.

    Example:
        >>> top(np.array([[1, 3, 2]], np.float32), 2).tolist()
        [[1, 2]]
    """
    if n < scores.shape[1]:
        best = np.argpartition(-scores, n, axis=1)[:, :n]
    else:
        best = np.broadcast_to(np.arange(n), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def shuffle_rows(
    order: NDArray[np.int64], chosen: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The chosen rows in random order, all orders alike; the others as they are.

    Args:
        order: Shape ``(n_sessions, n_shown)``.
        chosen: Shape ``(n_sessions,)``.
        rng: Chance.
    """
    if not chosen.any():
        return order
    mixed = order.copy()
    mixed[chosen] = rng.permuted(order[chosen], axis=1)
    return mixed


def waves(query: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Sessions in rounds: every query's first, every query's second, and so on.

    Within a round no two sessions share a query, so what a session sees of earlier ones of its
    query is all known when its round comes.

    Args:
        query: Shape ``(n_sessions,)``, in order of time.

    Yields:
        Numbers of the sessions of a round.

    Example:
        >>> [wave.tolist() for wave in waves(np.array([5, 5, 3, 5]))]
        [[0, 2], [1], [3]]
    """
    by_query = np.argsort(query, kind="stable")
    ordered = query[by_query]
    turn = np.arange(len(query)) - np.searchsorted(ordered, ordered)
    by_turn = np.argsort(turn, kind="stable")
    bounds = np.searchsorted(turn[by_turn], np.arange(int(turn.max(initial=-1)) + 2))
    for start, stop in pairwise(bounds):
        yield np.sort(by_query[by_turn[start:stop]])


class QueryScores:
    """What decides the order of a query's results, as the searches go on.

    Args:
        config: The order and the sizes.
        rng: Chance.
    """

    def __init__(self, config: SimulatedConfig, rng: np.random.Generator) -> None:
        self._order = config.shown_order
        self._clicks: NDArray[np.int32] | None = None
        self._fixed: NDArray[np.float32] | None = None
        shape = (config.n_queries, config.n_objects)
        if self._order == "past_clicks":
            self._clicks = np.zeros(shape, np.int32)
        if self._order == "fixed":
            self._fixed = rng.random(shape, np.float32)

    def rounds(self, query: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Sessions that can be ranked at once: all, or one of each query at a time."""
        return iter([np.arange(len(query))]) if self._clicks is None else waves(query)

    def scores(
        self, query: NDArray[np.int64], objects: slice, scores: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What sorts the results of each session, ``(n_sessions, n_topic_objects)``.

        Args:
            query: Shape ``(n_sessions,)``.
            objects: The topic's objects.
            scores: Noisy similarities, within ±4: they decide between equal clicks.
        """
        if self._fixed is not None:
            return self._fixed[query, objects]
        if self._clicks is not None:
            clicks = self._clicks[query, objects].astype(np.float32)
            return clicks + np.float32(BETWEEN_EQUALS) * scores
        return scores

    def add(
        self, query: NDArray[np.int64], shown: NDArray[np.int32], clicked: NDArray[np.bool_]
    ) -> None:
        """Count the clicks of a round, which later rounds see."""
        assert self._clicks is not None
        session, position = np.nonzero(clicked)
        self._clicks[query[session], shown[session, position]] += 1
