"""From scores to figures: the sessions' rows, their means, the curve over time."""

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from adjuster.live.exploration import mix_exploration_sessions
from adjuster.metrics.ranking import METRIC_NAMES, score_sessions
from adjuster.ragged import row_sums
from experiments.replay.blocks import rank_block
from experiments.replay.results import Checkpoint, CurvePoint, ReplayResult, SessionScores
from experiments.replay.schedule import Schedule

if TYPE_CHECKING:
    from experiments.replay.replay import Replay

EXTRAS = ("explored", "before_debiased", "debiased", "weight")
"""Columns that only some replays fill."""

HARMED_BELOW = -1e-9
"""A metric that fell by less than this is a rounding, not a harm."""


class Scoreboard:
    """Collects a replay's scores block by block.

    Args:
        replay: The replay.
        schedule: The worker's ticks, for the counts; None where nothing is learnt.
    """

    def __init__(self, replay: "Replay", schedule: Schedule | None) -> None:
        self.replay, self.schedule = replay, schedule
        self.after = replay.before.copy()
        self.adjusted = np.zeros(len(self.after), np.bool_)
        n_scored = replay.timeline.n_sessions - replay.timeline.scored_from
        self.values = {name: np.full(n_scored, np.nan) for name in METRIC_NAMES}
        self.baseline = {name: np.full(n_scored, np.nan) for name in METRIC_NAMES}
        self.extras = {name: np.full(n_scored, np.nan) for name in EXTRAS}
        self.block_values: list[float] = []
        self.total, self.n_sessions = 0.0, 0
        self.seconds = 0.0

    def add_block(self, number: int) -> Checkpoint:
        """Score a block that the streams have been run through."""
        started = perf_counter()
        replay = self.replay
        block = replay.blocks[number]
        rows = block.sessions - replay.timeline.scored_from
        order = rank_block(block, self.after)
        after = score_sessions(block.judgements, order)
        for name in METRIC_NAMES:
            self.values[name][rows] = after[name]
            self.baseline[name][rows] = replay.before_scores[number][name]
        self._add_extras(number, rows, order)
        value = after[replay.objective.metric][~replay.timeline.withheld[block.sessions]]
        value = value[~np.isnan(value)]
        self.total += float(value.sum())
        self.n_sessions += len(value)
        self.block_values.append(float(value.mean()) if len(value) else float("nan"))
        self.seconds += perf_counter() - started
        return Checkpoint(
            block=number,
            n_blocks=len(replay.blocks),
            value=self.block_values[-1],
            running_value=self.total / self.n_sessions if self.n_sessions else float("nan"),
            n_sessions=self.n_sessions,
        )

    def _add_extras(self, number: int, rows: NDArray[np.int64], order: NDArray[np.int64]) -> None:
        """What exploration would have shown, and the debiased objective, where asked for."""
        replay = self.replay
        block, before, config = replay.blocks[number], replay.before_orders[number], replay.config
        if config.exploration_ratio > 0:
            rng = np.random.default_rng([config.seed, number])
            mixed = mix_exploration_sessions(
                order, before, block.judgements.offsets, config.exploration_ratio, rng
            )
            explored = score_sessions(block.judgements, mixed)
            self.extras["explored"][rows] = explored[replay.objective.metric]
        if replay.debiased is not None:
            self.extras["debiased"][rows] = replay.debiased.score(number, order)
            self.extras["before_debiased"][rows] = replay.debiased.score(number, before)
            self.extras["weight"][rows] = replay.debiased.weights(number)

    def _more_metrics(self, keep: NDArray[np.bool_], after: float) -> dict[str, float]:
        figures: dict[str, float] = {}
        metric = self.replay.objective.metric
        if self.replay.config.exploration_ratio > 0:
            explored = mean_of(self.extras["explored"][keep])
            figures |= {f"explored_{metric}": explored, "exploration_cost": after - explored}
        if self.replay.debiased is not None:
            names = ("before_debiased", "debiased", "weight")
            figures |= self.replay.debiased.summarize(*(self.extras[name][keep] for name in names))
        return figures

    def finish(self, drift: NDArray[np.float64]) -> ReplayResult:
        """The result of all blocks."""
        started = perf_counter()
        timeline, metric = self.replay.timeline, self.replay.objective.metric
        scored = np.arange(timeline.scored_from, timeline.n_sessions)
        positive = ~np.isnan(self.values[metric])
        withheld = timeline.withheld[scored]
        keep = positive & ~withheld
        sessions = self._rows(scored, keep)
        metrics = summarize(sessions, metric, drift)
        metrics |= self._more_metrics(keep, metrics[metric])
        counts = {} if self.schedule is None else dict(self.schedule.counts)
        counts["not_scored"] = int((~positive).sum())
        if self.schedule is not None:
            counts["late_clicks"] = self.schedule.late_clicks
        result = ReplayResult(
            metrics=metrics,
            sessions=sessions,
            bystanders=self._rows(scored, positive & withheld) if withheld.any() else None,
            curve=curve(sessions, metric, self.replay.config.curve_points),
            counts=counts,
            blocks=self.block_values,
            drift=drift,
            seconds={},
            extra={},
        )
        self.seconds += perf_counter() - started
        return result

    def _rows(self, scored: NDArray[np.int64], keep: NDArray[np.bool_]) -> SessionScores:
        timeline = self.replay.timeline
        session = scored[keep]
        reached = row_sums(self.adjusted, timeline.offsets)[session] > 0
        return SessionScores(
            session=session,
            owner=timeline.owner[session],
            user=timeline.log.session_user[session].astype(np.int64),
            created_at=timeline.created_at[session],
            reached=reached,
            before={name: values[keep] for name, values in self.baseline.items()},
            after={name: values[keep] for name, values in self.values.items()},
        )


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
