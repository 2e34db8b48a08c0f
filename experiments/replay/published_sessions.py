"""The sessions that the published adjuster is called with: in which call, and what they show.

Its loss is a mean over the sessions of a call that have one shape, whoever owns them. That number
joins them, and nothing else does: a session that is told it needs no other but its owner's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import offsets_of, row_maxima, row_sums, rows_of
from adjuster.terms import changes
from experiments.data.format.click_log import ClickLog
from experiments.replay.schedule import Schedule
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class Calls:
    """Which sessions the adjuster is called with, and when.

    Args:
        turn: Shape ``(n_sessions,)``: place of each among all that are used, in the order in which
            they are taken; -1 if it is not used.
        step: Shape ``(n_sessions,)``: which call it is in; -1 if it is not used.
        known_at: Shape ``(n_sessions,)``: the tick up to which its events are known.
        step_at: Shape ``(n_steps,)``: when each call is made.
    """

    turn: NDArray[np.int64]
    step: NDArray[np.int64]
    known_at: NDArray[np.int64]
    step_at: NDArray[np.int64]

    def of_sessions(self, first: int, last: int) -> "Calls":
        """Those of some sessions that follow each other."""
        mine = slice(first, last)
        return Calls(self.turn[mine], self.step[mine], self.known_at[mine], self.step_at)


def calls_of(schedule: Schedule, marked_at: NDArray[np.int64]) -> Calls:
    """The calls of a schedule.

    Args:
        schedule: The worker's ticks, of all sessions.
        marked_at: Shape ``(n_sessions,)``: when each is marked.
    """
    used = np.flatnonzero(schedule.step >= 0)
    turn = np.full(len(schedule.step), -1)
    turn[used[np.lexsort((used, marked_at[used], schedule.step[used]))]] = np.arange(len(used))
    return Calls(turn, schedule.step, schedule.taken.known_at, schedule.step_at)


@dataclass(frozen=True)
class TaughtSessions:
    """Sessions that are taken, in the order in which they are, flat and ragged.

    Args:
        session: Shape ``(n,)``: number of each among all sessions.
        turn: Shape ``(n,)``: see `Calls`.
        step: Shape ``(n,)``: see `Calls`; never falls.
        query: Shape ``(n,)``: what was asked.
        n_clicked: Shape ``(n,)``: how many of its objects were clicked by the tick.
        offsets: Shape ``(n + 1,)``: a session's part of `pair`.
        pair: Shape ``(n_shown,)``: each object and who owns it, as ``owner · n_objects + object``;
            a session's clicked objects first, and either kind as it was shown.
    """

    session: NDArray[np.int64]
    turn: NDArray[np.int64]
    step: NDArray[np.int64]
    query: NDArray[np.int64]
    n_clicked: NDArray[np.int64]
    offsets: NDArray[np.int64]
    pair: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.session)

    @property
    def n_shown(self) -> NDArray[np.int64]:
        """Objects of each session, shape ``(n,)``."""
        return np.diff(self.offsets)

    @property
    def is_moved(self) -> NDArray[np.bool_]:
        """Which have a clicked and an unclicked object; the others come back as they are."""
        return (self.n_clicked > 0) & (self.n_clicked < self.n_shown)

    def take(self, rows: NDArray[np.integer]) -> "TaughtSessions":
        """Some of them, in the order of `rows`."""
        lengths = self.n_shown[rows]
        columns = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in ("offsets", "pair")
        }
        pair = self.pair[rows_of(self.offsets[rows], lengths)]
        return TaughtSessions(**columns, offsets=offsets_of(lengths), pair=pair)


def together(parts: Sequence[TaughtSessions]) -> TaughtSessions:
    """Sessions of several parts of a log, in the order in which they are taken."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(TaughtSessions)
        if field.name != "offsets"
    }
    lengths = np.concatenate([part.n_shown for part in parts])
    joined = TaughtSessions(**columns, offsets=offsets_of(lengths))
    return joined.take(np.argsort(joined.turn))


def taught_sessions(timeline: Timeline, calls: Calls, first: int = 0) -> TaughtSessions:
    """The sessions of a timeline that are taken.

    Args:
        timeline: The replay, or some of its sessions; those of which it shows nothing are left out.
        calls: Of the timeline's sessions.
        first: Number of the timeline's first session among all sessions.
    """
    is_taken = (calls.step >= 0) & (np.diff(timeline.offsets) > 0)
    sessions = np.flatnonzero(is_taken)
    sessions = sessions[np.argsort(calls.turn[sessions])]
    offsets = offsets_of(np.diff(timeline.offsets)[sessions])
    impression = rows_of(timeline.offsets[sessions], np.diff(offsets))
    place = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    clicked = timeline.click_at[impression] <= calls.known_at[sessions][place]
    impression = impression[np.argsort(2 * place + ~clicked, kind="stable")]
    return TaughtSessions(
        session=first + sessions,
        turn=calls.turn[sessions],
        step=calls.step[sessions],
        query=timeline.query[sessions].astype(np.int64),
        n_clicked=row_sums(clicked, offsets),
        offsets=offsets,
        pair=timeline.owner[sessions][place] * timeline.log.n_objects
        + timeline.log.impression_object[impression],
    )


def most_parts(timeline: Timeline) -> NDArray[np.int64]:
    """Parts of the longest object that each session shows, 0 where it shows none."""
    parts = np.diff(timeline.log.object_offsets)
    shown = timeline.log.impression_object[: timeline.n_impressions]
    return row_maxima(parts[shown], timeline.offsets, empty=0)


def count_together(
    log: ClickLog,
    step: NDArray[np.int64],
    query: NDArray[np.integer],
    n_clicked: NDArray[np.int64],
    n_shown: NDArray[np.int64],
    n_parts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """How many sessions of its call each session shares its shape with, itself among them.

    Args:
        log: Says how many parts a query has.
        step: Shape ``(n,)``: which call each is in; -1 for one that does not count.
        query: Shape ``(n,)``: what was asked.
        n_clicked: Shape ``(n,)``: clicked objects.
        n_shown: Shape ``(n,)``: all objects.
        n_parts: Shape ``(n,)``: parts of the longest one.

    Returns:
        Shape ``(n,)``; 0 for a session that does not count.
    """
    rows = np.flatnonzero((step >= 0) & (n_clicked > 0) & (n_clicked < n_shown))
    n_asked = np.diff(log.query_offsets)[query[rows]]
    columns = (step[rows], n_clicked[rows], n_shown[rows], n_parts[rows], n_asked)
    order = np.lexsort(columns)
    opens = np.flatnonzero(changes(*(column[order] for column in columns)))
    sizes = np.diff(np.append(opens, len(rows)))
    counts = np.zeros(len(step), np.int64)
    counts[rows[order]] = np.repeat(sizes, sizes)
    return counts
