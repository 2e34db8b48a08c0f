"""nDCG with clicks weighted against position bias.

A result that few users look at is clicked less often than its relevance deserves. Under the
examination hypothesis P(click) = P(examined at the position) · P(relevant), so a click weighted
by 1 / P(examined), the inverse propensity, counts relevance without bias (Joachims, Swaminathan
and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017). Weights are clipped,
which trades a little bias for variance, and the mean is divided by the sum of the weights
instead of the number of sessions (Swaminathan and Joachims, "The Self-Normalized Estimator for
Counterfactual Learning", NeurIPS 2015).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import Judgements, judge


@dataclass(frozen=True)
class WeightedJudgements:
    """Labels multiplied by clipped inverse propensities; made by `judge_debiased`.

    Args:
        judgements: Of the weighted gains: `score_sessions` gives each session's weighted nDCG.
        session_weights: Shape ``(n_sessions,)``: sum of a session's weighted gains.
        clipped_share: Share of the positive results whose weight was clipped, in [0, 1].
    """

    judgements: Judgements
    session_weights: NDArray[np.float64]
    clipped_share: float


@dataclass(frozen=True)
class SelfNormalised:
    """A weighted mean and how many equal weights it is worth.

    Args:
        value: Σ w · x / Σ w; NaN without a value.
        effective_sample_size: (Σ w)² / Σ w² (Kish, "Survey Sampling", 1965).
    """

    value: float
    effective_sample_size: float


def judge_debiased(
    labels: NDArray[np.number],
    propensities: NDArray[np.floating],
    offsets: NDArray[np.int64],
    *,
    clip: float = 20.0,
    left_out: NDArray[np.bool_] | None = None,
) -> WeightedJudgements:
    """Weight labels by min(1 / propensity, clip).

    Args:
        labels: Shape ``(n_impressions,)``, gains >= 0.
        propensities: Shape ``(n_impressions,)``: probability that the result was examined, in
            (0, 1] wherever the label is positive.
        offsets: Shape ``(n_sessions + 1,)``.
        clip: Largest weight, >= 1.
        left_out: Rows that are taken out of the ranking.

    Raises:
        ValueError: If `clip` is below 1 or a needed propensity is not in (0, 1].

    Example:
        >>> judge_debiased(np.array([1, 1]), np.array([1, 0.25]), np.array([0, 2])).session_weights
        array([5.])
    """
    if not clip >= 1:
        raise ValueError(f"clip must be >= 1, got {clip}.")
    labels, offsets = np.array(labels, np.float64), np.asarray(offsets, np.int64)
    if left_out is not None:
        labels[left_out] = 0.0
    positive = labels > 0
    weights = np.zeros_like(labels)
    weights[positive] = 1.0 / _checked(np.asarray(propensities, np.float64), positive)
    gains = labels * np.minimum(weights, clip)
    sums = np.add.reduceat(np.append(gains, 0.0), offsets[:-1])
    return WeightedJudgements(
        judgements=judge(gains, offsets, left_out=left_out),
        session_weights=np.where(np.diff(offsets) > 0, sums, 0.0),
        clipped_share=float(np.mean(weights[positive] > clip)) if positive.any() else 0.0,
    )


def self_normalised_mean(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> SelfNormalised:
    """Average values by weight, leaving out those that are NaN.

    With ``values`` the weighted nDCG of each session and ``weights`` its `session_weights`, this
    is the debiased nDCG: where a session has one relevant result it converges to the mean nDCG
    of all sessions, clicked or not; in general each session counts by its estimated gain.

    Args:
        values: Shape ``(n,)``.
        weights: Shape ``(n,)``, >= 0.

    Example:
        >>> self_normalised_mean(np.array([1.0, 0.0, np.nan]), np.array([3.0, 1.0, 9.0])).value
        0.75
    """
    known = ~np.isnan(values)
    values, weights = values[known], weights[known]
    total = float(weights.sum())
    if total == 0:
        return SelfNormalised(float("nan"), 0.0)
    return SelfNormalised(float(weights @ values) / total, total**2 / float(weights @ weights))


def _checked(propensities: NDArray[np.float64], needed: NDArray[np.bool_]) -> NDArray[np.float64]:
    bad = np.flatnonzero(needed & ~((propensities > 0) & (propensities <= 1)))
    if bad.size:
        raise ValueError(
            "propensities must be in (0, 1] where the label is positive, got "
            f"{propensities[bad[0]]} at row {bad[0]} ({bad.size} such rows)."
        )
    return propensities[needed]
