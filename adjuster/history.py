"""What had happened in sessions by the time at which the worker took them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import row_maxima, row_sums
from adjuster.selection import SelectionConfig, select
from adjuster.ticks import NEVER


class SessionHistory(NamedTuple):
    """Sessions with their results and the events on them, flat and ragged.

    Args:
        created_at: Shape ``(n_sessions,)``: time of the search, in epoch seconds.
        is_irrelevant: Shape ``(n_sessions,)``: marked by the user as irrelevant.
        offsets: Shape ``(n_sessions + 1,)``: a session's impressions.
        position: Shape ``(n_impressions,)``: 0-based place at which each was shown.
        event_session: Shape ``(n_events,)``: session of each event.
        event_at: Shape ``(n_events,)``: its time.
    """

    created_at: NDArray[np.int64]
    is_irrelevant: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    position: NDArray[np.integer]
    event_session: NDArray[np.integer]
    event_at: NDArray[np.int64]


def first_events(
    event_impression: NDArray[np.integer], event_at: NDArray[np.int64], n_impressions: int
) -> NDArray[np.int64]:
    """When the first event came on each impression; `NEVER` where none did.

    Example:
        >>> first_events(np.array([1, 1]), np.array([8, 5]), 2)[1:].tolist()
        [5]
    """
    first = np.full(n_impressions, NEVER)
    np.minimum.at(first, event_impression, event_at)
    return first


def judge(
    rule: SelectionConfig,
    history: SessionHistory,
    clicked: NDArray[np.bool_],
    taken_at: NDArray[np.int64],
) -> NDArray[np.int8]:
    """What `select` answers for sessions by what had arrived when each was taken.

    Args:
        rule: Which sessions are used.
        history: The sessions.
        clicked: Shape ``(n_impressions,)``: clicked by the time at which its session was taken.
        taken_at: Shape ``(n_sessions,)``: that time.

    Returns:
        Shape ``(n_sessions,)``: codes of `adjuster.selection.REASONS`.
    """
    session, at = history.event_session, history.event_at
    arrived = at <= taken_at[session]
    last_event = history.created_at.copy()
    np.maximum.at(last_event, session[arrived], at[arrived])
    positions = np.where(clicked, history.position, -1)
    return select(
        rule,
        is_irrelevant=history.is_irrelevant,
        n_clicks=row_sums(clicked, history.offsets),
        duration_seconds=last_event - history.created_at,
        last_clicked_position=row_maxima(positions, history.offsets, empty=-1),
    )
