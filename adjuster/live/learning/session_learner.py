"""Learning a batch session by session through the plugin hook, as published adjusters take it."""

from collections.abc import Sequence

import numpy as np

from adjuster.adjusters.base import VectorsAdjuster
from adjuster.feedback import ImprovementElement, ImprovementInput
from adjuster.live.learning.batch_material import TaughtSession, Vectors
from adjuster.live.learning.learner import Learner, Lesson
from adjuster.live.storage.records import Copy, Rows
from adjuster.live.storage.store import Pair, WorkerStore


class SessionLearner(Learner):
    """Learns with any `VectorsAdjuster`; where sessions give a pair different vectors, the last
    one wins.

    Args:
        adjuster: The adjuster.
        store: Copies so far.
        generation: Which generation of them.
        memory: ``carry`` or ``restart``.
    """

    def __init__(
        self, adjuster: VectorsAdjuster, store: WorkerStore, generation: int, memory: str
    ) -> None:
        super().__init__(store, generation, memory)
        self.adjuster = adjuster

    def faults(self, vectors: Vectors) -> dict[tuple[str, str], str]:
        """See `Learner.faults`: the adjuster says for itself what it cannot take."""
        return {}

    def learn(self, sessions: Sequence[TaughtSession], vectors: Vectors) -> Lesson:
        """See `Learner.learn`."""
        pairs = list(
            dict.fromkeys(
                (taught.session.owner, object_id)
                for taught in sessions
                for object_id in taught.session.shown
            )
        )
        current = self.current(pairs, vectors)
        originals = vectors.originals
        starts = current if self.memory == "carry" else {p: originals[p[1]] for p in pairs}
        inputs = [_as_input(taught, vectors, starts) for taught in sessions]
        changed: dict[Pair, Rows] = {}
        for taught, answer in zip(sessions, self.adjuster.adjust_vectors(inputs), strict=True):
            for element in (*answer.clicked_elements, *answer.non_clicked_elements):
                pair = taught.session.owner, element.id
                if not np.array_equal(element.vector, changed.get(pair, current[pair])):
                    changed[pair] = element.vector
        return Lesson([Copy(*pair, rows) for pair, rows in changed.items()], [])


def _as_input(
    taught: TaughtSession, vectors: Vectors, starts: dict[Pair, Rows]
) -> ImprovementInput:
    """A session as the adjuster takes it."""
    session = taught.session
    elements = [
        ImprovementElement(
            id=name,
            vector=starts[session.owner, name],
            user_id=session.owner,
            original=vectors.originals[name],
        )
        for name in session.shown
    ]
    flags = taught.clicked
    return ImprovementInput(
        session_id=session.session_id,
        query=ImprovementElement("query", vectors.queries[session.query_id]),
        clicked_elements=[mine for mine, flag in zip(elements, flags, strict=True) if flag],
        non_clicked_elements=[mine for mine, flag in zip(elements, flags, strict=True) if not flag],
    )
