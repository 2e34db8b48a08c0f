"""The improvement worker: at each tick it takes the pending sessions, and learns from them.

The clock is passed in, so that the same code serves a live deployment and a replay.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.adjusters.base import BatchAdjuster, VectorsAdjuster
from adjuster.feedback import ImprovementElement, ImprovementInput
from adjuster.live.personalization import PersonalizedVectors
from adjuster.memory import FeedbackMemory
from adjuster.selection import REASONS, SelectionConfig, select


class Status(str, Enum):
    """Where a session marked for improvement stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class SessionFeedback:
    """One session as the worker sees it at a tick.

    Args:
        session_id: Its name.
        owner: Whose vectors it adjusts.
        query: Shape ``(query parts, D)``.
        shown: Object ids in the order they were shown, each once.
        clicked: Those clicked by now.
        duration_seconds: From the search to its last event by now.
        is_irrelevant: Marked by the user as irrelevant.
    """

    session_id: str
    owner: str
    query: NDArray[np.floating]
    shown: Sequence[str]
    clicked: frozenset[str]
    duration_seconds: int = 0
    is_irrelevant: bool = False


class SessionStore(Protocol):
    """Where sessions marked for improvement wait."""

    def pending(self, now: int) -> list[str]:
        """Sessions marked by `now` and still pending, in the order they were marked."""

    def read(self, session_id: str, now: int) -> SessionFeedback:
        """A session with the events that have arrived by `now`."""

    def set_status(self, session_ids: Sequence[str], status: Status, reason: str = "") -> None:
        """Move sessions on, with the reason where there is one."""


@dataclass
class TickReport:
    """What one tick did: reason → sessions, and the sessions that failed with their reasons."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


class ImprovementWorker:
    """Takes what is pending, picks what can be learnt from, adjusts it in batches, stores it.

    Args:
        sessions: Where sessions wait.
        vectors: The owners' copies.
        adjuster: What adjusts them.
        selection: Which sessions are used.
        batch_size: Sessions in one call of the adjuster, >= 1.
        refit: Start from the originals with all feedback so far (``memory: refit``), which takes
            a `BatchAdjuster`.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(
        self,
        sessions: SessionStore,
        vectors: PersonalizedVectors,
        adjuster: VectorsAdjuster,
        *,
        selection: SelectionConfig | None = None,
        batch_size: int = 1024,
        refit: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be >= 1 session, got {batch_size}.")
        if refit and not isinstance(adjuster, BatchAdjuster):
            raise ValueError(f"refit needs a BatchAdjuster, got {type(adjuster).__name__}.")
        self.sessions, self.vectors, self.adjuster = sessions, vectors, adjuster
        self.selection = selection or SelectionConfig()
        self.batch_size = batch_size
        self.memory = FeedbackMemory() if refit else None

    def tick(self, now: int) -> TickReport:
        """Take everything that is pending.

        A session that cannot be processed fails alone. Whatever interrupts the tick, sessions
        not yet stored are pending again.

        Args:
            now: The time, in epoch seconds.
        """
        taken = self.sessions.pending(now)
        tick = _Tick(self, now, set(taken))
        self.sessions.set_status(taken, Status.PROCESSING)
        try:
            chosen = tick.select(taken)
            for first in range(0, len(chosen), self.batch_size):
                tick.learn(chosen[first : first + self.batch_size])
        finally:
            left = [name for name in taken if name in tick.open]
            if left:
                self.sessions.set_status(left, Status.PENDING)
        return tick.report


class _Tick:
    """One tick under way: its time, its report, and the sessions it still holds."""

    def __init__(self, worker: ImprovementWorker, now: int, open_sessions: set[str]) -> None:
        self.worker, self.now, self.open = worker, now, open_sessions
        self.report = TickReport()

    def select(self, taken: list[str]) -> list[SessionFeedback]:
        """Read sessions and keep those that can be learnt from."""
        read = [item for name in taken if (item := self._read(name)) is not None]
        codes = select(
            self.worker.selection,
            is_irrelevant=np.array([item.is_irrelevant for item in read], np.bool_),
            n_clicks=np.array([len(item.clicked) for item in read], np.int64),
            duration_seconds=np.array([item.duration_seconds for item in read], np.int64),
            last_clicked_position=np.array([_last_click(item) for item in read], np.int64),
        )
        for item, code in zip(read, codes, strict=True):
            if code:
                self._done([item], REASONS[code])
        return [item for item, code in zip(read, codes, strict=True) if not code]

    def learn(self, batch: list[SessionFeedback]) -> None:
        """Adjust a batch, store the copies that changed, and close its sessions."""
        pairs = [(item, made) for item in batch if (made := self._input(item)) is not None]
        try:
            adjusted = self._adjust([made for _, made in pairs])
        except ValueError:
            pairs = [pair for pair in pairs if self._is_sound(*pair)]
            adjusted = self._adjust([made for _, made in pairs])
        for (item, _), session in zip(pairs, adjusted, strict=True):
            for element in (*session.clicked_elements, *session.non_clicked_elements):
                self._store(item.owner, element)
        self._done([item for item, _ in pairs], REASONS[0])

    def _store(self, owner: str, element: ImprovementElement) -> None:
        vectors = self.worker.vectors
        if not np.array_equal(element.vector, vectors.vectors(owner, element.id)):
            vectors.store(owner, element.id, element.vector)

    def _read(self, name: str) -> SessionFeedback | None:
        try:
            return self.worker.sessions.read(name, self.now)
        except (KeyError, ValueError) as error:
            self._fail(name, str(error))
            return None

    def _input(self, item: SessionFeedback) -> ImprovementInput | None:
        """The session as the adjuster takes it, with its owner's vectors as they are now."""
        try:
            elements = [self._element(item.owner, name) for name in item.shown]
        except KeyError as error:
            self._fail(item.session_id, f"object {error.args[0]!r} is not in the index.")
            return None
        return ImprovementInput(
            session_id=item.session_id,
            query=ImprovementElement("query", item.query),
            clicked_elements=[mine for mine in elements if mine.id in item.clicked],
            non_clicked_elements=[mine for mine in elements if mine.id not in item.clicked],
        )

    def _element(self, owner: str, object_id: str) -> ImprovementElement:
        vectors = self.worker.vectors
        return ImprovementElement(
            id=object_id,
            vector=vectors.vectors(owner, object_id),
            user_id=owner,
            original=vectors.original(object_id),
        )

    def _adjust(self, inputs: list[ImprovementInput]) -> list[ImprovementInput]:
        adjuster, memory = self.worker.adjuster, self.worker.memory
        if memory is not None and isinstance(adjuster, BatchAdjuster):
            return adjuster.refit_vectors(inputs, memory)
        return adjuster.adjust_vectors(inputs)

    def _is_sound(self, item: SessionFeedback, made: ImprovementInput) -> bool:
        """Whether a session can be adjusted on its own; it fails if not."""
        try:
            self.worker.adjuster.adjust_vectors([made])
        except ValueError as error:
            self._fail(item.session_id, str(error))
            return False
        return True

    def _fail(self, session_id: str, reason: str) -> None:
        self.worker.sessions.set_status([session_id], Status.FAILED, reason)
        self.open.discard(session_id)
        self.report.counts["failed"] += 1
        self.report.failures[session_id] = reason

    def _done(self, items: list[SessionFeedback], reason: str) -> None:
        names = [item.session_id for item in items]
        if names:
            self.worker.sessions.set_status(names, Status.DONE, reason)
            self.report.counts[reason] += len(names)
        self.open.difference_update(names)


def _last_click(item: SessionFeedback) -> int:
    """The lowest place clicked, 0-based; -1 without a click."""
    places = [place for place, name in enumerate(item.shown) if name in item.clicked]
    return places[-1] if places else -1
