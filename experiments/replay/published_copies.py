"""The copies of (owner, object) pairs while a replay of the published semantics goes on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.host_rows import row_faults
from adjuster.index import MetricType
from adjuster.metrics.drift import drift
from adjuster.ragged import offsets_of, rows_of
from adjuster.scale import shifts_of
from experiments.data.format.click_log import ClickLog


@dataclass(frozen=True)
class StoredCopies:
    """Copies as they stand at some time.

    Args:
        pair: Shape ``(n_copies,)``: whose and of what, as in `TaughtSessions`, ascending.
        vectors: Shape ``(n_rows, D)``: the parts of each, as many as its object has.
    """

    pair: NDArray[np.int64]
    vectors: NDArray[np.floating]


def no_copies(log: ClickLog) -> StoredCopies:
    """As a replay begins."""
    return StoredCopies(np.empty(0, np.int64), log.object_vectors[:0])


class CopyTable:
    """The vectors of pairs that may be adjusted: originals until they are.

    `is_copy` says which are, `is_refused` which of them the adjuster takes no more, and `refuses`
    whether there are such; `shifts` make rows of `vectors` comparable (see `adjuster.scale`).

    Args:
        log: The originals.
        pair: The pairs, in any order, each as often as may be.
        stored: The copies that there are already.
    """

    def __init__(self, log: ClickLog, pair: NDArray[np.int64], stored: StoredCopies) -> None:
        self._log = log
        self.pair = np.unique(np.concatenate([pair, stored.pair]))
        objects = self.pair % log.n_objects
        self.n_parts = np.diff(log.object_offsets)[objects]
        self.first = offsets_of(self.n_parts)
        self.original = rows_of(log.object_offsets[objects], self.n_parts)
        self.vectors = log.object_vectors[self.original]
        self.shifts = self._shifts(self.vectors)
        self.original_shifts = self.shifts.copy()
        # One more, for what is no pair: slot -1.
        self.is_copy = np.zeros(len(self.pair) + 1, np.bool_)
        self.is_refused = np.zeros(len(self.pair) + 1, np.bool_)
        self.refuses = False
        slots = np.searchsorted(self.pair, stored.pair)
        self.write(slots, self.rows(slots), stored.vectors)

    def slots(self, pair: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where pairs stand in this table; -1 for one that does not."""
        slots = np.searchsorted(self.pair, pair)
        slots[slots == len(self.pair)] = 0
        known = self.pair[slots] == pair if len(self.pair) else np.zeros(len(pair), np.bool_)
        return np.where(known, slots, -1)

    def rows(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of some pairs' parts in `vectors`."""
        return rows_of(self.first[slots], self.n_parts[slots])

    def write(
        self, slots: NDArray[np.int64], rows: NDArray[np.int64], vectors: NDArray[np.floating]
    ) -> None:
        """Keep copies.

        Args:
            slots: Shape ``(n,)``: whose and of what.
            rows: Their `rows`.
            vectors: Shape ``(n_rows, D)``.
        """
        if not len(slots):
            return
        self.vectors[rows] = vectors
        self.shifts[rows] = self._shifts(vectors)
        self.is_copy[slots] = True
        faulty = np.logical_or.reduce([bad for bad, _ in row_faults(vectors, self._log.index)])
        begins = offsets_of(self.n_parts[slots])[:-1]
        self.is_refused[slots] = np.logical_or.reduceat(faulty, begins)
        self.refuses |= bool(faulty.any())

    def _shifts(self, vectors: NDArray[np.floating]) -> NDArray[np.intc]:
        """What makes rows comparable; see `adjuster.scale`."""
        if self._log.index.metric_type is not MetricType.COSINE:
            return np.zeros(len(vectors), np.intc)
        return shifts_of(vectors)

    def stored(self) -> StoredCopies:
        """The copies as they stand."""
        slots = np.flatnonzero(self.is_copy)
        return StoredCopies(self.pair[slots], self.vectors[self.rows(slots)])

    def drift(self) -> NDArray[np.float64]:
        """1 - cosine of every copy. Shape ``(n_copies,)``."""
        slots = np.flatnonzero(self.is_copy)
        rows = self.rows(slots)
        originals = self._log.object_vectors[self.original[rows]]
        return drift(originals, self.vectors[rows], offsets_of(self.n_parts[slots]))
