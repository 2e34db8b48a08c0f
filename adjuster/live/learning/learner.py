"""From a batch of sessions to what is learnt of it: new copies, and new terms to remember."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from adjuster.live.learning.batch_material import TaughtSession, Vectors
from adjuster.live.storage.records import Copy, Rows, Term
from adjuster.live.storage.store import Pair, WorkerStore

MEMORIES = ("carry", "restart", "refit")
"""Where a batch starts: ``carry`` from the copies as they stand, ``restart`` from the originals,
``refit`` from the originals with all the feedback so far."""


class Lesson(NamedTuple):
    """What a batch has taught.

    Args:
        copies: The copies that changed.
        terms: The totals that changed, where they are to be remembered.
    """

    copies: list[Copy]
    terms: list[Term]


class Learner(ABC):
    """Learns batches with an adjuster, over what a store holds already.

    Args:
        store: Copies and terms so far.
        generation: Which generation of them.
        memory: One of `MEMORIES`.
    """

    def __init__(self, store: WorkerStore, generation: int, memory: str) -> None:
        self.store, self.generation, self.memory = store, generation, memory

    @abstractmethod
    def learn(self, sessions: Sequence[TaughtSession], vectors: Vectors) -> Lesson:
        """Learn from a batch; nothing is written.

        Args:
            sessions: The batch, in the order in which its sessions were marked.
            vectors: Of all that they speak of.

        Raises:
            ValueError: If the adjuster refuses a session.
        """

    @abstractmethod
    def faults(self, vectors: Vectors) -> dict[tuple[str, str], str]:
        """Which vectors the adjuster could not take, as in `Vectors.faults`."""

    def current(self, pairs: Sequence[Pair], vectors: Vectors) -> dict[Pair, Rows]:
        """What the owners' searches are ranked with now: copies, or originals where none are.

        Raises:
            ValueError: If a copy has another number of parts than its original.
        """
        copies = self.store.copies(self.generation, pairs)
        for (owner, object_id), rows in copies.items():
            wanted = vectors.originals[object_id].shape
            if rows.shape != wanted:
                raise ValueError(
                    f"object {object_id!r}: the copy of owner {owner!r} must have its original's "
                    f"shape {wanted}, got {rows.shape}. A changed index needs a new generation."
                )
        return {pair: vectors.originals[pair[1]] for pair in pairs} | copies
