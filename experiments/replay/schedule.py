"""When the improvement worker would take which session: its ticks for a whole log at once.

A tick takes the sessions that were marked by then, judges them by the events that have arrived
(`adjuster.selection`), and adjusts them in batches in the order in which they were marked. A
search made at the very second of a tick still reads the vectors from before it.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.history import SessionHistory, judge
from adjuster.selection import REASONS, SelectionConfig
from adjuster.ticks import NEVER, tick_after
from experiments.replay.timeline import Timeline

NOT_TAKEN = ("no_click", "no_owner", "withheld", "after_the_end")
"""Why a session never reaches the worker's selection, beside `REASONS`."""


@dataclass(frozen=True)
class Schedule:
    """The worker's ticks over a timeline.

    Args:
        tick_at: Shape ``(n_sessions,)``: when a session is taken; `NEVER` if it is not.
        step: Shape ``(n_sessions,)``: which call of the adjuster it is in, from 0 in order of
            time; -1 if it is not used.
        step_at: Shape ``(n_steps,)``: when each call is made.
        clicked: Shape ``(n_impressions,)`` bool: clicked as far as the worker knows.
        counts: Reason → sessions, ``selected`` included.
        late_clicks: Clicked impressions whose click came after the session had been taken.
    """

    tick_at: NDArray[np.int64]
    step: NDArray[np.int64]
    step_at: NDArray[np.int64]
    clicked: NDArray[np.bool_]
    counts: dict[str, int]
    late_clicks: int


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
    session_of = timeline.session_of
    tick_at = tick_after(timeline.marked_at, interval_seconds)
    clicked = timeline.click_at <= np.where(tick_at == NEVER, -1, tick_at)[session_of]
    not_taken = np.select(
        [
            timeline.marked_at == NEVER,
            timeline.owner < 0,
            timeline.withheld,
            tick_at > timeline.closes_at,
        ],
        [1, 2, 3, 4],
        0,
    )
    codes = judge(rule, _history(timeline), clicked, tick_at)
    used = (not_taken == 0) & (codes == 0)
    counts = Counter(NOT_TAKEN[code - 1] for code in not_taken[not_taken > 0])
    counts.update(REASONS[code] for code in codes[not_taken == 0])
    step, step_at = _steps(timeline, tick_at, used, batch_size)
    clicks = (timeline.click_at < NEVER) & (not_taken == 0)[session_of]
    return Schedule(
        tick_at=np.where(not_taken == 0, tick_at, NEVER),
        step=step,
        step_at=step_at,
        clicked=clicked,
        counts=dict(sorted(counts.items())),
        late_clicks=int((clicks & ~clicked).sum()),
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


def _steps(
    timeline: Timeline, tick_at: NDArray[np.int64], used: NDArray[np.bool_], batch_size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut each tick's sessions, in the order in which they were marked, into batches."""
    sessions = np.flatnonzero(used)
    order = np.lexsort((sessions, timeline.marked_at[sessions], tick_at[sessions]))
    ticks = tick_at[sessions][order]
    starts = np.flatnonzero(np.diff(ticks, prepend=-1))
    within = np.arange(len(ticks)) - np.repeat(starts, np.diff(np.append(starts, len(ticks))))
    opens = within % batch_size == 0
    step = np.full(timeline.n_sessions, -1, np.int64)
    step[sessions[order]] = np.cumsum(opens) - 1
    return step, ticks[opens]
