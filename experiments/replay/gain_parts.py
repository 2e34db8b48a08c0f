"""What a gain is made of: objects that the user clicked before, lately or long ago."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.replay.labels import Labels
from experiments.replay.linear_score import LinearScore
from experiments.replay.timeline import Timeline

DAY = 86_400
REFINDING_DAYS = 7
"""People look again for what they found mostly within some days (Tyler and Teevan, *Large scale
query log analysis of re-finding*, WSDM 2010); who clicks it after more days likes it."""


@dataclass(frozen=True)
class GainPart:
    """Some results of scored sessions, and what each adds to a change.

    Args:
        rows: Shape ``(n,)``: the impressions.
        session: Shape ``(n,)``: which scored session each is of, 0-based.
        worth: Shape ``(n,)``: what it adds to the session's objective at discount 1.
    """

    rows: NDArray[np.int64]
    session: NDArray[np.int64]
    worth: NDArray[np.float64]

    def change(self, lift: NDArray[np.float64], n_scored: int) -> NDArray[np.float64]:
        """Their part in each scored session's change, shape ``(n_scored,)``.

        Args:
            lift: Shape ``(n_impressions,)``: each result's discount after less before.
            n_scored: Scored sessions.
        """
        each = self.worth * lift[self.rows]
        return np.bincount(self.session, each, n_scored).astype(np.float64)


def refound_part(
    timeline: Timeline,
    labels: Labels,
    linear: LinearScore,
    divisor: NDArray[np.float64] | float,
) -> GainPart:
    """Clicks on what the same user had clicked in an earlier session.

    Args:
        timeline: The replay.
        labels: Say what was clicked before.
        linear: The clicks that the gain is split by.
        divisor: Of a session's value; one for all, or shape ``(n_scored,)``.
    """
    first = int(timeline.offsets[timeline.scored_from])
    rows = first + np.flatnonzero(labels.clicked_before[first:] & (linear.gains[first:] != 0))
    session, scale = _scaled(timeline, rows, divisor)
    return GainPart(rows, session, linear.gains[rows] / scale)


def lasting_part(
    timeline: Timeline,
    labels: Labels,
    linear: LinearScore,
    divisor: NDArray[np.float64] | float,
) -> GainPart:
    """How much more what a user clicked long ago is clicked than what they never clicked.

    Each result last clicked by its user more than `REFINDING_DAYS` ago counts with its weighted
    clicks less the mean of those at the same position that its user never clicked. People who
    only look again for what they found leave nothing here, wherever adjusting moves it.

    Args:
        timeline: The replay.
        labels: Say what was clicked before, and what is left out.
        linear: The clicks that the gain is split by.
        divisor: Of a session's value; one for all, or shape ``(n_scored,)``.
    """
    first = int(timeline.offsets[timeline.scored_from])
    rows = np.arange(first, timeline.n_impressions)
    session, scale = _scaled(timeline, rows, divisor)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = linear.gains[first:] / scale
    counts = np.isfinite(worth)
    if labels.left_out is not None:
        counts &= ~labels.left_out[first:]
    depth = timeline.log.impression_position[rows].astype(np.int64)
    known = timeline.log.session_user[timeline.session_of[rows]] >= 0
    never = counts & known & ~labels.clicked_before[first:]
    n_shown = np.bincount(depth[never], minlength=depth.max(initial=0) + 1)
    clicks = np.bincount(depth[never], worth[never], len(n_shown))
    long_ago = counts & clicked_long_ago(timeline)[first:] & (n_shown[depth] > 0)
    expected = clicks[depth[long_ago]] / n_shown[depth[long_ago]]
    return GainPart(rows[long_ago], session[long_ago], worth[long_ago] - expected)


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


def _scaled(
    timeline: Timeline, rows: NDArray[np.int64], divisor: NDArray[np.float64] | float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which scored session each row is of, and what its value is divided by."""
    session = timeline.session_of[rows].astype(np.int64) - timeline.scored_from
    each = np.broadcast_to(np.asarray(divisor), timeline.n_sessions - timeline.scored_from)
    return session, each[session]
