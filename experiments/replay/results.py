"""What a replay found: the columns a session, and the figures made of them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PositionSums:
    """What clicks at each position add to a debiased metric, over users' means.

    A weighted value is linear in the inverse propensities, so that these sums give it under any
    other propensities too.

    Args:
        before: Shape ``(n_positions,)``: click times discount, ranked with the originals.
        after: Shape ``(n_positions,)``: the same, ranked with the adjusted vectors.
        weight: Shape ``(n_positions,)``: what the values are divided by.
        draws: Shape ``(n_draws, n_positions)``: propensities from resampled clicks; without rows
            where they are given, not estimated.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    weight: NDArray[np.float64]
    draws: NDArray[np.float64]

    def drawn(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """A value under each drawn propensity, shape ``(n_draws,)``.

        Args:
            sums: Shape ``(n_positions,)``: `after`, `before` or a difference of such.
        """
        total: NDArray[np.float64] = (sums / self.draws).sum(axis=1)
        weight: NDArray[np.float64] = (self.weight / self.draws).sum(axis=1)
        return total / weight


@dataclass(frozen=True)
class SessionScores:
    """One row a scored session, as columns.

    Args:
        session: Shape ``(n,)``: index in the log.
        owner: Shape ``(n,)``: whose vectors it read; -1 where it has no owner.
        user: Shape ``(n,)``: who counts as a person, -1 unknown; see `ClickLog.person`.
        query: Shape ``(n,)``: index of the query.
        created_at: Shape ``(n,)``: UTC epoch seconds.
        reached: Shape ``(n,)`` bool: it showed at least one adjusted object.
        before: Metric → shape ``(n,)``, ranked with the originals.
        after: Metric → shape ``(n,)``, ranked with the adjusted vectors.
        refound: Shape ``(n,)``: the part of the objective's change that lies on objects which the
            user had clicked in an earlier session.
        lasting: Shape ``(n,)``: the part that lies on what the user had last clicked more than a
            week before, as far as it is clicked more than what they never clicked.
        weight: Shape ``(n,)``: of each session in a debiased metric, its users' mean 1; None
            where clicks are taken as they are or labels are judged.
        weighted_metric: The metric that `weight` belongs to, or "".
        positions: What the clicks at each position add to it, or None.
    """

    session: NDArray[np.int64]
    owner: NDArray[np.int64]
    user: NDArray[np.int64]
    query: NDArray[np.int64]
    created_at: NDArray[np.int64]
    reached: NDArray[np.bool_]
    before: dict[str, NDArray[np.float64]]
    after: dict[str, NDArray[np.float64]]
    refound: NDArray[np.float64]
    lasting: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    weighted_metric: str = ""
    positions: PositionSums | None = None


@dataclass(frozen=True)
class SessionColumns:
    """What a replay found of each session of its window, or of some of them.

    Args:
        before: Metric → shape ``(n,)``, ranked with the originals; NaN where it cannot be scored.
        after: Metric → shape ``(n,)``, ranked with the adjusted vectors.
        reached: Shape ``(n,)`` bool: it showed at least one adjusted object.
        refound: Shape ``(n,)``; see `SessionScores`.
        lasting: Shape ``(n,)``; see `SessionScores`.
    """

    before: dict[str, NDArray[np.float64]]
    after: dict[str, NDArray[np.float64]]
    reached: NDArray[np.bool_]
    refound: NDArray[np.float64]
    lasting: NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """Whose clicks a log holds, session by session, learnt from or scored.

    Args:
        user: Shape ``(n_sessions,)``: index of the user, -1 unknown.
        query: Shape ``(n_sessions,)``.
        created_at: Shape ``(n_sessions,)``: UTC epoch seconds.
        clicks: Shape ``(n_sessions,)``: clicks of each.
        delay: Shape ``(n_clicks,)``: seconds from search to click.
    """

    user: NDArray[np.int64]
    query: NDArray[np.int64]
    created_at: NDArray[np.int64]
    clicks: NDArray[np.int64]
    delay: NDArray[np.int64]


@dataclass(frozen=True)
class CurvePoint:
    """One stretch of time: its end (epoch seconds), sessions, objective before and after."""

    created_at: int
    n_sessions: int
    before: float
    after: float


@dataclass(frozen=True)
class SessionCounts:
    """What became of the sessions.

    Args:
        not_scored: Sessions in the scored part without a positive label.
        by_fate: ``selected``, or the reason why not → sessions; empty where nothing is learnt.
        late_clicks: Clicked impressions whose click came after the session had been taken; None
            where nothing is learnt.
    """

    not_scored: int
    by_fate: dict[str, int] = field(default_factory=dict)
    late_clicks: int | None = None

    def to_dict(self) -> dict[str, int]:
        """All counts by name.

        Example:
            >>> SessionCounts(3, {"selected": 9}, late_clicks=1).to_dict()
            {'selected': 9, 'not_scored': 3, 'late_clicks': 1}
        """
        late = {} if self.late_clicks is None else {"late_clicks": self.late_clicks}
        return {**self.by_fate, "not_scored": self.not_scored, **late}


@dataclass(frozen=True)
class ReplayResult:
    """The outcome of one replay.

    Args:
        metrics: Means over users of their mean sessions: the objective first, the same over
            sessions (``session_…``) second, then ``ndcg_at_10`` …, each with ``before_`` and
            ``delta_`` twins; ``harmed_share``, ``reach``; and ``drift_mean`` over objects, and
            ``drift_at_log_end``, what it grows to.
        sessions: The scored sessions' rows.
        bystanders: Rows of the sessions whose queries' feedback was withheld, or None.
        curve: Before and after over time.
        counts: What became of the sessions.
        blocks: Block → mean of the objective, its sessions weighted as in the users' means.
        seconds: Wall time of the parts of the replay.
    """

    metrics: dict[str, float]
    sessions: SessionScores
    bystanders: SessionScores | None
    curve: list[CurvePoint]
    counts: SessionCounts
    blocks: list[float]
    seconds: dict[str, float]


@dataclass(frozen=True)
class Checkpoint:
    """Where a replay stands after a block.

    Args:
        block: 0-based.
        n_blocks: How many there are.
        value: Mean of the objective over this block's scored sessions, weighted as in the users'
            means; NaN where it has none.
        running_value: The same over all scored sessions so far; in the end the users' mean.
        n_sessions: Scored sessions so far.
    """

    block: int
    n_blocks: int
    value: float
    running_value: float
    n_sessions: int
