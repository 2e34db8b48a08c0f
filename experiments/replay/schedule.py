"""When the improvement worker would take which session: its ticks for a whole log at once.

A tick takes the sessions that were marked by then, judges them by the events that have arrived
(`adjuster.selection`), and adjusts them in batches in the order in which they were marked. A
search made at the very second of a tick still reads the vectors from before it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.history import SessionHistory, judge
from adjuster.ragged import row_sums
from adjuster.selection import REASONS, SelectionConfig
from adjuster.ticks import NEVER, tick_after
from experiments.replay.timeline import Timeline

NOT_TAKEN = ("no_click", "no_owner", "withheld", "after_the_end")
"""Why a session never reaches the worker's selection, beside `REASONS`."""

FATES = (*REASONS, *NOT_TAKEN)
"""What may become of a session; the first is that it is used."""


@dataclass(frozen=True)
class Taken:
    """What the worker would do with each session; a session's part depends on no other session.

    Args:
        known_at: Shape ``(n_sessions,)``: the tick up to which the events of a session are known;
            -1 without one.
        fate: Shape ``(n_sessions,)``: 0 for a session that is used, else why not, by `FATES`.
        n_clicked: Shape ``(n_sessions,)``: clicked impressions, as far as the worker knows.
        n_shown: Shape ``(n_sessions,)``: all impressions.
        late_clicks: Shape ``(n_sessions,)``: clicks after a session had been taken.
    """

    known_at: NDArray[np.int64]
    fate: NDArray[np.int8]
    n_clicked: NDArray[np.int64]
    n_shown: NDArray[np.int64]
    late_clicks: NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """The worker's ticks over a timeline.

    Args:
        taken: What becomes of each session.
        step: Shape ``(n_sessions,)``: which call of the adjuster it is in, from 0 in order of
            time; -1 if it is not used.
        step_at: Shape ``(n_steps,)``: when each call is made.
    """

    taken: Taken
    step: NDArray[np.int64]
    step_at: NDArray[np.int64]

    @property
    def tick_at(self) -> NDArray[np.int64]:
        """When each session is taken; `NEVER` if it is not. Shape ``(n_sessions,)``."""
        return np.where(self.taken.fate < len(REASONS), self.taken.known_at, NEVER)

    @property
    def counts(self) -> dict[str, int]:
        """Reason → sessions, ``selected`` included."""
        found = np.bincount(self.taken.fate, minlength=len(FATES))
        return {name: int(n) for name, n in sorted(zip(FATES, found, strict=True)) if n}

    @property
    def late_clicks(self) -> int:
        """Clicked impressions whose click came after the session had been taken."""
        return int(self.taken.late_clicks.sum())


def build_schedule(
    timeline: Timeline, rule: SelectionConfig, *, interval_seconds: int, batch_size: int
) -> Schedule:
    """Work out every tick of a replay.

    Args:
        timeline: The replay.
        rule: Which sessions are used.
        interval_seconds: Seconds between ticks; 0 is at once.
        batch_size: Sessions in one call of the adjuster.
    """
    taken = take_sessions(timeline, rule, interval_seconds)
    return make_schedule(timeline.marked_at, taken, batch_size)


def take_sessions(timeline: Timeline, rule: SelectionConfig, interval_seconds: int) -> Taken:
    """What the worker would do with each session of a timeline.

    Args:
        timeline: The replay, or some of its sessions with all that they show.
        rule: Which sessions are used.
        interval_seconds: Seconds between ticks; 0 is at once.
    """
    session_of = timeline.session_of
    tick_at = tick_after(timeline.marked_at, interval_seconds)
    known_at = np.where(tick_at == NEVER, -1, tick_at)
    clicked = timeline.click_at <= known_at[session_of]
    not_taken = np.select(
        [
            timeline.marked_at == NEVER,
            timeline.owner < 0,
            timeline.withheld,
            tick_at > timeline.closes_at,
        ],
        [len(REASONS) + number for number in range(len(NOT_TAKEN))],
        0,
    )
    codes = judge(rule, _history(timeline), clicked, tick_at)
    late = (timeline.click_at < NEVER) & (not_taken == 0)[session_of] & ~clicked
    return Taken(
        known_at=known_at,
        fate=np.where(not_taken > 0, not_taken, codes).astype(np.int8),
        n_clicked=row_sums(clicked, timeline.offsets),
        n_shown=np.diff(timeline.offsets),
        late_clicks=row_sums(late, timeline.offsets),
    )


def _history(timeline: Timeline) -> SessionHistory:
    log = timeline.log
    n_events = np.searchsorted(log.event_impression, timeline.n_impressions)
    return SessionHistory(
        created_at=timeline.created_at,
        is_irrelevant=log.session_is_irrelevant[: timeline.n_sessions],
        offsets=timeline.offsets,
        position=log.impression_position[: timeline.n_impressions],
        event_session=log.event_session[:n_events],
        event_at=log.event_created_at[:n_events],
    )


def make_schedule(marked_at: NDArray[np.int64], taken: Taken, batch_size: int) -> Schedule:
    """Cut each tick's sessions, in the order in which they were marked, into batches.

    Args:
        marked_at: Shape ``(n_sessions,)``, of all sessions of a replay.
        taken: What becomes of them.
        batch_size: Sessions in one call of the adjuster.
    """
    sessions = np.flatnonzero(taken.fate == 0)
    tick_at = taken.known_at[sessions]
    order = np.lexsort((sessions, marked_at[sessions], tick_at))
    ticks = tick_at[order]
    starts = np.flatnonzero(np.diff(ticks, prepend=-1))
    within = np.arange(len(ticks)) - np.repeat(starts, np.diff(np.append(starts, len(ticks))))
    opens = within % batch_size == 0
    step = np.full(len(marked_at), -1, np.int64)
    step[sessions[order]] = np.cumsum(opens) - 1
    return Schedule(taken, step, ticks[opens])
