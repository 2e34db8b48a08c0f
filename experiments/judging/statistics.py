"""Paired statistics over independent clusters: means, interval, effect size.

Every function takes one number a cluster (a user's mean difference), because users, not
sessions, are independent of each other: sessions of one user share taste and history.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from adjuster.metrics.interval import Interval

N_RESAMPLES = 4000

_CHUNK = 1 << 21


def cluster_numbers(user: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number the clusters that sessions belong to: one a user, one a session of unknown user.

    Args:
        user: Shape ``(n_sessions,)``: index of the user, -1 unknown.

    Returns:
        Shape ``(n_sessions,)``: numbers from 0, without gaps.

    Example:
        >>> cluster_numbers(np.array([7, -1, 3, 7, -1])).tolist()
        [1, 2, 0, 1, 3]
    """
    numbers = np.empty(len(user), np.int64)
    known = user >= 0
    users, numbers[known] = np.unique(user[known], return_inverse=True)
    numbers[~known] = len(users) + np.arange(np.count_nonzero(~known))
    return numbers


def cluster_means(values: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of each cluster's values, so that a busy user counts as much as a rare one.

    Args:
        values: Shape ``(n_sessions,)``.
        clusters: Shape ``(n_sessions,)``, numbered from 0 without gaps.

    Returns:
        Shape ``(n_clusters,)``.

    Example:
        >>> cluster_means(np.array([1.0, 3.0, 8.0]), np.array([0, 0, 1])).tolist()
        [2.0, 8.0]
    """
    return np.bincount(clusters, weights=values) / np.bincount(clusters)


def mean_interval(
    differences: NDArray[np.float64],
    *,
    seed: int,
    confidence: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> Interval:
    """Confidence interval of the mean over clusters: the wider of two at each end.

    One is the bootstrap-t interval: clusters are drawn with replacement and the quantiles of
    t* = (mean* - mean) / se* replace Student's (Efron and Tibshirani, *An Introduction to the
    Bootstrap*, 1993, section 12.5; second-order accurate at each end: Hall, *Theoretical
    Comparison of Bootstrap Confidence Intervals*, Annals of Statistics 16, 1988). The other is
    Student's own. Percentile and BCa intervals are too short with few clusters; the bootstrap-t
    follows skew but is too short where most clusters do not differ at all; Student's is the
    reverse. Taking the outer end of the two keeps each end's error near or below its nominal
    value in both cases.

    Where so few clusters differ that resamples without any spread reach the quantile, the
    bootstrap places no end there: that end is NaN, not the bound, which would read as a finding.

    Args:
        differences: Shape ``(n_clusters,)``.
        seed: Seed of the resampling.
        confidence: Confidence of the interval, in (0, 1).
        n_resamples: Bootstrap resamples, >= 1.
        bounds: Where the mean must lie: two metrics in [0, 1] differ by at most 1.

    Returns:
        The interval; NaN ends where the data place none, as with fewer than two clusters.

    Example:
        >>> gains = np.array([0.1, 0.3, 0.2, 0.15, 0.25] * 8)
        >>> interval = mean_interval(gains, seed=0)
        >>> 0.15 < interval.low < gains.mean() < interval.high < 0.25
        True
    """
    n = len(differences)
    if n < 2:
        return Interval(math.nan, math.nan, confidence)
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(n)
    tail = (1 - confidence) / 2
    spread = _studentized_means(differences - mean, n_resamples, np.random.default_rng(seed))
    student = float(stats.t.ppf(1 - tail, n - 1))
    upper = max(student, float(np.quantile(spread, 1 - tail, method="higher")))
    lower = min(-student, float(np.quantile(spread, tail, method="lower")))
    if error <= 1e-12 * abs(mean):
        return Interval(mean, mean, confidence)
    ends = Interval(_placed(mean - upper * error), _placed(mean - lower * error), confidence)
    return ends.within(bounds)


def _placed(end: float) -> float:
    """An end of an interval; NaN where it was infinite."""
    return end if math.isfinite(end) else math.nan


def _studentized_means(
    centred: NDArray[np.float64], n_resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The t* of each resample of values with mean 0; infinite where it has no spread."""
    n = len(centred)
    parts = []
    for rows in _chunks(n_resamples, n):
        sample = centred[rng.integers(0, n, size=(rows, n), dtype=np.int32)]
        mean = sample.mean(axis=1)
        variance = (np.einsum("ij,ij->i", sample, sample) - n * mean**2) / (n - 1)
        parts.append(_ratio(mean, np.sqrt(np.maximum(variance, 0) / n)))
    return np.concatenate(parts)


def _ratio(mean: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """mean / error; a resample of equal values says 0 or plus or minus infinity.

    Equal is to within 1e-6: differences of squares are no more exact, and what they leave of equal
    values would pass for a spread.
    """
    flat = error <= 1e-6 * np.abs(mean)
    ratio = np.zeros_like(mean)
    np.divide(mean, error, out=ratio, where=~flat)
    ratio[flat & (mean != 0)] = np.copysign(np.inf, mean[flat & (mean != 0)])
    return ratio


def _chunks(n_rows: int, width: int) -> list[int]:
    """Row counts that sum to `n_rows`, each keeping a block of memory small."""
    size = max(1, _CHUNK // max(width, 1))
    return [min(size, n_rows - start) for start in range(0, n_rows, size)]


def effect_size(differences: NDArray[np.float64]) -> float:
    """Cohen's d of paired data: the mean difference in units of its spread over clusters.

    Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 1988, section 2.3.5 (d_z).
    About .2 is small, .5 medium, .8 large.

    Args:
        differences: Shape ``(n_clusters,)``.

    Returns:
        The ratio; 0 where nothing differs, NaN where it is not defined (fewer than two clusters,
        or all differ by the same amount).

    Example:
        >>> effect_size(np.array([0.0, 1.0, 2.0]))
        1.0
    """
    if not np.any(differences):
        return 0.0
    if len(differences) < 2:
        return math.nan
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    return mean / spread if spread > 1e-9 * abs(mean) else math.nan
