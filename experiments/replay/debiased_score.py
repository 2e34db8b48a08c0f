"""The debiased objective of a replay, block by block: numerators, weights, and the gain."""

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.linear import (
    LINEAR_METRICS,
    Gain,
    judge_linear,
    linear_scores,
    row_discounts,
    users_gain,
)
from adjuster.ticks import NEVER
from experiments.replay.blocks import ScoringBlock
from experiments.replay.position.impressions import Impressions
from experiments.replay.position_bias import (
    BiasRules,
    PositionBias,
    find_position_bias,
    gains_over_draws,
)
from experiments.replay.timeline import Timeline

FALLBACK = "ndcg_at_10"
"""Debiased in place of a metric that is not linear in the clicks (MRR, MAP)."""


def impressions_of(timeline: Timeline) -> Impressions:
    """What a click model may read: the sessions up to the window's end."""
    log, n = timeline.log, timeline.n_impressions
    return Impressions(
        query=timeline.query,
        user=log.session_user[: timeline.n_sessions],
        offsets=timeline.offsets,
        object=log.impression_object[:n],
        position=log.impression_position[:n],
        clicked=timeline.click_at < NEVER,
    )


def position_bias_of(
    timeline: Timeline, rules: BiasRules, score: NDArray[np.floating]
) -> PositionBias:
    """Find the position bias of a replay's log.

    Args:
        timeline: The replay.
        rules: What was asked for.
        score: Shape ``(n_impressions,)``: similarity with the originals.
    """
    log, n = timeline.log, timeline.n_impressions
    return find_position_bias(
        impressions_of(timeline),
        rules,
        relevance=log.impression_relevance[:n],
        logged=log.impression_propensity[:n],
        score=score,
    )


def debiased_metric(metric: str) -> str:
    """The metric that is debiased for an objective.

    Example:
        >>> debiased_metric("mrr"), debiased_metric("ndcg_at_5")
        ('ndcg_at_10', 'ndcg_at_5')
    """
    return metric if metric in LINEAR_METRICS else FALLBACK


class DebiasedScore:
    """Scores rankings of a replay's blocks with clicks weighted against position.

    A session's columns are its value before, its value after and its attainable value;
    `debiased_gain` makes the gain of them.

    Args:
        bias: The log's position bias.
        metric: One of `LINEAR_METRICS`.
        depth: Shape ``(n_impressions,)``: `Impressions.depth`.
        blocks: The replay's blocks.
    """

    def __init__(
        self,
        bias: PositionBias,
        metric: str,
        depth: NDArray[np.int64],
        blocks: tuple[ScoringBlock, ...],
    ) -> None:
        self.bias, self.blocks = bias, blocks
        self.depth = [depth[block.rows] for block in blocks]
        self.judgements = [
            judge_linear(
                bias.gains[block.rows],
                block.judgements.offsets,
                metric=metric,
                left_out=block.judgements.left_out,
                clicks=bias.plain_gains[block.rows],
            )
            for block in blocks
        ]

    def score(self, number: int, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """Value of a block's sessions under a ranking, not yet divided."""
        return linear_scores(self.judgements[number], order)

    def attainable(self, number: int) -> NDArray[np.float64]:
        """Best value of a block's sessions."""
        return self.judgements[number].attainable

    def change_by_position(
        self,
        number: int,
        before: NDArray[np.int64],
        after: NDArray[np.int64],
        share: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """What the clicks at each position add to a gain; sum it over the blocks.

        Args:
            number: The block.
            before: Its ranking before.
            after: Its ranking after.
            share: Shape ``(n_sessions,)``: from `users_shares`, of the block's sessions.

        Returns:
            Shape ``(n_positions,)``, for `draws_error`.
        """
        judged = self.judgements[number]
        lift = row_discounts(judged, after) - row_discounts(judged, before)
        weight = np.repeat(share, np.diff(judged.offsets))
        each = judged.gains * lift * weight
        sums = np.bincount(self.depth[number], each, len(self.bias.theta))
        return sums.astype(np.float64)


def users_shares(cluster: NDArray[np.integer], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Part that each session has in a mean over users of their mean sessions; 0 if not kept.

    Example:
        >>> users_shares(np.array([0, 0, 1]), np.array([True, True, True])).tolist()
        [0.25, 0.25, 0.5]
    """
    sessions = np.bincount(cluster, keep)
    return np.asarray(keep / np.maximum(sessions[cluster], 1) / max(int((sessions > 0).sum()), 1))


def debiased_gain(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    attainable: NDArray[np.float64],
    cluster: NDArray[np.integer],
) -> Gain:
    """The gain of a replay's sessions on the scale of users' means; see `users_gain`."""
    return users_gain(before, after, attainable, np.unique(cluster, return_inverse=True)[1])


def draws_error(
    bias: PositionBias, change_by_position: NDArray[np.float64], attainable: float
) -> float:
    """Standard error of a gain that comes of estimated propensities; 0 where they are given.

    Args:
        bias: With its draws.
        change_by_position: Shape ``(n_positions,)``, summed over the blocks.
        attainable: Users' mean of the attainable value.
    """
    depth = np.arange(len(change_by_position))
    gains = gains_over_draws(bias, depth, change_by_position, attainable)
    return float(gains.std(ddof=1)) if len(gains) > 1 else 0.0
