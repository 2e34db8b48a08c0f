"""Adjusted copies of vectors, held per owner; the originals are never written."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class VectorIndex(Protocol):
    """Where the originals live."""

    def vectors(self, object_id: str) -> NDArray[np.floating]:
        """The parts of an object, shape ``(parts, D)``.

        Raises:
            KeyError: If the index does not hold it.
        """


@dataclass(frozen=True)
class PersonalizedVector:
    """One owner's copy of one object, as it is exported.

    Args:
        object_id: ``<original_id>_<user_id>``.
        original_id: The object it was copied from.
        user_id: The owner.
        vectors: Shape ``(parts, D)``.
    """

    object_id: str
    original_id: str
    user_id: str
    vectors: NDArray[np.floating]


class PersonalizedVectors:
    """The copies of every owner, over an index that is only read.

    Args:
        index: The originals.

    Example:
        >>> class Index:
        ...     def vectors(self, object_id):
        ...         return np.zeros((1, 2))
        >>> copies = PersonalizedVectors(Index())
        >>> copies.store("ann", "shoe", np.ones((1, 2)))
        >>> copies.vectors("ann", "shoe").tolist(), copies.vectors("bob", "shoe").tolist()
        ([[1.0, 1.0]], [[0.0, 0.0]])
    """

    def __init__(self, index: VectorIndex) -> None:
        self.index = index
        self._copies: dict[tuple[str, str], NDArray[np.floating]] = {}

    def original(self, object_id: str) -> NDArray[np.floating]:
        """The index's own vectors, shape ``(parts, D)``, as a read-only view.

        Raises:
            KeyError: If the index does not hold the object.
        """
        view = np.asarray(self.index.vectors(object_id)).view()
        view.flags.writeable = False
        return view

    def vectors(self, owner: str | None, object_id: str) -> NDArray[np.floating]:
        """What an owner's searches are ranked with: the copy, or the original where none is.

        Raises:
            KeyError: If the index does not hold the object.
        """
        copy = None if owner is None else self._copies.get((owner, object_id))
        return self.original(object_id) if copy is None else copy

    def is_adjusted(self, owner: str | None, object_id: str) -> bool:
        """Whether the owner has a copy of the object."""
        return owner is not None and (owner, object_id) in self._copies

    def store(self, owner: str, object_id: str, vectors: NDArray[np.floating]) -> None:
        """Keep an owner's copy; nobody else's vectors change.

        Raises:
            ValueError: If the shape is not the original's.
        """
        if vectors.shape != self.original(object_id).shape:
            raise ValueError(
                f"object {object_id!r}: vectors must have the original's shape "
                f"{self.original(object_id).shape}, got {vectors.shape}."
            )
        mine = np.array(vectors)
        mine.flags.writeable = False
        self._copies[owner, object_id] = mine

    def __len__(self) -> int:
        return len(self._copies)

    def __iter__(self) -> Iterator[PersonalizedVector]:
        """Every copy, in order of (object, owner)."""
        for owner, object_id in sorted(self._copies, key=lambda key: (key[1], key[0])):
            yield PersonalizedVector(
                object_id=f"{object_id}_{owner}",
                original_id=object_id,
                user_id=owner,
                vectors=self._copies[owner, object_id],
            )
