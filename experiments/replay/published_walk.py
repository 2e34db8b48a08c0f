"""The published semantics replayed over arrays: call by call, search by search, in order of time.

It is what the live worker computes with the `PublishedAdjuster`, to the last bit: a tick's
sessions in batches, each batch one call, of which later searches of the same owner read the copies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.fused_engine.published_kernel import Queries, adjust_sessions
from adjuster.fused_engine.streams import Corpus, score_originals
from adjuster.ragged import offsets_of
from adjuster.scale import shifted
from experiments.replay.drift_growth import sum_drift
from experiments.replay.exact_sums import ExactSums
from experiments.replay.published_calls import CallRows, lay_calls
from experiments.replay.published_copies import CopyTable, StoredCopies
from experiments.replay.published_sessions import TaughtSessions
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class WalkState:
    """Where a walk stands.

    Args:
        copies: The copies that there are.
        taught: The sessions that wait for a call, or will.
    """

    copies: StoredCopies
    taught: TaughtSessions


@dataclass(frozen=True)
class Beginning:
    """Where a walk begins.

    Args:
        state: What there is, and who will be taken.
        n_together: Shape ``(n,)``: how many sessions of its call each one's loss is a mean over;
            None where all sessions of a call are among them, who are counted then.
        is_past_middle: Whether drift has been measured half-way.
    """

    state: WalkState
    n_together: NDArray[np.integer] | None = None
    is_past_middle: bool = False


class PublishedWalk:
    """Some sessions that follow each other, on their way through time under one setting.

    `refused` are those that the adjuster did not take; `half_way` is what `early_drift` will be,
    once that is known.

    Args:
        timeline: The sessions.
        corpus: The originals and the queries.
        step_at: Shape ``(n_steps,)``: when each call is made.
        config: The setting. It cannot refit, and carries then.
        beginning: What there is before, and who is taken.
        n_threads: 0 is one a core; the result does not depend on it.
    """

    def __init__(
        self,
        timeline: Timeline,
        corpus: Corpus,
        step_at: NDArray[np.int64],
        config: AdjusterConfig,
        beginning: Beginning,
        *,
        n_threads: int = 0,
    ) -> None:
        self._timeline, self._corpus, self._n_threads = timeline, corpus, n_threads
        self._knobs = make_knobs(timeline.log.index, config)
        self._restarts = config.memory == "restart"
        taught = beginning.state.taught
        self.table = CopyTable(timeline.log, taught.pair, beginning.state.copies)
        self._counts = beginning.n_together is None
        self._calls = lay_calls(timeline.log, taught, self.table, beginning.n_together)
        self._called_at = step_at[self._calls.step]
        self._slot = self.table.slots(_shown_pairs(timeline)).astype(np.int32)
        self._next_call, self._next_session = 0, 0
        self._is_past_middle = beginning.is_past_middle
        self.half_way: ExactSums | None = None
        self.refused: list[int] = []

    def state(self) -> WalkState:
        """The copies as they stand, and the sessions whose calls have not been made."""
        taught = self._calls.taught
        waiting = np.arange(self._calls.first[self._next_call], len(taught))
        return WalkState(self.table.stored(), taught.take(waiting))

    def advance(self, end: int, scores: NDArray[np.floating], adjusted: NDArray[np.bool_]) -> None:
        """Replay the sessions before this one; those that were replayed are left alone.

        Args:
            end: Number of the session within the timeline.
            scores: Shape ``(n_impressions,)``: overwritten where the owner has a copy.
            adjusted: Shape ``(n_impressions,)``: set where the owner has a copy.
        """
        created_at = self._timeline.created_at
        while self._next_session < end:
            # A search at the very second of a tick still reads the vectors from before it.
            while self._is_due(int(created_at[self._next_session])):
                self._call_next()
            stop = end
            if self._next_call < len(self._called_at):
                at = self._called_at[self._next_call]
                stop = min(end, int(np.searchsorted(created_at, at, side="right")))
            self._score(self._next_session, stop, scores, adjusted)
            self._next_session = stop

    def finish(self) -> None:
        """Make the calls that are left."""
        while self._next_call < len(self._called_at):
            self._call_next()
        self._look_early()

    def drift(self) -> ExactSums:
        """1 - cosine of the copies once all calls are made, summed."""
        self.finish()
        return self._drift()

    def early_drift(self) -> ExactSums:
        """The same half-way through the scored sessions; nothing if that was in another walk."""
        self.finish()
        return ExactSums() if self.half_way is None else self.half_way

    def _drift(self) -> ExactSums:
        return sum_drift(self.table.drift())

    def _is_due(self, now: int) -> bool:
        return self._next_call < len(self._called_at) and self._called_at[self._next_call] < now

    def _call_next(self) -> None:
        number = self._next_call
        if self._called_at[number] >= self._timeline.middle_at:
            self._look_early()
        self._call(number)
        self._next_call += 1

    def _look_early(self) -> None:
        if not self._is_past_middle:
            self.half_way, self._is_past_middle = self._drift(), True

    def _call(self, number: int) -> None:
        """Make a call, without the sessions that the adjuster refuses."""
        if not self.table.refuses or self._restarts:
            self._adjust(self._calls.rows_of_call(number))
            return
        mine = self._calls.sessions_of(number)
        taught = self._calls.taught.take(np.arange(mine.start, mine.stop))
        of_object = self.table.is_refused[self.table.slots(taught.pair)]
        refused = np.logical_or.reduceat(of_object, taught.offsets[:-1])
        self.refused += taught.session[refused].tolist()
        left = np.flatnonzero(~refused)
        if len(left):
            told = self._calls.together.sessions.n_together[mine][left]
            some = taught.take(left)
            again = lay_calls(self._timeline.log, some, self.table, None if self._counts else told)
            self._adjust(again.rows_of_call(0))

    def _adjust(self, call: CallRows) -> None:
        """Adjust the sessions of a call, and keep what differs from what there was."""
        table, now = self.table, self.table.vectors[call.row]
        starts, shifts = now, table.shifts[call.row]
        if self._restarts:
            starts = self._timeline.log.object_vectors[table.original[call.row]]
            shifts = table.original_shifts[call.row]
        if shifts.any():
            shifts = np.where(call.is_moved, shifts, 0).astype(np.intc)
        padded = np.zeros((call.n_padded, now.shape[1]), now.dtype)
        padded[call.place] = shifted(starts, shifts)
        queries = Queries(self._corpus.queries, self._corpus.query_offsets)
        made = adjust_sessions(
            self._knobs, call.sessions, padded, queries, n_threads=self._n_threads
        )
        moved = shifted(made[call.place], -shifts)
        self._keep(call, moved, now)

    def _keep(self, call: CallRows, moved: NDArray[np.floating], now: NDArray[np.floating]) -> None:
        """Keep of each pair what the last session made of it that changed it.

        Args:
            call: The call.
            moved: Shape ``(n_rows, D)``: what was made of each row.
            now: Shape ``(n_rows, D)``: what stood there before; overwritten.
        """
        parts = offsets_of(call.n_parts)
        if call.is_again.any():
            # Of a pair that is shown again, what stood there is what the session before has made.
            again = np.flatnonzero(np.repeat(call.is_again, call.n_parts))
            now[again] = moved[again - np.repeat(call.n_parts, call.n_parts)[again]]
        differs = np.logical_or.reduceat((moved != now).any(axis=1), parts[:-1])
        shown = np.flatnonzero(differs)
        slots = call.slot[shown]
        last = np.append(slots[1:] != slots[:-1], True)[: len(slots)]
        shown, slots = shown[last], slots[last]
        is_kept = np.zeros(len(call.slot), np.bool_)
        is_kept[shown] = True
        rows = np.repeat(is_kept, call.n_parts)
        self.table.write(slots, call.row[rows], moved[rows])

    def _score(
        self, first: int, last: int, scores: NDArray[np.floating], adjusted: NDArray[np.bool_]
    ) -> None:
        """Score what sessions ``first:last`` show of which their owners have copies."""
        timeline, table = self._timeline, self.table
        begin, end = timeline.offsets[first], timeline.offsets[last]
        shown = begin + np.flatnonzero(table.is_copy[self._slot[begin:end]])
        if not len(shown):
            return
        slots = self._slot[shown]
        rows = table.rows(slots)
        corpus = self._corpus._replace(
            vectors=shifted(table.vectors[rows], table.shifts[rows]),
            object_offsets=offsets_of(table.n_parts[slots]),
        )
        query = timeline.query[timeline.session_of[shown]]
        numbers = np.arange(len(shown), dtype=np.int32)
        scores[shown] = score_originals(
            corpus, self._knobs, numbers, query, n_threads=self._n_threads
        )
        adjusted[shown] = True


def _shown_pairs(timeline: Timeline) -> NDArray[np.int64]:
    """Each object that is shown and who owns it, as in `TaughtSessions`; -1 without an owner."""
    owner = timeline.owner[timeline.session_of]
    objects = timeline.log.impression_object[: timeline.n_impressions]
    return np.where(owner >= 0, owner * timeline.log.n_objects + objects, -1)
