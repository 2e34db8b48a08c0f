"""From scores to figures: the sessions' rows, the users' means, the curve over time."""

from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import row_sums
from experiments.replay.blocks import rank_block
from experiments.replay.drift_growth import mean_drift
from experiments.replay.exact_sums import ExactSums
from experiments.replay.layout import Layout
from experiments.replay.people import users_mean, users_shares, weighted_mean
from experiments.replay.results import (
    Checkpoint,
    CurvePoint,
    PositionSums,
    ReplayResult,
    SessionColumns,
    SessionCounts,
    SessionScores,
)
from experiments.replay.schedule import Schedule
from experiments.replay.timeline import Timeline

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
        self._discounts = layout.originals.discounts.copy()
        self._running = RunningValue(len(layout.blocks))
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
            self._before[name][rows] = layout.originals.scores[number][name]
        for scorer, columns in zip(layout.scorers, self._further, strict=True):
            found = scorer.score(number, layout.originals.orders[number], order)
            for name, column in columns.items():
                column[rows] = found[name]
        layout.scoring.linear.put_discounts(number, order, self._discounts)
        checkpoint = self._running.add(after[layout.objective.key], layout.weight[rows])
        self.seconds += perf_counter() - started
        return checkpoint

    def columns(self) -> SessionColumns:
        """What was found of each session of the window, once all blocks are scored."""
        timeline, scoring = self._layout.timeline, self._layout.scoring
        n_scored = self._layout.n_in_window
        lift = self._discounts - self._layout.originals.discounts
        reached = row_sums(self.adjusted, timeline.offsets) > 0
        return SessionColumns(
            before=self._before,
            after=self._after,
            reached=reached[timeline.scored_from :],
            refound=scoring.refinding.change(lift, n_scored),
            lasting=scoring.lasting.change(lift, n_scored),
        )

    def finish(self, drift: ExactSums, drift_growth: float = 1.0) -> ReplayResult:
        """The result of all blocks.

        Args:
            drift: 1 - cosine of each adjusted object, summed.
            drift_growth: By how much their mean grows until the end of the log.
        """
        started = perf_counter()
        layout = self._layout
        attainable = layout.scoring.attainable
        positions = self._position_sums()
        result = conclude(
            Scene(layout.timeline, layout.objective.key, layout.config.curve_points, attainable),
            self.columns(),
            drift,
            drift_growth,
            positions=positions,
        )
        metrics = result.metrics
        for scorer, columns in zip(layout.scorers, self._further, strict=True):
            metrics |= scorer.summarize(columns, layout.weight, metrics)
        counts = counts_of(result.counts.not_scored, self._schedule)
        self.seconds += perf_counter() - started
        return replace(result, metrics=metrics, counts=counts, blocks=self._running.values)

    def _position_sums(self) -> PositionSums | None:
        terms = self._layout.scoring.positions
        if terms is None:
            return None
        return terms.sums(self._layout.originals.discounts, self._discounts)


class RunningValue:
    """The objective so far, block by block.

    Args:
        n_blocks: How many blocks there are.
    """

    def __init__(self, n_blocks: int) -> None:
        self._n_blocks = n_blocks
        self.values: list[float] = []
        self._total, self._weight, self._n_sessions = 0.0, 0.0, 0

    def add(self, values: NDArray[np.float64], weight: NDArray[np.float64]) -> Checkpoint:
        """Take the values of a block's sessions, and the weights of those that count."""
        counts = weight > 0
        self._total += float((values[counts] * weight[counts]).sum())
        self._weight += float(weight.sum())
        self._n_sessions += int(counts.sum())
        self.values.append(weighted_mean(values, weight))
        return Checkpoint(
            block=len(self.values) - 1,
            n_blocks=self._n_blocks,
            value=self.values[-1],
            running_value=self._total / self._weight if self._n_sessions else float("nan"),
            n_sessions=self._n_sessions,
        )


class Scene(NamedTuple):
    """What a result is told of, the same for every setting.

    Args:
        timeline: Who searched what and when; its impressions are not looked at.
        key: The objective.
        curve_points: Points of the curve over time.
        attainable: Shape ``(n_in_window,)``: of each session in a debiased metric, or None.
    """

    timeline: Timeline
    key: str
    curve_points: int
    attainable: NDArray[np.float64] | None = None


def conclude(
    scene: Scene,
    columns: SessionColumns,
    drift: ExactSums,
    drift_growth: float,
    *,
    positions: PositionSums | None = None,
) -> ReplayResult:
    """From what was found of each session to a result; nothing is told of blocks or the worker.

    Args:
        scene: What it is told of.
        columns: What was found.
        drift: 1 - cosine of each adjusted object, summed.
        drift_growth: By how much their mean grows until the end of the log.
        positions: What the clicks at each position add.
    """
    scorable = ~np.isnan(columns.after[scene.key])
    withheld = scene.timeline.withheld[scene.timeline.scored_from :]
    sessions = _rows(scene, columns, scorable & ~withheld, positions)
    return ReplayResult(
        metrics=summarize(sessions, scene.key, drift, drift_growth),
        sessions=sessions,
        bystanders=_rows(scene, columns, scorable & withheld) if withheld.any() else None,
        curve=curve(sessions, scene.key, scene.curve_points),
        counts=SessionCounts(int((~scorable).sum())),
        blocks=[],
        seconds={},
    )


def counts_of(not_scored: int, schedule: Schedule | None) -> SessionCounts:
    """What became of the sessions."""
    if schedule is None:
        return SessionCounts(not_scored)
    return SessionCounts(not_scored, schedule.counts, schedule.late_clicks)


def _rows(
    scene: Scene,
    columns: SessionColumns,
    keep: NDArray[np.bool_],
    positions: PositionSums | None = None,
) -> SessionScores:
    timeline, attainable = scene.timeline, scene.attainable
    session = timeline.scored_from + np.flatnonzero(keep)
    return SessionScores(
        session=session,
        owner=timeline.owner[session],
        user=timeline.log.session_person[session],
        query=timeline.query[session].astype(np.int64),
        created_at=timeline.created_at[session],
        reached=columns.reached[keep],
        before={name: values[keep] for name, values in columns.before.items()},
        after={name: values[keep] for name, values in columns.after.items()},
        refound=columns.refound[keep],
        lasting=columns.lasting[keep],
        weight=None if attainable is None else attainable[keep],
        weighted_metric="" if attainable is None else scene.key,
        positions=positions,
    )


def _empty_columns(names: tuple[str, ...], n_sessions: int) -> dict[str, NDArray[np.float64]]:
    return {name: np.full(n_sessions, np.nan) for name in names}


def summarize(
    sessions: SessionScores,
    objective: str,
    drift: ExactSums,
    drift_growth: float = 1.0,
) -> dict[str, float]:
    """The figures of a replay: means over users of the mean of each one's scored sessions.

    Args:
        sessions: The scored sessions.
        objective: The column by which a session is harmed.
        drift: 1 - cosine of each adjusted object, summed.
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
