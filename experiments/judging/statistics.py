"""Paired statistics over independent clusters: interval, randomisation test, family, effect size.

Every function takes one number a cluster (a user's mean difference), because users, not
sessions, are independent of each other: sessions of one user share taste and history.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from adjuster.metrics.interval import Interval

N_RESAMPLES = 4000
N_SIGN_FLIPS = 9999
EXACT_UP_TO = 12
"""With at most this many clusters that differ, all 2^n sign flips are counted."""

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


def randomization_p_value(
    differences: NDArray[np.float64], *, seed: int, n_flips: int = N_SIGN_FLIPS
) -> float:
    """Two-sided paired randomisation test that the mean difference is 0, by sign flips.

    If neither side is better, a cluster's difference is as likely to have the other sign
    (Fisher, *The Design of Experiments*, 1935, section 21; for retrieval metrics: Smucker, Allan
    and Carterette, CIKM 2007). The p-value is the share of flips whose absolute sum is at least
    the one observed: of all 2^n flips with few clusters, else of random ones with the observed
    one counted among them (Phipson and Smyth, *Permutation P-values Should Never Be Zero*,
    2010). Clusters that do not differ cannot change the sum and are left out.

    Args:
        differences: Shape ``(n_clusters,)``.
        seed: Seed of the random flips.
        n_flips: Random flips, >= 1.

    Returns:
        In (0, 1]; 1 where nothing differs.

    Example:
        >>> randomization_p_value(np.array([1.0, 2.0, 3.0]), seed=0)
        0.25
    """
    moving = differences[differences != 0]
    observed = abs(moving.sum()) * (1 - 1e-12)
    if len(moving) <= EXACT_UP_TO:
        return float(np.mean(np.abs(_every_sign_flip(len(moving)) @ moving) >= observed))
    rng = np.random.default_rng(seed)
    n_extreme = sum(
        int(np.count_nonzero(np.abs(_flipped_sums(moving, rows, rng)) >= observed))
        for rows in _chunks(n_flips, len(moving) // 8)
    )
    return (1 + n_extreme) / (1 + n_flips)


def _every_sign_flip(n: int) -> NDArray[np.float64]:
    """Shape ``(2^n, n)`` of -1 and 1."""
    bits = np.arange(1 << n)[:, None] >> np.arange(n) & 1
    return bits.astype(np.float64) * 2 - 1


def _flipped_sums(
    values: NDArray[np.float64], n_rows: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sums of randomly flipped values: a random byte looks up the sum of eight of them."""
    eights = np.pad(values, (0, -len(values) % 8)).reshape(-1, 8)
    sums = eights @ _every_sign_flip(8).T
    drawn = rng.integers(0, 256, size=(n_rows, len(eights)), dtype=np.uint8)
    flipped: NDArray[np.float64] = sums.ravel().take(drawn + 256 * np.arange(len(eights)))
    return np.asarray(flipped.sum(axis=1), np.float64)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust a family's p-values so that the chance of any false finding stays at the level.

    Step-down: the k-th smallest of m is multiplied by m - k + 1, and none may fall below the one
    before it (Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian
    Journal of Statistics 6, 1979).

    Args:
        p_values: Shape ``(n_tests,)``, in [0, 1].

    Returns:
        Shape ``(n_tests,)``, in the order given, at most 1.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.maximum.accumulate(p_values[order] * factors)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


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
