"""Copies that a worker has read or written, kept from batch to batch while nobody else writes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.live.learning.growing_rows import GrowingRows
from adjuster.live.learning.sorted_keys import MISSING, SortedKeys
from adjuster.live.learning.vector_table import VectorTable
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.records import Rows
from adjuster.live.storage.store import WorkerStore
from adjuster.ragged import offsets_of, rows_of

STORED = -2
"""In place of a row: there is a copy, whose vectors are not kept."""

MOST_PAIRS = 1 << 22
"""Pairs whose copies are known of, kept between two batches of a tick: 16 bytes each."""


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

    An owner who has none at all when first met is not asked for again: what there is from then on
    was written by this worker.

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
        # By the owner's number: whether every copy is known of.
        self._is_whole = np.empty(0, np.bool_)
        self._row = SortedKeys()
        self._kept = GrowingRows()

    @property
    def n_parts(self) -> int:
        """Parts that are kept."""
        return len(self._kept)

    def current(self, owners: Sequence[str], number: NDArray[np.int64]) -> PairRows:
        """What the owners' searches are ranked with now.

        Args:
            owners: Of each pair.
            number: Shape ``(n_pairs,)``: each pair's object, by its number in `objects`.

        Raises:
            ValueError: If a copy has another shape than its original.
        """
        version = self.store.copies_version()
        if version != self._version or len(self._row) > MOST_PAIRS:
            self._forget()
            self._version = version
        self._meet(owners)
        keys = self._keys(owners, number)
        row = self._row.find(keys)
        asked = np.flatnonzero((row == STORED) | ((row == MISSING) & ~self._is_whole[keys >> 32]))
        if len(asked) and self._read([owners[at] for at in asked.tolist()], number[asked]):
            row = self._row.find(keys)
        return self._rows_at(row, number)

    def _rows_at(self, row: NDArray[np.int64], number: NDArray[np.int64]) -> PairRows:
        originals, offsets = self.objects.gather(number)
        has_copy = row >= 0
        if not has_copy.any():
            return PairRows(originals, originals, offsets)
        n_parts = np.diff(offsets)
        copied = rows_of(row[has_copy], n_parts[has_copy])
        vectors = _replaced(originals, self._kept.rows, copied, np.repeat(has_copy, n_parts))
        return PairRows(vectors, originals, offsets)

    def keep(self, written: Copies, number: NDArray[np.int64], *, vectors: bool) -> None:
        """Remember what was written just now, in one change of the store's copies.

        Args:
            written: The copies, of owners that `current` was last asked for.
            number: Shape ``(n_copies,)``: each one's object, by its number in `objects`.
            vectors: Keep the vectors too, not only that the store has them.
        """
        if len(written):
            self._version += 1
            if vectors:
                self._add(written, number)
            else:
                keys = self._keys(written.owners, number)
                self._row.put(keys, np.full(len(keys), STORED))

    def _meet(self, owners: Sequence[str]) -> None:
        """Number the owners that are new, and ask which of them have copies."""
        new = sorted(set(owners).difference(self._owner))
        if new:
            having = self.store.owners_with_copies(self.generation, new)
            first = len(self._owner)
            self._owner.update(zip(new, range(first, first + len(new)), strict=True))
            is_whole = [owner not in having for owner in new]
            self._is_whole = np.concatenate([self._is_whole, is_whole])

    def _keys(self, owners: Sequence[str], number: NDArray[np.int64]) -> NDArray[np.int64]:
        """One whole number for each pair: its owner's number and its object's."""
        owner = np.fromiter(map(self._owner.__getitem__, owners), np.int64, len(owners))
        return (owner << 32) + number

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
        row, lengths = self._row.find(keys), np.diff(copies.offsets)
        new = row < 0
        row[new] = self.n_parts + offsets_of(lengths[new])[:-1]
        theirs = copies.vectors
        self._kept.add(int(lengths[new].sum()), theirs.shape[1], theirs.dtype)
        self._kept.rows[rows_of(row, lengths)] = theirs
        self._row.put(keys[new], row[new])


def _replaced(
    originals: Rows, kept: Rows, copied: NDArray[np.int64], is_copied: NDArray[np.bool_]
) -> Rows:
    """A new array of originals with those flagged in `is_copied` replaced by rows of `kept`."""
    dtype = np.result_type(originals, kept)
    at = np.flatnonzero(is_copied)
    if 2 * len(at) < len(originals):
        vectors = originals.astype(dtype)
        vectors[at] = kept[copied]
        return vectors
    # The other way round moves fewer rows twice.
    source = np.zeros(len(originals), np.int64)
    source[at] = copied
    vectors = kept[source].astype(dtype, copy=False)
    vectors[~is_copied] = originals[~is_copied]
    return vectors


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
