"""From scores to figures: the sessions' rows, their means, the curve over time."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import METRIC_NAMES, score_sessions
from adjuster.ragged import row_sums
from experiments.replay.blocks import rank_block
from experiments.replay.layout import Layout
from experiments.replay.results import (
    Checkpoint,
    CurvePoint,
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
        n_scored = layout.timeline.n_sessions - layout.timeline.scored_from
        self._before = _empty_columns(METRIC_NAMES, n_scored)
        self._after = _empty_columns(METRIC_NAMES, n_scored)
        self._further = [_empty_columns(scorer.columns, n_scored) for scorer in layout.scorers]
        self._block_values: list[float] = []
        self._total, self._n_sessions = 0.0, 0
        self.seconds = 0.0

    def add_block(self, number: int) -> Checkpoint:
        """Score a block that the streams have been run through."""
        started = perf_counter()
        layout = self._layout
        block = layout.blocks[number]
        rows = block.sessions - layout.timeline.scored_from
        order = rank_block(block, self.after)
        after = score_sessions(block.judgements, order)
        for name in METRIC_NAMES:
            self._after[name][rows] = after[name]
            self._before[name][rows] = layout.before_scores[number][name]
        for scorer, columns in zip(layout.scorers, self._further, strict=True):
            found = scorer.score(number, layout.before_orders[number], order)
            for name, column in columns.items():
                column[rows] = found[name]
        counts = ~layout.timeline.withheld[block.sessions]
        checkpoint = self._add_value(number, after[layout.objective.metric][counts])
        self.seconds += perf_counter() - started
        return checkpoint

    def _add_value(self, number: int, values: NDArray[np.float64]) -> Checkpoint:
        """The objective so far, with the values of a block's sessions that count."""
        values = values[~np.isnan(values)]
        self._total += float(values.sum())
        self._n_sessions += len(values)
        self._block_values.append(float(values.mean()) if len(values) else float("nan"))
        return Checkpoint(
            block=number,
            n_blocks=len(self._layout.blocks),
            value=self._block_values[-1],
            running_value=self._total / self._n_sessions if self._n_sessions else float("nan"),
            n_sessions=self._n_sessions,
        )

    def finish(self, drift: NDArray[np.float64]) -> ReplayResult:
        """The result of all blocks."""
        started = perf_counter()
        timeline, metric = self._layout.timeline, self._layout.objective.metric
        positive = ~np.isnan(self._after[metric])
        withheld = timeline.withheld[timeline.scored_from :]
        keep = positive & ~withheld
        sessions = self._rows(keep)
        metrics = summarize(sessions, metric, drift)
        for scorer, columns in zip(self._layout.scorers, self._further, strict=True):
            kept = {name: column[keep] for name, column in columns.items()}
            metrics |= scorer.summarize(kept, metrics)
        result = ReplayResult(
            metrics=metrics,
            sessions=sessions,
            bystanders=self._rows(positive & withheld) if withheld.any() else None,
            curve=curve(sessions, metric, self._layout.config.curve_points),
            counts=self._counts(positive),
            blocks=self._block_values,
            drift=drift,
            seconds={},
        )
        self.seconds += perf_counter() - started
        return result

    def _counts(self, positive: NDArray[np.bool_]) -> SessionCounts:
        not_scored = int((~positive).sum())
        if self._schedule is None:
            return SessionCounts(not_scored)
        return SessionCounts(not_scored, self._schedule.counts, self._schedule.late_clicks)

    def _rows(self, keep: NDArray[np.bool_]) -> SessionScores:
        timeline = self._layout.timeline
        session = timeline.scored_from + np.flatnonzero(keep)
        reached = row_sums(self.adjusted, timeline.offsets)[session] > 0
        return SessionScores(
            session=session,
            owner=timeline.owner[session],
            user=timeline.log.session_user[session].astype(np.int64),
            created_at=timeline.created_at[session],
            reached=reached,
            before={name: values[keep] for name, values in self._before.items()},
            after={name: values[keep] for name, values in self._after.items()},
        )


def _empty_columns(names: tuple[str, ...], n_sessions: int) -> dict[str, NDArray[np.float64]]:
    return {name: np.full(n_sessions, np.nan) for name in names}


def summarize(sessions: SessionScores, metric: str, drift: NDArray[np.float64]) -> dict[str, float]:
    """The figures of a replay: means over its scored sessions.

    Args:
        sessions: The scored sessions.
        metric: The objective, by which a session is harmed.
        drift: 1 - cosine of each adjusted object.

    Returns:
        Each metric, its ``before_`` and ``delta_``; ``drift_mean`` (0 where nothing was
        adjusted), ``harmed_share``, ``reach``.
    """
    figures: dict[str, float] = {}
    for name in METRIC_NAMES:
        after, before = mean_of(sessions.after[name]), mean_of(sessions.before[name])
        figures |= {name: after, f"before_{name}": before, f"delta_{name}": after - before}
    change = sessions.after[metric] - sessions.before[metric]
    return figures | {
        "drift_mean": mean_of(drift) if len(drift) else 0.0,
        "harmed_share": mean_of(change < HARMED_BELOW),
        "reach": mean_of(sessions.reached),
    }


def mean_of(values: NDArray[np.number | np.bool_]) -> float:
    """Mean, NaN of nothing.

    Example:
        >>> mean_of(np.array([1.0, 3.0]))
        2.0
    """
    return float(np.mean(values, dtype=np.float64)) if len(values) else float("nan")


def curve(sessions: SessionScores, metric: str, n_points: int) -> list[CurvePoint]:
    """Before and after over time, in stretches of equally many sessions."""
    order = np.argsort(sessions.created_at, kind="stable")
    return [
        CurvePoint(
            created_at=int(sessions.created_at[piece[-1]]),
            n_sessions=len(piece),
            before=mean_of(sessions.before[metric][piece]),
            after=mean_of(sessions.after[metric][piece]),
        )
        for piece in np.array_split(order, n_points)
        if len(piece)
    ]
