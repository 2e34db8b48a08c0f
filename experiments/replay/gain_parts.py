"""What a gain is made of: objects that the user clicked before, lately or long ago."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.replay.exact_sums import ExactSums
from experiments.replay.labels import Labels
from experiments.replay.linear_score import LinearScore
from experiments.replay.timeline import Timeline


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
        return self.sums(lift[self.rows], n_scored)

    def sums(self, lift: NDArray[np.float64], n_scored: int) -> NDArray[np.float64]:
        """`change`, told the lift of their rows alone, shape ``(n,)``."""
        return np.bincount(self.session, self.worth * lift, n_scored).astype(np.float64)


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


def never_clicked(
    timeline: Timeline,
    labels: Labels,
    linear: LinearScore,
    divisor: NDArray[np.float64] | float,
) -> ExactSums:
    """How much is clicked at each position of what its user never clicked, as sums by position.

    Args:
        timeline: The replay, or some of its sessions; sums of others may be merged.
        labels: Say what was clicked before, and what is left out.
        linear: The clicks that the gain is split by.
        divisor: Of a session's value; one for all, or shape ``(n_scored,)``.
    """
    rows, worth, counts = _worth(timeline, labels, linear, divisor)
    known = timeline.log.session_user[timeline.session_of[rows]] >= 0
    never = counts & known & ~labels.clicked_before[rows]
    sums = ExactSums()
    sums.add(worth[never], timeline.log.impression_position[rows[never]].astype(np.int64))
    return sums


def lasting_part(
    timeline: Timeline,
    labels: Labels,
    linear: LinearScore,
    divisor: NDArray[np.float64] | float,
    never: ExactSums,
) -> GainPart:
    """How much more what a user clicked long ago is clicked than what they never clicked.

    Each result last clicked by its user more than `REFINDING_DAYS` ago counts with its weighted
    clicks less the mean of those at the same position that its user never clicked. People who
    only look again for what they found leave nothing here, wherever adjusting moves it.

    Args:
        timeline: The replay, or some of its sessions.
        labels: Say what was clicked before, and what is left out.
        linear: The clicks that the gain is split by.
        divisor: Of a session's value; one for all, or shape ``(n_scored,)``.
        never: From `never_clicked`, of all sessions of the replay.
    """
    rows, worth, counts = _worth(timeline, labels, linear, divisor)
    depth = timeline.log.impression_position[rows].astype(np.int64)
    means = never.means()
    expected = np.append(means, np.nan)[np.minimum(depth, len(means))]
    chosen = counts & labels.clicked_long_ago[rows] & ~np.isnan(expected)
    session = timeline.session_of[rows[chosen]].astype(np.int64) - timeline.scored_from
    return GainPart(rows[chosen], session, worth[chosen] - expected[chosen])


def _worth(
    timeline: Timeline,
    labels: Labels,
    linear: LinearScore,
    divisor: NDArray[np.float64] | float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """The results of scored sessions, what each is worth at discount 1, and whether it counts."""
    rows = np.arange(int(timeline.offsets[timeline.scored_from]), timeline.n_impressions)
    _, scale = _scaled(timeline, rows, divisor)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = linear.gains[rows] / scale
    counts = np.isfinite(worth)
    if labels.left_out is not None:
        counts &= ~labels.left_out[rows]
    return rows, worth, counts


def _scaled(
    timeline: Timeline, rows: NDArray[np.int64], divisor: NDArray[np.float64] | float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which scored session each row is of, and what its value is divided by."""
    session = timeline.session_of[rows].astype(np.int64) - timeline.scored_from
    each = np.broadcast_to(np.asarray(divisor), timeline.n_sessions - timeline.scored_from)
    return session, each[session]
