"""The replay through the live worker itself, tick by tick: twin of the replays over arrays."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.adjusters.base import VectorsAdjuster
from adjuster.adjusters.by_config import adjuster_for
from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.fused_engine.streams import make_corpus, score_originals
from adjuster.index import SearchIndexInfo
from adjuster.live.learning.worker import ImprovementWorker, WorkerSettings
from adjuster.live.retrieval.personalization import PersonalizedVectors
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.leases import Lease
from adjuster.live.storage.pending_sessions import PendingSession, PendingSessions
from adjuster.live.storage.records import Copy, Rows, Term
from adjuster.live.storage.store import Claim, Outcome, Pair
from adjuster.metrics.drift import drift
from adjuster.ragged import offsets_of
from adjuster.ticks import NEVER, tick_after
from experiments.data.format.click_log import ClickLog
from experiments.replay.settings import Settings
from experiments.replay.timeline import Timeline


class LogIndex:
    """The originals of a click log, as the worker reads them."""

    def __init__(self, log: ClickLog) -> None:
        self.log = log
        self.row_of = {name: row for row, name in enumerate(log.object_ids)}

    def vectors(self, object_id: str) -> NDArray[np.float32]:
        """See `VectorIndex.vectors`."""
        row = self.row_of[object_id]
        first, last = self.log.object_offsets[row : row + 2]
        return self.log.object_vectors[first:last]


class LogStore:
    """A timeline's sessions as they would be pending in a live system, and its copies in memory.

    See `WorkerStore` for what each method does. There is one worker, and a fault ends the replay,
    so that leases are not kept.

    Args:
        timeline: The replay.
        vectors: The owners' copies; filled.
    """

    def __init__(self, timeline: Timeline, vectors: PersonalizedVectors) -> None:
        self.timeline, self.vectors = timeline, vectors
        log = timeline.log
        usable = (timeline.marked_at < NEVER) & (timeline.owner >= 0) & ~timeline.withheld
        sessions = np.flatnonzero(usable)
        order = np.lexsort((sessions, timeline.marked_at[sessions]))
        self.waiting = sessions[order]
        self.next = 0
        self.query_of = {name: row for row, name in enumerate(log.query_ids)}
        self.event_order = np.searchsorted(
            log.event_impression, log.impression_offsets[: timeline.n_sessions + 1]
        )
        self._version = 0
        self._having = {copy.user_id for copy in vectors}
        self._terms: dict[Pair, dict[str, Term]] = {}

    def claim(self, lease: Lease, tick: int, limit: int) -> Claim:
        """See `WorkerStore.claim`."""
        first, marked = self.next, self.timeline.marked_at
        last = min(first + limit, len(self.waiting))
        while self.next < last and marked[self.waiting[self.next]] <= tick:
            self.next += 1
        rows = self.waiting[first : self.next].tolist()
        return Claim(PendingSessions.of([self._read(row) for row in rows]))

    def _read(self, session: int) -> PendingSession:
        timeline, log = self.timeline, self.timeline.log
        first, last = timeline.offsets[session : session + 2]
        events = slice(self.event_order[session], self.event_order[session + 1])
        return PendingSession(
            session_id=log.session_ids[session],
            owner=str(timeline.owner[session]),
            query_id=log.query_ids[timeline.query[session]],
            created_at=int(timeline.created_at[session]),
            is_irrelevant=bool(log.session_is_irrelevant[session]),
            shown=tuple(log.object_ids[log.impression_object[first:last]]),
            click_positions=tuple((log.event_impression[events] - first).tolist()),
            click_times=tuple(log.event_created_at[events].tolist()),
        )

    def queries(self, query_ids: Collection[str]) -> dict[str, Rows]:
        """See `WorkerStore.queries`."""
        log = self.timeline.log
        return {name: log.vectors_of_query(self.query_of[name]) for name in query_ids}

    def copies(self, generation: int, pairs: Collection[Pair]) -> Copies:
        """See `WorkerStore.copies`."""
        vectors = self.vectors
        mine = [Copy(*pair, vectors.vectors(*pair)) for pair in pairs if vectors.is_adjusted(*pair)]
        return Copies.of(mine)

    def owners_with_copies(self, generation: int, owners: Collection[str]) -> set[str]:
        """See `WorkerStore.owners_with_copies`."""
        return self._having.intersection(owners)

    def copies_version(self) -> int:
        """See `WorkerStore.copies_version`."""
        return self._version

    def terms(self, generation: int, pairs: Collection[Pair]) -> list[Term]:
        """See `WorkerStore.terms`."""
        return [term for pair in pairs for term in self._terms.get(pair, {}).values()]

    def finish(self, lease: Lease, outcome: Outcome) -> None:
        """See `WorkerStore.finish`."""
        self._version += len(outcome.copies) > 0
        for copy in outcome.copies:
            self.vectors.store(*copy)
            self._having.add(copy.owner)
        for term in outcome.terms:
            self._terms.setdefault((term.owner, term.object_id), {})[term.query_id] = term

    def renew(self, lease: Lease) -> bool:
        """See `WorkerStore.renew`."""
        return True

    def another(self) -> "LogStore":
        """See `WorkerStore.another`: all of it may be read by any thread."""
        return self

    def close(self) -> None:
        """See `WorkerStore.close`."""

    def release(self, lease: Lease, tick: int, reason: str, *, counts: bool) -> None:
        """See `WorkerStore.release`."""


def published_replay(timeline: Timeline, settings: Settings, batch_size: int) -> "TickingReplay":
    """A timeline replayed with the published adjuster.

    Args:
        timeline: The replay.
        settings: The setting, with ``semantics: published``; it cannot refit, and carries then.
        batch_size: Sessions in one call of the adjuster.
    """
    published = adjuster_for(timeline.log.index, settings.adjuster)
    memory = "restart" if settings.adjuster.memory == "restart" else "carry"
    return TickingReplay(timeline, published, settings, batch_size, memory)


@dataclass(frozen=True)
class TickingReplay:
    """A timeline replayed through an `ImprovementWorker` on a virtual clock.

    Args:
        timeline: The replay.
        adjuster: What the worker adjusts with.
        settings: Interval and selection.
        batch_size: Sessions in one call of the adjuster.
        memory: One of `MEMORIES`; ``refit`` takes a `BatchAdjuster`.
    """

    timeline: Timeline
    adjuster: VectorsAdjuster
    settings: Settings
    batch_size: int
    memory: str

    def run(
        self,
        vectors: PersonalizedVectors,
        scores: NDArray[np.floating],
        adjusted: NDArray[np.bool_],
    ) -> Iterator[int]:
        """Replay every session in order of time, ticking in between.

        Args:
            vectors: The owners' copies; filled.
            scores: Shape ``(n_impressions,)``: overwritten where the owner has a copy.
            adjusted: Shape ``(n_impressions,)``: set where the owner has a copy.

        Yields:
            Each session, once it has been ranked; after the last one, the number of sessions.
        """
        timeline = self.timeline
        worker = ImprovementWorker(
            LogStore(timeline, vectors),
            vectors.index,
            self.adjuster,
            WorkerSettings(
                selection=self.settings.selection,
                batch_size=self.batch_size,
                memory=self.memory,
            ),
        )
        ticks = self._ticks()
        knobs = make_knobs(timeline.log.index, AdjusterConfig())
        tick = 0
        for session in range(timeline.n_sessions):
            # A search at the very second of a tick still reads the vectors from before it.
            while tick < len(ticks) and ticks[tick] < timeline.created_at[session]:
                worker.tick(int(ticks[tick]))
                tick += 1
            self._rank(knobs, vectors, session, scores, adjusted)
            yield session
        for now in ticks[tick:]:
            worker.tick(int(now))
        yield timeline.n_sessions

    def _ticks(self) -> NDArray[np.int64]:
        """The ticks at which something may be pending; the others would do nothing."""
        marked = np.unique(self.timeline.marked_at)
        ticks = np.unique(tick_after(marked, self.settings.adjuster.interval_seconds))
        return ticks[ticks <= self.timeline.closes_at]

    def _rank(
        self,
        knobs: Knobs,
        vectors: PersonalizedVectors,
        session: int,
        scores: NDArray[np.floating],
        adjusted: NDArray[np.bool_],
    ) -> None:
        timeline, log = self.timeline, self.timeline.log
        owner = timeline.owner[session]
        if owner < 0:
            return
        first, last = timeline.offsets[session : session + 2]
        names = log.object_ids[log.impression_object[first:last]]
        chosen = [i for i, name in enumerate(names) if vectors.is_adjusted(str(owner), name)]
        if not chosen:
            return
        parts = [vectors.vectors(str(owner), names[i]) for i in chosen]
        query = log.vectors_of_query(int(timeline.query[session]))
        rows = np.arange(first, last)[chosen]
        scores[rows] = _score(log.index, knobs, parts, query)
        adjusted[rows] = True


def _score(
    index: SearchIndexInfo,
    knobs: Knobs,
    parts: list[NDArray[np.floating]],
    query: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Scores of objects for one query, as an index ranks."""
    offsets = offsets_of([len(part) for part in parts])
    corpus = make_corpus(np.concatenate(parts), offsets, query, offsets_of([len(query)]), index)
    numbers = np.arange(len(parts))
    return score_originals(corpus, knobs, numbers, np.zeros(len(parts), np.int64))


def drift_of(vectors: PersonalizedVectors) -> NDArray[np.float64]:
    """1 - cosine of every copy. Shape ``(n_copies,)``."""
    copies = list(vectors)
    if not copies:
        return np.empty(0)
    originals = [vectors.original(copy.original_id) for copy in copies]
    return drift(
        np.concatenate(originals),
        np.concatenate([copy.vectors for copy in copies]),
        offsets_of([len(rows) for rows in originals]),
    )
