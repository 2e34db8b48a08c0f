"""What a test can tell, before it is opened, and what it would take to settle a gain."""

import math

from scipy import stats

from experiments.judging.enough_clusters import hidden_loss

POWER = 0.8
MOST = 10**9
"""Clusters beyond which a gain is called out of reach."""


def spread_between(error: float, n_clusters: float) -> float:
    """Standard deviation between clusters of equal weight that have this standard error.

    Args:
        error: Standard error of a mean, such as `ClusteredInterval.error`.
        n_clusters: Clusters behind it, such as `ClusteredInterval.n_effective`.

    Example:
        >>> spread_between(0.01, 100)
        0.1
    """
    return error * math.sqrt(n_clusters)


def detectable_gain(
    spread: float,
    n_clusters: float,
    *,
    confidence: float = 0.95,
    power: float = POWER,
    largest_loss: float = 0.0,
) -> float:
    """The smallest true gain whose interval lies above 0 with the given probability.

    (t(1 - tail) + t(power)) * spread / sqrt(n) with n - 1 degrees of freedom (Bloom, *Minimum
    Detectable Effects*, Evaluation Review 19, 1995); the first term is not below what unseen
    losers can hide.

    Args:
        spread: Standard deviation between clusters (`spread_between`); from tune when the test
            is still sealed.
        n_clusters: Clusters of the planned test: users, or units that share vectors.
        confidence: Of the two-sided interval.
        power: Probability of finding it, in (0, 1).
        largest_loss: As in `hidden_loss`, where clusters are users; 0 asks nothing of the kind.

    Returns:
        In metric units; infinite with fewer than two clusters.

    Example:
        >>> round(detectable_gain(0.1, 100), 4)
        0.0283
    """
    freedom = n_clusters - 1
    if freedom <= 0:
        return math.inf
    error = spread / math.sqrt(n_clusters)
    hidden = hidden_loss(int(n_clusters), largest_loss=largest_loss, confidence=confidence)
    least = max(float(stats.t.ppf((1 + confidence) / 2, freedom)) * error, hidden)
    return least + float(stats.t.ppf(power, freedom)) * error


def clusters_to_settle(
    gain: float,
    spread: float,
    *,
    confidence: float = 0.95,
    power: float = POWER,
    largest_loss: float = 0.0,
) -> float:
    """The fewest clusters with which a gain of this size would be found.

    Args:
        gain: Its distance from what it must exceed or stay below, in metric units.
        spread: Standard deviation between clusters.
        confidence: Of the two-sided interval.
        power: Probability of finding it.
        largest_loss: As in `detectable_gain`.

    Returns:
        A whole number >= 2; infinite where no number up to `MOST` would do.

    Example:
        >>> clusters_to_settle(0.03, 0.1)
        90.0
    """

    def found(n: int) -> bool:
        least = detectable_gain(
            spread, n, confidence=confidence, power=power, largest_loss=largest_loss
        )
        return least <= abs(gain)

    if not found(MOST):
        return math.inf
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return float(high)
