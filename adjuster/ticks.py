"""When the improvement worker takes a session: once it is quiet, at the next tick."""

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
"""A time that never comes."""


def marking_times(
    session: NDArray[np.integer], times: NDArray[np.int64], n_sessions: int, quiet_seconds: int
) -> NDArray[np.int64]:
    """When each session is marked for improvement.

    Like an application that calls a search over when nothing has happened for a while, it is
    marked `quiet_seconds` after the first of its events that no other follows within that time.
    What comes later is too late.

    Args:
        session: Shape ``(n_events,)``: session of each event.
        times: Shape ``(n_events,)``: its time, no earlier than its search.
        n_sessions: Number of sessions.
        quiet_seconds: Seconds without an event.

    Returns:
        Shape ``(n_sessions,)``: `NEVER` for a session without an event.

    Example:
        >>> marking_times(np.array([0, 0, 0]), np.array([5, 8, 90]), 1, 60).tolist()
        [68]
    """
    order = np.lexsort((times, session))
    session, times = session[order], times[order]
    last_of_session = np.append(session[1:] != session[:-1], True)[: len(session)]
    gap = np.append(np.diff(times), 0)[: len(times)]
    quiet = np.flatnonzero(last_of_session | (gap > quiet_seconds))
    marked = np.full(n_sessions, NEVER)
    np.minimum.at(marked, session[quiet], times[quiet] + quiet_seconds)
    return marked


def tick_after(times: NDArray[np.int64], interval_seconds: int) -> NDArray[np.int64]:
    """The first tick at or after each time; an interval of 0 ticks at once.

    Example:
        >>> tick_after(np.array([1, 60, 61]), 60).tolist()
        [60, 60, 120]
    """
    if interval_seconds == 0:
        return times
    known = times < NEVER
    ticks = np.full(len(times), NEVER)
    ticks[known] = -(-times[known] // interval_seconds) * interval_seconds
    return ticks
