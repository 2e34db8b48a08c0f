"""One owner's copies as searches read them, kept in memory until copies are written again."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.records import Rows
from adjuster.metrics.drift import drift
from adjuster.ragged import offsets_of

MOST_PARTS = 200_000
"""Parts of copies kept in memory, over all owners."""


class CopyStore(Protocol):
    """The part of a store that copies are read from."""

    def owner_copies(self, generation: int, owner: str) -> dict[str, Rows]:
        """All copies of one owner, by object."""


@dataclass(frozen=True)
class OwnerCopies:
    """The copies of one owner, and the originals beside them.

    Args:
        object_ids: The objects, in order of their names.
        vectors: Shape ``(n_parts, D)``: the copies.
        originals: Shape ``(n_parts, D)``.
        offsets: Shape ``(n_objects + 1,)``.
        drift: Shape ``(n_objects,)``: 1 - cosine.
        row: Object → its place in `object_ids`.
    """

    object_ids: tuple[str, ...]
    vectors: Rows
    originals: Rows
    offsets: NDArray[np.int64]
    drift: NDArray[np.float64]
    row: dict[str, int]

    def __len__(self) -> int:
        return len(self.object_ids)


def gather_copies(copies: dict[str, Rows], index: VectorIndex) -> OwnerCopies:
    """Copies beside their originals; those whose object the index does not hold are left out.

    Args:
        copies: By object.
        index: The originals.

    Raises:
        ValueError: If a copy has another shape than its original.
    """
    names, mine, theirs = [], [], []
    for name in sorted(copies):
        try:
            original = index.vectors(name)
        except KeyError:
            continue
        if copies[name].shape != original.shape:
            raise ValueError(
                f"object {name!r}: a copy must have its original's shape {original.shape}, got "
                f"{copies[name].shape}. A changed index needs a new generation."
            )
        names.append(name)
        mine.append(copies[name])
        theirs.append(original)
    if not names:
        nothing = np.empty((0, 0), np.float32)
        return OwnerCopies((), nothing, nothing, offsets_of([]), np.empty(0), {})
    offsets = offsets_of([len(rows) for rows in mine])
    vectors, originals = np.concatenate(mine), np.concatenate(theirs)
    return OwnerCopies(
        object_ids=tuple(names),
        vectors=vectors,
        originals=originals,
        offsets=offsets,
        drift=drift(originals, vectors, offsets),
        row={name: row for row, name in enumerate(names)},
    )


class CopyCache:
    """Keeps copies of the owners that searched last; any thread may ask.

    Args:
        index: The originals.
        most_parts: Parts of copies kept, >= 0.
    """

    def __init__(self, index: VectorIndex, most_parts: int = MOST_PARTS) -> None:
        self.index, self.most_parts = index, most_parts
        self._lock = Lock()
        self._kept: OrderedDict[tuple[int, str], tuple[str, OwnerCopies]] = OrderedDict()
        self._n_parts = 0

    def get(self, store: CopyStore, generation: int, version: str, owner: str) -> OwnerCopies:
        """An owner's copies as they stand.

        Args:
            store: Where they are.
            generation: Which generation.
            version: What the state says of `store.COPIES_VERSION`, read before this call; copies
                that are newer may come back, older ones never.
            owner: Whose.
        """
        key = generation, owner
        with self._lock:
            found = self._kept.get(key)
            if found and found[0] == version:
                self._kept.move_to_end(key)
                return found[1]
        copies = gather_copies(store.owner_copies(generation, owner), self.index)
        with self._lock:
            self._drop(key)
            self._kept[key] = version, copies
            self._n_parts += len(copies.vectors)
            while self._n_parts > self.most_parts and self._kept:
                self._drop(next(iter(self._kept)))
        return copies

    def _drop(self, key: tuple[int, str]) -> None:
        found = self._kept.pop(key, None)
        if found:
            self._n_parts -= len(found[1].vectors)
