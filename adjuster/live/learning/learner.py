"""From a batch of sessions to what is learnt of it: new copies, and new terms to remember."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.live.learning.batch_material import TaughtSessions
from adjuster.live.learning.known_copies import KnownCopies
from adjuster.live.learning.vector_table import VectorTable
from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.records import Rows, Term
from adjuster.live.storage.store import WorkerStore

MEMORIES = ("carry", "restart", "refit")
"""Where a batch starts: ``carry`` from the copies as they stand, ``restart`` from the originals,
``refit`` from the originals with all the feedback so far."""

MOST_PARTS = 1 << 18
"""Parts of originals, queries and copies that are kept between two batches of a tick."""


class Lesson(NamedTuple):
    """What a batch has taught.

    Args:
        copies: The copies that changed.
        terms: The totals that changed, where they are to be remembered.
        number: Shape ``(n_copies,)``: each copy's object, by its number in the table of
            originals; None where copies are not kept between batches.
        repeats: Whether the next batches are likely to ask for these very copies.
    """

    copies: Copies
    terms: list[Term]
    number: NDArray[np.int64] | None = None
    repeats: bool = False


class Learner(ABC):
    """Learns batches with an adjuster, over what a store holds already.

    What it has read it keeps until it is told to forget.

    Args:
        store: Queries, copies and terms so far.
        index: The originals.
        generation: Which generation of copies and terms.
        memory: One of `MEMORIES`.
    """

    def __init__(
        self, store: WorkerStore, index: VectorIndex, generation: int, memory: str
    ) -> None:
        self.store, self.index = store, index
        self.generation, self.memory = generation, memory
        self.forget()

    def forget(self) -> None:
        """Drop all that was read: between two ticks the index and the store may change."""
        self.objects = VectorTable("object", self._originals, self.find_faults)
        self.queries = VectorTable("query", self.store.queries, self.find_faults)
        self.copies = KnownCopies(self.store, self.generation, self.objects)

    def _originals(self, names: Sequence[str]) -> dict[str, Rows]:
        found = {}
        for name in names:
            try:
                found[name] = self.index.vectors(name)
            except KeyError:
                continue
        return found

    def faults(self, sessions: TaughtSessions) -> dict[int, str]:
        """Begin a batch: which of its sessions cannot be learnt from, by their rows, and why."""
        if self.objects.n_parts + self.queries.n_parts + self.copies.n_parts > MOST_PARTS:
            self.forget()
        asked = self.queries.numbers(sessions.query_ids).tolist()
        shown = self.objects.numbers(sessions.shown).tolist()
        if not (self.queries.faults or self.objects.faults):
            return {}
        faults: dict[int, str] = {}
        bounds = sessions.offsets.tolist()
        for row, query in enumerate(asked):
            of_objects = map(self.objects.faults.get, shown[bounds[row] : bounds[row + 1]])
            fault = next(filter(None, (self.queries.faults.get(query), *of_objects)), None)
            if fault is not None:
                faults[row] = fault
        return faults

    @abstractmethod
    def learn(self, sessions: TaughtSessions) -> Lesson:
        """Learn from a batch; nothing is written.

        Args:
            sessions: Without those of `faults`.

        Raises:
            ValueError: If the adjuster refuses a session.
        """

    @abstractmethod
    def find_faults(self, vectors: dict[str, Rows]) -> Iterable[tuple[str, str]]:
        """Which vectors the adjuster could not take, by name, and what is said of them."""

    def keep(self, lesson: Lesson) -> None:
        """Remember a lesson that was written."""
        if lesson.number is not None:
            self.copies.keep(lesson.copies, lesson.number, vectors=lesson.repeats)
