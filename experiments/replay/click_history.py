"""What of all that is shown had been clicked by the same user in an earlier session, and when."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.replay.timeline import Timeline

DAY = 86_400
REFINDING_DAYS = 7
"""People look again for what they found mostly within some days (Tyler and Teevan, *Large scale
query log analysis of re-finding*, WSDM 2010); who clicks it after more days likes it."""


class ClickHistory(NamedTuple):
    """What a user did before to what is shown; depends on one (user, object) pair alone.

    Args:
        before: Shape ``(n_impressions,)`` bool: clicked in an earlier session, before this one.
        long_ago: Shape ``(n_impressions,)`` bool: last so more than `REFINDING_DAYS` ago.
    """

    before: NDArray[np.bool_]
    long_ago: NDArray[np.bool_]


def click_history(timeline: Timeline) -> ClickHistory:
    """What users had done before to what each impression shows.

    Args:
        timeline: The replay, or all of its showings of some objects or to some users.
    """
    return ClickHistory(clicked_before(timeline), clicked_long_ago(timeline))


def clicked_before(timeline: Timeline) -> NDArray[np.bool_]:
    """Impressions of objects that the same user clicked in an earlier session, before this one.

    Returns:
        Shape ``(n_impressions,)`` bool; False for an unknown user.
    """
    user = timeline.log.session_user[: timeline.n_sessions].astype(np.int64)[timeline.session_of]
    objects = timeline.log.impression_object[: timeline.n_impressions]
    _, pair = np.unique(user * timeline.log.n_objects + objects, return_inverse=True)
    first = np.full(pair.max(initial=0) + 1, NEVER)
    np.minimum.at(first, pair, timeline.click_at)
    # The first click on the pair is this session's own if it is not before its search.
    return (user >= 0) & (first[pair] < timeline.created_at[timeline.session_of])


def clicked_long_ago(timeline: Timeline, days: float = REFINDING_DAYS) -> NDArray[np.bool_]:
    """Impressions whose user last clicked the object, in an earlier session, so many days ago.

    Args:
        timeline: The replay.
        days: More than these.

    Returns:
        Shape ``(n_impressions,)`` bool; False for an unknown user and what was never clicked.
    """
    log, n = timeline.log, timeline.n_impressions
    user = log.session_user[: timeline.n_sessions].astype(np.int64)[timeline.session_of]
    pair = user * log.n_objects + log.impression_object[:n]
    order = np.argsort(pair, kind="stable")
    group = np.cumsum(np.diff(pair[order], prepend=pair[order[:1]]) != 0)
    start = int(timeline.created_at.min(initial=0))
    clicked = timeline.click_at[order]
    time = np.where(clicked < NEVER, clicked - start + 1, 0)
    span = int(time.max(initial=0)) + 1
    # Sessions stand in order of time, so that what came earlier stands above.
    latest = np.maximum.accumulate(group * span + time)[:-1] - group[1:] * span
    last = np.zeros(n, np.int64)
    last[order[1:]] = latest
    now = timeline.created_at[timeline.session_of] - start + 1
    return (user >= 0) & (last > 0) & (last < now - days * DAY)
