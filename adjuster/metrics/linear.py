"""Debiased ranking quality that position alone cannot move: linear in the clicks.

Under the examination hypothesis P(click) = P(examined at the position) · P(relevant), so a click
divided by its propensity P(examined) counts relevance without bias (Joachims, Swaminathan and
Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017). A session's value is

    Σ gain · discount(rank),    gain = click / propensity,

divided by one number for all sessions: the mean over users of the mean over their sessions of the
best attainable value. As nothing else is divided by the clicks, the expected value of a ranking
learnt from other sessions depends on the results' relevance alone: where all are alike, every
ranking has the same, and no ranking gains. Dividing each session by its own ideal, each user by
their own weight, or clipping the weights breaks that. With propensities of 1 and one click a
session the value is the plain metric; in general it lies in [0, 1].

Linear are nDCG and recall at a cutoff. Reciprocal rank and average precision are not: both
compare clicks of one session with each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import rank_order

LINEAR_METRICS: tuple[str, ...] = ("ndcg_at_5", "ndcg_at_10", "recall_at_10")
"""Metrics that `judge_linear` knows."""


@dataclass(frozen=True)
class LinearJudgements:
    """Gains of a log and what depends on them alone; made by `judge_linear`.

    Args:
        gains: Shape ``(n_impressions,)``: 0 where left out; may be negative.
        offsets: Shape ``(n_sessions + 1,)``.
        discounts: Shape ``(n_impressions,)``: discount of a session's first, second, … place.
        attainable: Shape ``(n_sessions,)``: value of the best ranking of the clicks.
    """

    gains: NDArray[np.float64]
    offsets: NDArray[np.int64]
    discounts: NDArray[np.float64]
    attainable: NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """A debiased metric before and after, on the scale of users' means.

    Args:
        before: Users' mean, divided by the attainable.
        after: The same after the change.
        influence: Shape ``(n_sessions,)``: each session's part in the gain, linearised: its
            users' mean is ``after - before``, and its spread over users is that of the ratio.
    """

    before: float
    after: float
    influence: NDArray[np.float64]

    @property
    def value(self) -> float:
        """After less before."""
        return self.after - self.before


def judge_linear(
    gains: NDArray[np.floating],
    offsets: NDArray[np.int64],
    *,
    metric: str,
    left_out: NDArray[np.bool_] | None = None,
    clicks: NDArray[np.floating] | None = None,
) -> LinearJudgements:
    """Lay out gains for scoring many rankings.

    Args:
        gains: Shape ``(n_impressions,)``, finite: from `inverse_propensity_gains` or
            `doubly_robust_gains`.
        offsets: Shape ``(n_sessions + 1,)``.
        metric: One of `LINEAR_METRICS`.
        left_out: Rows that are taken out of the ranking.
        clicks: Gains >= 0 that the attainable value is of; `gains` where not given.

    Raises:
        ValueError: If the metric is unknown or a gain is not finite.

    Example:
        >>> judge_linear(np.array([0.0, 2.0]), np.array([0, 2]), metric="ndcg_at_10").attainable
        array([2.])
    """
    offsets = np.asarray(offsets, np.int64)
    gains, clicks = (
        _kept(values, left_out) for values in (gains, gains if clicks is None else clicks)
    )
    discounts = _discounts(metric, offsets)
    best = np.arange(len(clicks))
    if metric != "recall_at_10":
        best = rank_order(clicks, offsets)
    reachable = np.ones_like(discounts) if metric == "recall_at_10" else discounts
    return LinearJudgements(
        gains=gains,
        offsets=offsets,
        discounts=discounts,
        attainable=_session_sums(clicks[best] * reachable, offsets),
    )


def linear_scores(judged: LinearJudgements, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Value of each session under one ranking, not yet divided: shape ``(n_sessions,)``.

    Args:
        judged: From `judge_linear`.
        order: From `rank_order`, with the same offsets and rows left out.

    Example:
        >>> judged = judge_linear(np.array([0.0, 1.0]), np.array([0, 2]), metric="ndcg_at_10")
        >>> linear_scores(judged, np.array([1, 0])).tolist()
        [1.0]
    """
    return _session_sums(judged.gains[order] * judged.discounts, judged.offsets)


def row_discounts(judged: LinearJudgements, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Discount that each row gets under a ranking, shape ``(n_impressions,)``."""
    discounts = np.empty_like(judged.discounts)
    discounts[order] = judged.discounts
    return discounts


def users_gain(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    attainable: NDArray[np.float64],
    cluster: NDArray[np.integer],
) -> Gain:
    """Compare two rankings: a ratio of users' means.

    Args:
        before: Shape ``(n_sessions,)``, from `linear_scores`.
        after: Shape ``(n_sessions,)``.
        attainable: Shape ``(n_sessions,)``.
        cluster: Shape ``(n_sessions,)``: who made each session, from 0 without gaps.

    Returns:
        The gain; NaN where nothing is attainable.

    Example:
        >>> one = np.ones(2)
        >>> users_gain(np.array([0.5, 0.0]), one, one, np.array([0, 1])).value
        0.75
    """
    sessions = np.bincount(cluster)

    def mean(values: NDArray[np.float64]) -> float:
        return float(np.mean(np.bincount(cluster, values) / sessions)) if len(sessions) else np.nan

    scale = mean(attainable) or np.nan
    change = after - before
    ratio = mean(change) / scale
    influence = (change - ratio * (attainable - scale)) / scale
    return Gain(mean(before) / scale, mean(after) / scale, influence)


def inverse_propensity_gains(
    clicked: NDArray[np.number | np.bool_], propensity: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Clicks divided by their propensities, shape ``(n_impressions,)``.

    Args:
        clicked: Shape ``(n_impressions,)``: 0 or 1.
        propensity: Shape ``(n_impressions,)``: in (0, 1] wherever there is a click.

    Raises:
        ValueError: If a needed propensity is not in (0, 1].

    Example:
        >>> inverse_propensity_gains(np.array([1, 0]), np.array([0.25, 0.5])).tolist()
        [4.0, 0.0]
    """
    gains = np.asarray(clicked, np.float64).copy()
    needed = np.flatnonzero(gains > 0)
    mine = np.asarray(propensity, np.float64)[needed]
    bad = np.flatnonzero(~((mine > 0) & (mine <= 1)))
    if bad.size:
        raise ValueError(
            "propensity must be in (0, 1] where there is a click, got "
            f"{mine[bad[0]]} at row {needed[bad[0]]} ({bad.size} such rows)."
        )
    gains[needed] /= mine
    return gains


def doubly_robust_gains(
    clicked: NDArray[np.number | np.bool_],
    propensity: NDArray[np.floating],
    attraction: NDArray[np.floating],
    *,
    clip: float,
) -> NDArray[np.float64]:
    """Weights of at most `clip`, with a click model in place of what clipping takes away.

    attraction + (click - propensity · attraction) / max(propensity, 1 / clip). Its mean is the
    relevance wherever the propensity is at least 1 / clip, whatever the click model says, and
    everywhere if the click model is right (after Oosterhuis, "Doubly Robust Estimation for
    Correcting Position Bias in Click Feedback", TOIS 2023: the weight need not be that of the
    position at which the result stood). Without clipping it is click / propensity itself: as
    nobody sees which results were examined, a control variate has nothing else to work on.

    Args:
        clicked: Shape ``(n_impressions,)``: 0 or 1.
        propensity: Shape ``(n_impressions,)``, in (0, 1].
        attraction: Shape ``(n_impressions,)``: chance of a click once examined, as earlier
            sessions tell it, in [0, 1].
        clip: Largest weight, >= 1.

    Example:
        >>> doubly_robust_gains(np.ones(1), np.array([0.1]), np.array([0.5]), clip=2.0).tolist()
        [2.4]
    """
    if not clip >= 1:
        raise ValueError(f"clip must be >= 1, got {clip}.")
    weighted_by = np.maximum(propensity, 1.0 / clip)
    return np.asarray(attraction + (clicked - propensity * attraction) / weighted_by)


def effective_count(weights: NDArray[np.floating]) -> float:
    """How many equal weights these are worth: (Σ w)² / Σ w² (Kish, *Survey Sampling*, 1965).

    Example:
        >>> effective_count(np.array([1.0, 3.0]))
        1.6
    """
    total = float(np.sum(weights))
    return total**2 / float(np.dot(weights, weights)) if total > 0 else 0.0


def _kept(values: NDArray[np.floating], left_out: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    kept = np.array(values, np.float64)
    if left_out is not None:
        kept[left_out] = 0.0
    if not np.isfinite(kept).all():
        row = int(np.flatnonzero(~np.isfinite(kept))[0])
        raise ValueError(f"gains must be finite, got {kept[row]} at row {row}.")
    return kept


def _discounts(metric: str, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    if metric not in LINEAR_METRICS:
        raise ValueError(f"metric must be one of {', '.join(LINEAR_METRICS)}, got {metric!r}.")
    cutoff = int(metric.rsplit("_", 1)[1])
    lengths = np.diff(offsets)
    rank = np.arange(1, offsets[-1] + 1) - np.repeat(offsets[:-1], lengths)
    discount = np.ones(len(rank)) if metric == "recall_at_10" else 1.0 / np.log2(rank + 1)
    return np.where(rank <= cutoff, discount, 0.0)


def _session_sums(values: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = np.add.reduceat(np.append(values, 0.0), offsets[:-1]) if len(offsets) > 1 else values
    return np.where(np.diff(offsets) > 0, sums, 0.0)
