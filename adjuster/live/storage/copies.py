"""Copies of many owners and objects: names beside one array of vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.live.storage.records import Copy, Rows
from adjuster.ragged import offsets_of


@dataclass(frozen=True, eq=False)
class Copies:
    """Copies of one dimension and type.

    Args:
        owners: Of each copy.
        object_ids: Of each copy.
        vectors: Shape ``(n_parts, D)``: their parts, one copy's after the other's.
        offsets: Shape ``(n_copies + 1,)``.
    """

    owners: Sequence[str]
    object_ids: Sequence[str]
    vectors: Rows
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, copies: "Copies | Sequence[Copy]") -> "Copies":
        """Copies as columns; those that are stay as they are.

        Raises:
            ValueError: If their dimensions differ.
        """
        if isinstance(copies, Copies):
            return copies
        if not copies:
            return cls([], [], np.empty((0, 0), np.float32), offsets_of([]))
        owners, object_ids, vectors = zip(*copies, strict=True)
        offsets = offsets_of([len(rows) for rows in vectors])
        return cls(owners, object_ids, np.concatenate(vectors), offsets)

    def __len__(self) -> int:
        return len(self.owners)

    def __iter__(self) -> Iterator[Copy]:
        """Copy by copy."""
        bounds = self.offsets.tolist()
        for row, (owner, object_id) in enumerate(zip(self.owners, self.object_ids, strict=True)):
            yield Copy(owner, object_id, self.vectors[bounds[row] : bounds[row + 1]])
