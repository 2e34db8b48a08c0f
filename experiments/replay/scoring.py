"""How the blocks of a layout are scored: measures, weights, and what a gain is made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import judge
from experiments.replay.blocks import ScoringBlock
from experiments.replay.exact_sums import ExactSums
from experiments.replay.gain_parts import GainPart, lasting_part, never_clicked, refound_part
from experiments.replay.labels import Labels
from experiments.replay.linear_score import LinearScore
from experiments.replay.measures import (
    Columns,
    Measure,
    PlainMetrics,
    WeightedMetric,
    judged_metrics,
)
from experiments.replay.objective import Objective, debiased_metric
from experiments.replay.people import users_shares
from experiments.replay.position_bias import PositionBias
from experiments.replay.results import PositionSums
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class PositionTerms:
    """What makes `PositionSums` of a ranking.

    Args:
        rows: Shape ``(n,)``: impressions of scored sessions with a weighted click.
        depth: Shape ``(n,)``: position of each.
        worth: Shape ``(n,)``: what each adds at discount 1 and propensity 1.
        weight: Shape ``(n_positions,)``: what the values are divided by.
        draws: Shape ``(n_draws, n_positions)``: drawn propensities.
    """

    rows: NDArray[np.int64]
    depth: NDArray[np.int64]
    worth: NDArray[np.float64]
    weight: NDArray[np.float64]
    draws: NDArray[np.float64]

    def sums(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> PositionSums:
        """The sums of two rankings.

        Args:
            before: Shape ``(n_impressions,)``: discount of each result.
            after: The same after adjustment.
        """
        n = len(self.weight)
        old, new = (
            np.bincount(self.depth, self.worth * discounts[self.rows], n).astype(np.float64)
            for discounts in (before, after)
        )
        return PositionSums(old, new, self.weight, self.draws)


@dataclass(frozen=True)
class Scoring:
    """How a layout's blocks are scored, the same for every setting; made by `build_scoring`.

    Args:
        measures: What fills the columns.
        linear: The clicks that a gain is split by.
        weight: Shape ``(n_scored,)``: part of each session in the users' means: 1 over users times
            the user's sessions, counting what can be scored and is not withheld; 0 elsewhere.
        attainable: Shape ``(n_scored,)``: of each session in a debiased metric, users' mean 1;
            None where clicks are not weighted.
        refinding: Clicks on what was clicked before.
        never: How much is clicked by position of what was never clicked, of these sessions.
        lasting: What was clicked long ago, against what never was.
        positions: What each position adds to a debiased metric; None where no propensity is
            estimated.
    """

    measures: tuple[Measure, ...]
    linear: LinearScore
    weight: NDArray[np.float64]
    attainable: NDArray[np.float64] | None
    refinding: GainPart
    never: ExactSums
    lasting: GainPart
    positions: PositionTerms | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(name for measure in self.measures for name in measure.names)

    def score(self, number: int, order: NDArray[np.int64]) -> Columns:
        """A value for each session of a block, by column; NaN for one that cannot be scored."""
        columns: dict[str, NDArray[np.float64]] = {}
        for measure in self.measures:
            columns |= measure.score(number, order)
        return columns


def build_scoring(
    timeline: Timeline,
    objective: Objective,
    labels: Labels,
    blocks: tuple[ScoringBlock, ...],
    never: ExactSums | None = None,
) -> Scoring:
    """Lay out how blocks are scored.

    Args:
        timeline: The replay.
        objective: What is scored.
        labels: The labels.
        blocks: The replay's blocks, judged by them.
        never: `gain_parts.never_clicked` of all sessions, where these are not all.
    """
    bias = objective.bias
    gains, plain = (labels.clicks,) * 2 if bias is None else (bias.gains, bias.plain_gains)
    linear = LinearScore(gains, plain, debiased_metric(objective.metric), labels, blocks)
    weight = _weight(timeline, blocks)
    best = np.zeros(len(weight))
    for number, block in enumerate(blocks):
        best[block.sessions - timeline.scored_from] = linear.attainable(number)
    # Nothing to divide by where every scored session is withheld.
    scale = float((weight * best).sum()) or float("nan")
    divisor = best if bias is None else scale
    mine = never_clicked(timeline, labels, linear, divisor)
    return Scoring(
        measures=_measures(objective, labels, blocks, linear, scale),
        linear=linear,
        weight=weight,
        attainable=None if bias is None else best / scale,
        refinding=refound_part(timeline, labels, linear, divisor),
        never=mine,
        lasting=lasting_part(timeline, labels, linear, divisor, mine if never is None else never),
        positions=None if bias is None else _positions(timeline, bias, linear, weight),
    )


def _weight(timeline: Timeline, blocks: tuple[ScoringBlock, ...]) -> NDArray[np.float64]:
    scored = np.zeros(timeline.n_sessions, np.bool_)
    for block in blocks:
        scored[block.sessions[block.judgements.scored]] = True
    window = slice(timeline.scored_from, timeline.n_sessions)
    keep = scored[window] & ~timeline.withheld[window]
    return users_shares(timeline.log.session_person[window], keep)


def _measures(
    objective: Objective,
    labels: Labels,
    blocks: tuple[ScoringBlock, ...],
    linear: LinearScore,
    scale: float,
) -> tuple[Measure, ...]:
    if objective.estimator == "judged":
        clicks = tuple(
            judge(
                labels.clicks[block.rows],
                block.judgements.offsets,
                left_out=block.judgements.left_out,
            )
            for block in blocks
        )
        judged = judged_metrics(objective.key, objective.metric, labels, blocks)
        return PlainMetrics(clicks), judged
    plain = PlainMetrics(tuple(block.judgements for block in blocks))
    if objective.bias is None:
        return (plain,)
    return plain, WeightedMetric(objective.key, linear, scale)


def _positions(
    timeline: Timeline, bias: PositionBias, linear: LinearScore, weight: NDArray[np.float64]
) -> PositionTerms | None:
    if not len(bias.draws):
        return None
    best = np.zeros(timeline.n_impressions)
    for number, block in enumerate(linear.blocks):
        best[block.rows] = linear.best_discounts(number)
    share = np.zeros(timeline.n_sessions)
    share[timeline.scored_from :] = weight
    # Times its own propensity a weighted click is a click again, so that others can divide it.
    each = share[timeline.session_of] * bias.theta[bias.depth]
    rows = np.flatnonzero((linear.gains != 0) & (each > 0))
    return PositionTerms(
        rows=rows,
        depth=bias.depth[rows],
        worth=(linear.gains * each)[rows],
        weight=np.bincount(bias.depth, linear.plain_gains * each * best, len(bias.theta)).astype(
            np.float64
        ),
        draws=bias.draws,
    )
