"""Vectors by name, each read once for all batches of a tick."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from adjuster.live.storage.records import Rows
from adjuster.ragged import offsets_of, rows_of

Check = Callable[[dict[str, Rows]], Iterable[tuple[str, str]]]
"""Says of vectors by name which of them cannot be used, and why."""


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
        self._stacked: tuple[Rows, NDArray[np.int64]] | None = None
        self._n_stacked = 0
        # A batch asks twice for the names of one list, to find its faults and to learn it.
        self._asked: tuple[Sequence[str], NDArray[np.int64]] = [], np.empty(0, np.int64)

    def numbers(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The number of each name; what is new is read.

        Args:
            names: Some of them more than once.
        """
        if names is not self._asked[0]:
            try:
                number = self._numbers(names)
            except KeyError:
                # In an order that does not depend on how this process hashes.
                self._add(sorted(set(names).difference(self._number)))
                number = self._numbers(names)
            self._asked = names, number
        return self._asked[1]

    def _numbers(self, names: Sequence[str]) -> NDArray[np.int64]:
        return np.fromiter(map(self._number.__getitem__, names), np.int64, len(names))

    def _add(self, new: list[str]) -> None:
        found = self._read(new)
        faults = dict(self._check(found))
        for number, name in enumerate(new, start=len(self.names)):
            self._number[name] = number
            if name not in found:
                self.faults[number] = f"{self.kind} {name!r} is not in the index."
            elif name in faults:
                self.faults[number] = f"{self.kind} {name!r}: its vector {faults[name]}"
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
        vectors, starts = self._stack()
        offsets = offsets_of(starts[numbers + 1] - starts[numbers])
        return vectors[rows_of(starts[numbers], np.diff(offsets))], offsets

    def _stack(self) -> tuple[Rows, NDArray[np.int64]]:
        """All vectors in one array, and where each name's begin; faulty ones are left out."""
        if self._stacked is None or self._n_stacked < len(self.names):
            known = [] if self._stacked is None else [self._stacked[0]]
            starts = np.zeros(1, np.int64) if self._stacked is None else self._stacked[1]
            new = self._sound(self._n_stacked)
            lengths = np.fromiter(map(len, new), np.int64, len(new))
            vectors = np.concatenate([*known, *filter(len, new)])
            self._stacked = vectors, np.concatenate([starts, starts[-1] + np.cumsum(lengths)])
            self._n_stacked = len(self.names)
        return self._stacked

    def _sound(self, first: int) -> Sequence[Rows | tuple[()]]:
        """Vectors from some number on, nothing for those that have faults."""
        faults, last = self.faults, len(self.names)
        if not faults:
            return self._rows[first:]
        return [() if number in faults else self._rows[number] for number in range(first, last)]
