"""How often each object was clicked or shown as of a moment, counted stretch by stretch of time."""

import numpy as np
from numpy.typing import NDArray


class ObjectCounts:
    """Counts rows of each object by when they are known; a log may be counted in stretches.

    In memory are a count an object, and the rows of the last stretch that are not known at its
    end yet.

    Args:
        n_objects: How many objects there are.
    """

    def __init__(self, n_objects: int) -> None:
        self._settled = np.zeros(n_objects, np.int64)
        self._object, self._known_at, self._n = (np.empty(0, np.int64) for _ in range(3))

    def count(
        self,
        objects: NDArray[np.int64],
        known_at: NDArray[np.int64],
        used: NDArray[np.bool_],
        asked_at: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """For each row, the used rows of its object that are known strictly before it is asked.

        Args:
            objects: Shape ``(n,)``: object of each row of the next stretch of time.
            known_at: Shape ``(n,)``: from when on it is known, not before `asked_at`.
            used: Shape ``(n,)``: which count.
            asked_at: Shape ``(n,)``, ascending, no row before the last stretch's last.

        Returns:
            Shape ``(n,)``.
        """
        self._add(objects[used], known_at[used])
        moments = np.unique(np.concatenate([self._known_at, asked_at]))
        step = len(moments) + 1
        keys = self._object * step + np.searchsorted(moments, self._known_at)
        sums = np.append(0, np.cumsum(self._n))
        asked = objects * step + np.searchsorted(moments, asked_at)
        fresh = sums[np.searchsorted(keys, asked)] - sums[np.searchsorted(keys, objects * step)]
        found: NDArray[np.int64] = self._settled[objects] + fresh
        if len(asked_at):
            self._settle(int(asked_at[-1]))
        return found

    def _add(self, objects: NDArray[np.int64], known_at: NDArray[np.int64]) -> None:
        """Take rows that are not settled, one for all of an object and a moment, in order."""
        every = np.concatenate([self._object, objects])
        at = np.concatenate([self._known_at, known_at])
        n = np.concatenate([self._n, np.ones(len(objects), np.int64)])
        order = np.lexsort((at, every))
        every, at, n = every[order], at[order], n[order]
        is_first = np.ones(len(every), np.bool_)
        is_first[1:] = (every[1:] != every[:-1]) | (at[1:] != at[:-1])
        starts = np.flatnonzero(is_first)
        self._object, self._known_at = every[starts], at[starts]
        self._n = np.add.reduceat(n, starts) if len(starts) else n

    def _settle(self, before: int) -> None:
        """Count for good what every later row knows."""
        done = self._known_at < before
        np.add.at(self._settled, self._object[done], self._n[done])
        self._object, self._known_at, self._n = (
            column[~done] for column in (self._object, self._known_at, self._n)
        )
