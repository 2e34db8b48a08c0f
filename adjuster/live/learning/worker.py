"""The improvement worker: at each tick it takes the pending sessions, and learns from them.

The clock is passed in, so that the same code serves a live deployment and a replay.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import NamedTuple

import numpy as np

from adjuster.adjusters.base import BatchAdjuster, VectorsAdjuster
from adjuster.live.learning.batch_material import TaughtSessions, joined, judge_pending
from adjuster.live.learning.flat_learner import FlatLearner
from adjuster.live.learning.heartbeat import kept_alive
from adjuster.live.learning.learner import MEMORIES, Learner, Lesson
from adjuster.live.learning.session_learner import SessionLearner
from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.leases import Lease, new_lease
from adjuster.live.storage.pending_sessions import PendingSessions
from adjuster.live.storage.store import FAILED, LeaseLost, Outcome, StoreUnavailable, WorkerStore
from adjuster.selection import REASONS, SelectionConfig

LEASE_SECONDS = 300.0
"""How long a worker may be silent until others take its batch over."""


@dataclass
class TickReport:
    """What one tick did.

    Args:
        counts: Reason → sessions.
        failures: Session → why it cannot be processed.
        n_batches: Batches that were written.
        is_held: Another worker was at work, so that sessions may be left.
        fault: Why the tick could not be made; empty if it was.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    n_batches: int = 0
    is_held: bool = False
    fault: str = ""


class _Batch(NamedTuple):
    """Sessions under one lease: those to learn from, by claims, and those judged already."""

    chosen: list[TaughtSessions]
    done: dict[str, str]
    failed: dict[str, str]

    @property
    def n_chosen(self) -> int:
        return sum(map(len, self.chosen))

    @property
    def is_empty(self) -> bool:
        return not (self.n_chosen or self.done or self.failed)


@dataclass(frozen=True)
class WorkerSettings:
    """How a worker works.

    Args:
        selection: Which sessions are used.
        batch_size: Sessions in one call of the adjuster, >= 1.
        generation: Which generation of copies it teaches.
        memory: One of `MEMORIES`; ``refit`` takes a `BatchAdjuster`.
        lease_seconds: How long its hold on a batch lasts if nothing is heard of it, > 0.
        expected: What named values of the state must be for a batch to be written.

    Raises:
        ValueError: If a setting is out of range.
    """

    selection: SelectionConfig = field(default_factory=SelectionConfig)
    batch_size: int = 1024
    generation: int = 0
    memory: str = MEMORIES[0]
    lease_seconds: float = LEASE_SECONDS
    expected: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be >= 1 session, got {self.batch_size}.")
        if not self.lease_seconds > 0:
            raise ValueError(f"lease_seconds must be > 0, got {self.lease_seconds}.")
        if self.memory not in MEMORIES:
            raise ValueError(f"memory must be one of {', '.join(MEMORIES)}, got {self.memory!r}.")


class ImprovementWorker:
    """Takes what is pending, picks what can be learnt from, adjusts it in batches, writes it down.

    Any number of workers may share a store: one of them learns at a time (see `leases`).

    Args:
        store: Where sessions wait, and where copies and terms are kept.
        index: The originals.
        adjuster: What adjusts them.
        settings: How it works.
        clock: Seconds, for leases alone; all workers of a store share it.

    Raises:
        ValueError: If the adjuster cannot refit and is to.
    """

    def __init__(
        self,
        store: WorkerStore,
        index: VectorIndex,
        adjuster: VectorsAdjuster,
        settings: WorkerSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.index, self.clock = store, index, clock
        self.settings = settings or WorkerSettings()
        self.learner = _learner(adjuster, store, index, self.settings)
        self._stopping = Event()
        self._left: tuple[Lease, str] | None = None

    def stop(self) -> None:
        """Finish the batch under way, and take no other; may be called by a signal's handler."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def wait(self, seconds: float) -> None:
        """Wait for so long, or until it is told to stop."""
        self._stopping.wait(seconds)

    def tick(self, now: int) -> TickReport:
        """Take everything that was marked by now, batch after batch.

        A session that cannot be processed fails alone. What interrupts a batch leaves its
        sessions pending; a fault counts as one of their attempts, an interruption does not.

        Args:
            now: The time, in epoch seconds.

        Raises:
            StoreUnavailable: If the store cannot be used. What is held is let go of at the next
                tick, or lapses with its lease.
        """
        report = TickReport()
        self._release_what_was_left(now)
        try:
            self._take_all(now, report)
        finally:
            self.learner.forget()
        return report

    def _take_all(self, now: int, report: TickReport) -> None:
        while not self.is_stopping:
            lease = new_lease(self.clock(), self.settings.lease_seconds)
            try:
                with kept_alive(self.store, lease, self.clock, self.settings.lease_seconds):
                    batch = self._take(lease, now, report)
                    if batch.is_empty:
                        break
                    self._finish(lease, now, batch, report)
            except LeaseLost as lost:
                self._release(lease, now, lost)
                report.is_held = True
                break
            except BaseException as fault:
                self._release(lease, now, fault)
                raise

    def _release(self, lease: Lease, now: int, fault: BaseException) -> None:
        reason = f"{type(fault).__name__}: {fault}"
        # A lost lease and a lost store are no session's doing, however often they come.
        blameless = (LeaseLost, StoreUnavailable)
        counts = isinstance(fault, Exception) and not isinstance(fault, blameless)
        try:
            self.store.release(lease, now, reason, counts=counts)
        except StoreUnavailable:
            self._left = lease, reason

    def _release_what_was_left(self, now: int) -> None:
        """Let go of a batch that could not be let go of when the store was gone."""
        if self._left is not None:
            lease, reason = self._left
            self.store.release(lease, now, reason, counts=False)
            self._left = None

    def _take(self, lease: Lease, now: int, report: TickReport) -> _Batch:
        """Claim until a batch is full of sessions that can be learnt from, or none are left."""
        batch = _Batch([], {}, {})
        while (limit := self.settings.batch_size - batch.n_chosen) > 0:
            claim = self.store.claim(lease.renewed(self.clock()), now, limit)
            report.is_held |= claim.is_held
            if not len(claim.sessions):
                break
            self._judge(claim.sessions, now, batch)
        return batch

    def _judge(self, sessions: PendingSessions, now: int, batch: _Batch) -> None:
        codes, judged = judge_pending(self.settings.selection, sessions, now)
        for row in np.flatnonzero(codes).tolist():
            batch.done[sessions.session_ids[row]] = REASONS[codes[row]]
        batch.chosen.append(judged.take(np.flatnonzero(codes == 0)))

    def _finish(self, lease: Lease, now: int, batch: _Batch, report: TickReport) -> None:
        """Learn a batch, and write it down."""
        lesson = self._learn(batch)
        outcome = Outcome(
            tick=now,
            generation=self.learner.generation,
            done=batch.done,
            failed=batch.failed,
            copies=lesson.copies,
            terms=lesson.terms,
            expected=self.settings.expected,
        )
        self.store.finish(lease, outcome)
        self.learner.keep(lesson)
        report.counts.update(batch.done.values())
        if batch.failed:
            report.counts[FAILED] += len(batch.failed)
            report.failures |= batch.failed
        report.n_batches += 1

    def _learn(self, batch: _Batch) -> Lesson:
        """What a batch teaches; its sessions move on to those that are done, or have failed."""
        sessions = joined(batch.chosen)
        faults = self.learner.faults(sessions)
        sound = _without(sessions, faults)
        try:
            lesson = self.learner.learn(sound)
        except ValueError:
            refused = self._refused(sound)
            batch.failed.update((sound.session_ids[row], why) for row, why in refused.items())
            sound = _without(sound, refused)
            lesson = self.learner.learn(sound)
        batch.failed.update((sessions.session_ids[row], why) for row, why in faults.items())
        batch.done.update(dict.fromkeys(sound.session_ids, REASONS[0]))
        return lesson

    def _refused(self, sessions: TaughtSessions) -> dict[int, str]:
        """Rows of the sessions that the adjuster refuses even alone, with its reasons."""
        refused = {}
        for row in range(len(sessions)):
            try:
                self.learner.learn(sessions.take(np.array([row])))
            except ValueError as error:
                refused[row] = str(error)
        return refused


def _without(sessions: TaughtSessions, rows: Collection[int]) -> TaughtSessions:
    return sessions.take(np.setdiff1d(np.arange(len(sessions)), list(rows)))


def _learner(
    adjuster: VectorsAdjuster, store: WorkerStore, index: VectorIndex, settings: WorkerSettings
) -> Learner:
    """The way to learn with an adjuster."""
    how = store, index, settings.generation, settings.memory
    if isinstance(adjuster, BatchAdjuster):
        return FlatLearner(adjuster, *how)
    if settings.memory == "refit":
        raise ValueError(f"refit needs a BatchAdjuster, got {type(adjuster).__name__}.")
    return SessionLearner(adjuster, *how)
