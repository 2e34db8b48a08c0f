"""Learning a batch session by session through the plugin hook, as published adjusters take it."""

from collections.abc import Iterable

import numpy as np

from adjuster.adjusters.base import VectorsAdjuster
from adjuster.feedback import ImprovementElement, ImprovementInput
from adjuster.live.learning.batch_material import TaughtSession, TaughtSessions
from adjuster.live.learning.known_copies import check_shapes
from adjuster.live.learning.learner import Learner, Lesson
from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.records import Copy, Rows
from adjuster.live.storage.store import Pair, WorkerStore
from adjuster.ragged import offsets_of


class SessionLearner(Learner):
    """Learns with any `VectorsAdjuster`; where sessions give a pair different vectors, the last
    one wins.

    Args:
        adjuster: The adjuster.
        store: Queries and copies so far.
        index: The originals.
        generation: Which generation of copies.
        memory: ``carry`` or ``restart``.
    """

    def __init__(
        self,
        adjuster: VectorsAdjuster,
        store: WorkerStore,
        index: VectorIndex,
        generation: int,
        memory: str,
    ) -> None:
        super().__init__(store, index, generation, memory)
        self.adjuster = adjuster

    def find_faults(self, vectors: dict[str, Rows]) -> Iterable[tuple[str, str]]:
        """See `Learner.find_faults`: the adjuster says for itself what it cannot take."""
        return ()

    def learn(self, sessions: TaughtSessions) -> Lesson:
        """See `Learner.learn`."""
        pairs = {(taught.owner, name): None for taught in sessions for name in taught.shown}
        originals = {pair: self.objects.rows(pair[1]) for pair in pairs}
        current = originals | self._copies(list(pairs))
        starts = current if self.memory == "carry" else originals
        inputs = [self._as_input(taught, starts) for taught in sessions]
        changed: dict[Pair, Rows] = {}
        for taught, answer in zip(sessions, self.adjuster.adjust_vectors(inputs), strict=True):
            for element in (*answer.clicked_elements, *answer.non_clicked_elements):
                pair = taught.owner, element.id
                if not np.array_equal(element.vector, changed.get(pair, current[pair])):
                    changed[pair] = element.vector
        copies = [Copy(*pair, rows) for pair, rows in changed.items()]
        return Lesson(Copies.of(copies), [])

    def _copies(self, pairs: list[Pair]) -> dict[Pair, Rows]:
        found = self.store.copies(self.generation, pairs)
        if len(found):
            rows = [self.objects.rows(name) for name in found.object_ids]
            check_shapes(found, np.concatenate(rows), offsets_of([len(mine) for mine in rows]))
        return {(owner, object_id): rows for owner, object_id, rows in found}

    def _as_input(self, taught: TaughtSession, starts: dict[Pair, Rows]) -> ImprovementInput:
        """A session as the adjuster takes it."""
        elements = [
            ImprovementElement(
                id=name,
                vector=starts[taught.owner, name],
                user_id=taught.owner,
                original=self.objects.rows(name),
            )
            for name in taught.shown
        ]
        shown = list(zip(elements, taught.clicked, strict=True))
        return ImprovementInput(
            session_id=taught.session_id,
            query=ImprovementElement("query", self.queries.rows(taught.query_id)),
            clicked_elements=[mine for mine, flag in shown if flag],
            non_clicked_elements=[mine for mine, flag in shown if not flag],
        )
