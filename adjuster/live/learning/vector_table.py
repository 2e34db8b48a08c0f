"""Vectors by name, each read once for all batches of a tick."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count, repeat

import numpy as np
from numpy.typing import NDArray

from adjuster.live.learning.growing_rows import GrowingRows
from adjuster.live.storage.records import Rows
from adjuster.ragged import offsets_of, rows_of

Check = Callable[[dict[str, Rows]], Iterable[tuple[str, str]]]
"""Says of vectors by name which of them cannot be used, and why."""


UNKNOWN = -1
"""In place of the number of a name that has none yet."""

NOTHING: Rows = np.empty((0, 0))
"""The vectors of a name that is missing."""


class VectorTable:
    """Numbers names as they come, and keeps their vectors.

    Args:
        kind: What the names are names of, for sentences.
        read: Reads vectors by name; those that it leaves out are missing.
        check: What else cannot be used.

    Attributes:
        names: By number.
        faults: Number → why its vectors cannot be used.
        n_parts: Parts that are kept.
    """

    def __init__(
        self, kind: str, read: Callable[[Sequence[str]], dict[str, Rows]], check: Check
    ) -> None:
        self.kind, self._read, self._check = kind, read, check
        self.names: list[str] = []
        self.faults: dict[int, str] = {}
        self.n_parts = 0
        self._number: dict[str, int] = {}
        self._rows: list[Rows] = []
        # All vectors one after the other, and where each name's begin; faulty ones are left out.
        self._stacked = GrowingRows()
        self._starts = np.zeros(1, np.int64)
        # A batch asks twice for the names of one list, to find its faults and to learn it.
        self._asked: tuple[Sequence[str], NDArray[np.int64]] = [], np.empty(0, np.int64)

    def numbers(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The number of each name; what is new is read.

        Args:
            names: Some of them more than once.
        """
        if names is not self._asked[0]:
            number = self._numbers(names)
            unknown = np.flatnonzero(number == UNKNOWN)
            if len(unknown):
                new = [names[row] for row in unknown.tolist()]
                # In an order that does not depend on how this process hashes.
                self._add(sorted(set(new)))
                number[unknown] = self._numbers(new)
            self._asked = names, number
        return self._asked[1]

    def _numbers(self, names: Sequence[str]) -> NDArray[np.int64]:
        found = map(self._number.get, names, repeat(UNKNOWN))
        return np.fromiter(found, np.int64, len(names))

    def _add(self, new: list[str]) -> None:
        found = self._read(new)
        faults = dict(self._check(found))
        self._number.update(zip(new, count(len(self.names)), strict=False))
        for name in sorted({*faults, *(set(new) - found.keys())}):
            said = f": its vector {faults[name]}" if name in found else " is not in the index."
            self.faults[self._number[name]] = f"{self.kind} {name!r}{said}"
        self.names += new
        self._rows += [found.get(name, NOTHING) for name in new]
        self.n_parts += sum(map(len, found.values()))

    def rows(self, name: str) -> Rows:
        """The vectors of a name that has a number; none where they are missing."""
        return self._rows[self._number[name]]

    def gather(self, numbers: NDArray[np.int64]) -> tuple[Rows, NDArray[np.int64]]:
        """Vectors of some names without faults, one after the other, and their offsets.

        Args:
            numbers: Shape ``(n,)``.

        Returns:
            Shapes ``(n_parts, D)`` and ``(n + 1,)``.
        """
        self._stack()
        starts = self._starts[numbers]
        lengths = self._starts[numbers + 1] - starts
        return self._stacked.rows[rows_of(starts, lengths)], offsets_of(lengths)

    def _stack(self) -> None:
        new = self._sound(len(self._starts) - 1)
        if new:
            lengths = np.fromiter(map(len, new), np.int64, len(new))
            self._stacked.extend([rows for rows in new if len(rows)])
            ends = self._starts[-1] + np.cumsum(lengths)
            self._starts = np.concatenate([self._starts, ends])

    def _sound(self, first: int) -> list[Rows]:
        """Vectors from some number on, nothing for those that have faults."""
        faults, last = self.faults, len(self.names)
        if not faults:
            return self._rows[first:]
        return [
            NOTHING if number in faults else self._rows[number] for number in range(first, last)
        ]
