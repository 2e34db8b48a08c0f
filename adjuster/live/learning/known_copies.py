"""Copies that a worker has read or written, kept from batch to batch while nobody else writes."""

from collections.abc import Sequence
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.live.learning.vector_table import VectorTable
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.records import Rows
from adjuster.live.storage.store import WorkerStore
from adjuster.ragged import offsets_of, rows_of

UNKNOWN = -1
"""In place of a row where no copy of a pair is known."""


class PairRows(NamedTuple):
    """Vectors of some (owner, object) pairs.

    Args:
        vectors: Shape ``(n_parts, D)``: copies, or originals where there are none. The very
            `originals` if there is no copy at all.
        originals: Shape ``(n_parts, D)``.
        offsets: Shape ``(n_pairs + 1,)``.
    """

    vectors: Rows
    originals: Rows
    offsets: NDArray[np.int64]


class KnownCopies:
    """The copies of one generation, read when they are first asked for.

    Args:
        store: Where they are.
        generation: Which generation.
        objects: The originals.
    """

    def __init__(self, store: WorkerStore, generation: int, objects: VectorTable) -> None:
        self.store, self.generation, self.objects = store, generation, objects
        self._version = -1
        self._forget()

    def _forget(self) -> None:
        self._owner: dict[str, int] = {}
        self._row: dict[int, int] = {}
        self._vectors: Rows = np.empty((0, 0), np.float32)
        self.n_parts = 0

    def current(self, owners: Sequence[str], number: NDArray[np.int64]) -> PairRows:
        """What the owners' searches are ranked with now.

        Args:
            owners: Of each pair.
            number: Shape ``(n_pairs,)``: each pair's object, by its number in `objects`.

        Raises:
            ValueError: If a copy has another shape than its original.
        """
        version = self.store.copies_version()
        if version != self._version:
            self._forget()
            self._version = version
        keys = self._keys(owners, number)
        row = self._rows_of(keys)
        unknown = np.flatnonzero(row == UNKNOWN)
        if len(unknown) and self._read([owners[at] for at in unknown.tolist()], number[unknown]):
            row = self._rows_of(keys)
        originals, offsets = self.objects.gather(number)
        has_copy = row != UNKNOWN
        if not has_copy.any():
            return PairRows(originals, originals, offsets)
        vectors = originals.astype(np.result_type(originals, self._vectors))
        n_parts = np.diff(offsets)[has_copy]
        theirs = self._vectors[rows_of(row[has_copy], n_parts)]
        vectors[rows_of(offsets[:-1][has_copy], n_parts)] = theirs
        return PairRows(vectors, originals, offsets)

    def keep(self, written: Copies, number: NDArray[np.int64]) -> None:
        """Remember what was written just now, in one change of the store's copies.

        Args:
            written: The copies.
            number: Shape ``(n_copies,)``: each one's object, by its number in `objects`.
        """
        if len(written):
            self._version += 1
            self._add(written, number)

    def _keys(self, owners: Sequence[str], number: NDArray[np.int64]) -> list[int]:
        """One whole number for each pair."""
        known = self._owner
        known.update(zip(set(owners).difference(known), count(len(known)), strict=False))
        owner = np.fromiter(map(known.__getitem__, owners), np.int64, len(owners))
        keys: list[int] = ((owner << 32) + number).tolist()
        return keys

    def _rows_of(self, keys: list[int]) -> NDArray[np.int64]:
        """Where the copy of each pair begins."""
        if not self._row:
            return np.full(len(keys), UNKNOWN)
        return np.fromiter(map(self._row.get, keys, repeat(UNKNOWN)), np.int64, len(keys))

    def _read(self, owners: Sequence[str], number: NDArray[np.int64]) -> bool:
        """Ask the store for copies that are not known; whether there are any."""
        names = map(self.objects.names.__getitem__, number.tolist())
        found = self.store.copies(self.generation, list(zip(owners, names, strict=True)))
        if not len(found):
            return False
        theirs = self.objects.numbers(found.object_ids)
        check_shapes(found, *self.objects.gather(theirs))
        self._add(found, theirs)
        return True

    def _add(self, copies: Copies, number: NDArray[np.int64]) -> None:
        """Write copies over those of the same pairs, and the others behind all."""
        keys = self._keys(copies.owners, number)
        row, lengths = self._rows_of(keys), np.diff(copies.offsets)
        new = row == UNKNOWN
        row[new] = self.n_parts + offsets_of(lengths[new])[:-1]
        self._make_room(int(lengths[new].sum()), copies.vectors)
        self._vectors[rows_of(row, np.diff(copies.offsets))] = copies.vectors
        at = np.flatnonzero(new).tolist()
        self._row.update(zip(map(keys.__getitem__, at), row[new].tolist(), strict=True))

    def _make_room(self, n_parts: int, like: Rows) -> None:
        """Room for so many more parts, of a type that holds these vectors."""
        dtype = np.result_type(self._vectors, like) if self.n_parts else like.dtype
        needed, has = self.n_parts + n_parts, len(self._vectors)
        if needed > has or dtype != self._vectors.dtype:
            larger = np.empty((max(needed, 2 * has), like.shape[1]), dtype)
            if self.n_parts:
                larger[: self.n_parts] = self._vectors[: self.n_parts]
            self._vectors = larger
        self.n_parts = needed


def check_shapes(copies: Copies, originals: Rows, offsets: NDArray[np.int64]) -> None:
    """Refuse copies of another shape than their originals.

    Args:
        copies: Copies.
        originals: Shape ``(n_parts, D)``: the original of each, in the same order.
        offsets: Shape ``(n_copies + 1,)``: of the originals.

    Raises:
        ValueError: Naming the first one that differs.
    """
    n_parts, wanted = np.diff(copies.offsets), np.diff(offsets)
    differs = (n_parts != wanted) | (copies.vectors.shape[1] != originals.shape[1])
    for row in np.flatnonzero(differs)[:1].tolist():
        raise ValueError(
            f"object {copies.object_ids[row]!r}: the copy of owner {copies.owners[row]!r} must "
            f"have its original's shape {(int(wanted[row]), originals.shape[1])}, got "
            f"{(int(n_parts[row]), copies.vectors.shape[1])}. A changed index needs a new "
            "generation."
        )
