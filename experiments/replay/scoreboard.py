"""From scores to figures: the sessions' rows, the users' means, the curve over time."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import row_sums
from experiments.replay.blocks import rank_block
from experiments.replay.drift_growth import mean_drift
from experiments.replay.layout import Layout
from experiments.replay.people import users_mean, users_shares, weighted_mean
from experiments.replay.results import (
    Checkpoint,
    CurvePoint,
    PositionSums,
    ReplayResult,
    SessionCounts,
    SessionScores,
)
from experiments.replay.schedule import Schedule

HARMED_BELOW = -1e-9
"""A metric that fell by less than this is a rounding, not a harm."""


class Scoreboard:
    """Collects a replay's scores block by block.

    Args:
        layout: The layout that is replayed.
        schedule: The worker's ticks, for the counts; None where nothing is learnt.
    """

    def __init__(self, layout: Layout, schedule: Schedule | None) -> None:
        self._layout, self._schedule = layout, schedule
        self.after = layout.before.copy()
        self.adjusted = np.zeros(len(self.after), np.bool_)
        n_scored = layout.n_in_window
        self._before = _empty_columns(layout.scoring.names, n_scored)
        self._after = _empty_columns(layout.scoring.names, n_scored)
        self._further = [_empty_columns(scorer.columns, n_scored) for scorer in layout.scorers]
        self._discounts = layout.before_discounts.copy()
        self._block_values: list[float] = []
        self._total, self._weight, self._n_sessions = 0.0, 0.0, 0
        self.seconds = 0.0

    def add_block(self, number: int) -> Checkpoint:
        """Score a block that the streams have been run through."""
        started = perf_counter()
        layout = self._layout
        block = layout.blocks[number]
        rows = block.sessions - layout.timeline.scored_from
        order = rank_block(block, self.after)
        after = layout.scoring.score(number, order)
        for name, values in after.items():
            self._after[name][rows] = values
            self._before[name][rows] = layout.before_scores[number][name]
        for scorer, columns in zip(layout.scorers, self._further, strict=True):
            found = scorer.score(number, layout.before_orders[number], order)
            for name, column in columns.items():
                column[rows] = found[name]
        layout.scoring.linear.put_discounts(number, order, self._discounts)
        checkpoint = self._add_value(number, after[layout.objective.key], layout.weight[rows])
        self.seconds += perf_counter() - started
        return checkpoint

    def _add_value(
        self, number: int, values: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> Checkpoint:
        """The objective so far, with the values of a block's sessions that count."""
        counts = weight > 0
        self._total += float((values[counts] * weight[counts]).sum())
        self._weight += float(weight.sum())
        self._n_sessions += int(counts.sum())
        self._block_values.append(weighted_mean(values, weight))
        return Checkpoint(
            block=number,
            n_blocks=len(self._layout.blocks),
            value=self._block_values[-1],
            running_value=self._total / self._weight if self._n_sessions else float("nan"),
            n_sessions=self._n_sessions,
        )

    def finish(self, drift: NDArray[np.float64], drift_growth: float = 1.0) -> ReplayResult:
        """The result of all blocks.

        Args:
            drift: 1 - cosine of each adjusted object.
            drift_growth: By how much their mean grows until the end of the log.
        """
        started = perf_counter()
        layout = self._layout
        timeline, key = layout.timeline, layout.objective.key
        scorable = ~np.isnan(self._after[key])
        withheld = timeline.withheld[timeline.scored_from :]
        sessions = self._rows(scorable & ~withheld, self._position_sums())
        metrics = summarize(sessions, key, drift, drift_growth)
        for scorer, columns in zip(layout.scorers, self._further, strict=True):
            metrics |= scorer.summarize(columns, layout.weight, metrics)
        result = ReplayResult(
            metrics=metrics,
            sessions=sessions,
            bystanders=self._rows(scorable & withheld) if withheld.any() else None,
            curve=curve(sessions, key, layout.config.curve_points),
            counts=self._counts(scorable),
            blocks=self._block_values,
            drift=drift,
            seconds={},
        )
        self.seconds += perf_counter() - started
        return result

    def _counts(self, scorable: NDArray[np.bool_]) -> SessionCounts:
        not_scored = int((~scorable).sum())
        if self._schedule is None:
            return SessionCounts(not_scored)
        return SessionCounts(not_scored, self._schedule.counts, self._schedule.late_clicks)

    def _position_sums(self) -> PositionSums | None:
        terms = self._layout.scoring.positions
        if terms is None:
            return None
        return terms.sums(self._layout.before_discounts, self._discounts)

    def _rows(
        self, keep: NDArray[np.bool_], positions: PositionSums | None = None
    ) -> SessionScores:
        layout = self._layout
        timeline, scoring = layout.timeline, layout.scoring
        session = timeline.scored_from + np.flatnonzero(keep)
        reached = row_sums(self.adjusted, timeline.offsets)[session] > 0
        lift = self._discounts - layout.before_discounts
        attainable = scoring.attainable
        return SessionScores(
            session=session,
            owner=timeline.owner[session],
            user=timeline.log.session_person[session],
            query=timeline.query[session].astype(np.int64),
            created_at=timeline.created_at[session],
            reached=reached,
            before={name: values[keep] for name, values in self._before.items()},
            after={name: values[keep] for name, values in self._after.items()},
            refound=scoring.refinding.change(lift, len(keep))[keep],
            lasting=scoring.lasting.change(lift, len(keep))[keep],
            weight=None if attainable is None else attainable[keep],
            weighted_metric="" if attainable is None else layout.objective.key,
            positions=positions,
        )


def _empty_columns(names: tuple[str, ...], n_sessions: int) -> dict[str, NDArray[np.float64]]:
    return {name: np.full(n_sessions, np.nan) for name in names}


def summarize(
    sessions: SessionScores,
    objective: str,
    drift: NDArray[np.float64],
    drift_growth: float = 1.0,
) -> dict[str, float]:
    """The figures of a replay: means over users of the mean of each one's scored sessions.

    Args:
        sessions: The scored sessions.
        objective: The column by which a session is harmed.
        drift: 1 - cosine of each adjusted object.
        drift_growth: By how much their mean grows until the end of the log.

    Returns:
        The objective first, and second the same over sessions, as ``session_…``; then every other
        column; each with ``before_`` and ``delta_``. Last ``drift_mean`` over objects (0 where
        nothing was adjusted), what it comes to ``drift_at_log_end``, ``harmed_share``, ``reach``.
    """
    user = sessions.user
    new, old = sessions.after[objective], sessions.before[objective]
    figures = _change(objective, users_mean(old, user), users_mean(new, user))
    figures |= _change(f"session_{objective}", mean_of(old), mean_of(new))
    for name, after in sessions.after.items():
        if name != objective:
            before = sessions.before[name]
            figures |= _change(name, users_mean(before, user), users_mean(after, user))
    return figures | {
        "drift_mean": mean_drift(drift),
        "drift_at_log_end": mean_drift(drift) * drift_growth,
        "harmed_share": users_mean(new - old < HARMED_BELOW, user),
        "reach": users_mean(sessions.reached, user),
    }


def _change(name: str, before: float, after: float) -> dict[str, float]:
    return {name: after, f"before_{name}": before, f"delta_{name}": after - before}


def mean_of(values: NDArray[np.number | np.bool_]) -> float:
    """Mean, NaN of nothing.

    Example:
        >>> mean_of(np.array([1.0, 3.0]))
        2.0
    """
    return float(np.mean(values, dtype=np.float64)) if len(values) else float("nan")


def curve(sessions: SessionScores, objective: str, n_points: int) -> list[CurvePoint]:
    """Before and after over time, in stretches of equally many sessions, users weighing alike."""
    order = np.argsort(sessions.created_at, kind="stable")
    share = users_shares(sessions.user, np.ones(len(sessions.user), np.bool_))
    return [
        CurvePoint(
            created_at=int(sessions.created_at[piece[-1]]),
            n_sessions=len(piece),
            before=weighted_mean(sessions.before[objective][piece], share[piece]),
            after=weighted_mean(sessions.after[objective][piece], share[piece]),
        )
        for piece in np.array_split(order, n_points)
        if len(piece)
    ]
