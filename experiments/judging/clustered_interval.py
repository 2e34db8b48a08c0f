"""Intervals where sessions share more than their user: the widest of three wins.

Sessions of one user share taste. Where adjusted vectors are shared, sessions also share what
others taught on the same query and day: a thousand users of one query on ten days are ten
observations of what it learnt, not a thousand.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from adjuster.metrics.interval import Interval
from experiments.judging.influence import Influence
from experiments.judging.statistics import N_RESAMPLES, mean_interval

RESAMPLED_UP_TO = 1000
"""Effective units up to which their skew is followed too; with more it no longer matters."""

Way = Literal["users", "units", "both"]


class Clustering(NamedTuple):
    """How far an estimate errs if sessions are independent between clusters alone.

    Args:
        error: Standard error, in the metric's units; NaN where one cluster holds everything.
        n_effective: Clusters of equal weight that would say as much, >= 1.
    """

    error: float
    n_effective: float


class _Draws(NamedTuple):
    """What `mean_interval` is called with."""

    seed: int
    confidence: float
    n_resamples: int


@dataclass(frozen=True)
class ClusteredInterval:
    """An interval, and which clustering made it as wide as it is.

    Args:
        estimate: In the metric's units.
        interval: With NaN where an end is undetermined.
        widest: The clustering that placed the lower end (`both`: users and units together).
        error: Its standard error; NaN where it is not known.
        n_effective: Its clusters of equal weight; the smaller number for `both`.
    """

    estimate: float
    interval: Interval
    widest: Way
    error: float
    n_effective: float


def clustering(influence: Influence, clusters: NDArray[np.int64]) -> Clustering:
    """Standard error by the jackknife over clusters, and how many of them there really are.

    Leaving cluster g out moves the estimate by e_g / (1 - h_g), with e_g the sum of its
    influence and h_g that of its weight; the variance is (G - 1)/G times the sum of squares
    (CV3; MacKinnon, Nielsen and Webb, *Jackknife Inference with Two-Way Clustering*,
    arXiv 2406.08880). With equal weights it is the usual variance of a mean over G clusters. The
    effective number is 1 / sum of h_g^2 (Kish; Carter, Schnepel and Steigerwald, Review of
    Economics and Statistics 99, 2017).

    Args:
        influence: Of the sessions.
        clusters: Shape ``(n_sessions,)``, numbered from 0 without gaps.

    Example:
        >>> from experiments.judging.influence import users_mean
        >>> users = np.array([0, 1, 2])
        >>> round(clustering(users_mean(np.array([1.0, 2.0, 3.0]), users), users).error, 4)
        0.5774
    """
    sums = np.bincount(clusters, weights=influence.contribution)
    shares = np.bincount(clusters, weights=influence.weight)
    n = len(sums)
    n_effective = float(shares.sum() ** 2 / (shares @ shares)) if n else 0.0
    if n < 2 or shares.max() > 1 - 1e-9:
        return Clustering(math.nan, n_effective)
    shifts = sums / (1 - shares)
    return Clustering(math.sqrt((n - 1) / n * float(shifts @ shifts)), n_effective)


def two_way(influence: Influence, users: NDArray[np.int64], units: NDArray[np.int64]) -> Clustering:
    """Standard error where sessions depend through their user and through their unit.

    Variances of the two ways add, less that of their intersections, which both counted
    (Cameron, Gelbach and Miller, *Robust Inference with Multiway Clustering*, Journal of
    Business and Economic Statistics 29, 2011). That difference can come out too small or
    negative: it is never taken below either way's own (MacKinnon, Nielsen and Webb, above).

    Args:
        influence: Of the sessions.
        users: Shape ``(n_sessions,)``, numbered from 0 without gaps.
        units: Shape ``(n_sessions,)``, numbered from 0 without gaps.

    Returns:
        The error and the smaller effective number; an error of NaN where either way has one.
    """
    by_user, by_unit = clustering(influence, users), clustering(influence, units)
    pairs = users.astype(np.int64) * (int(units.max(initial=0)) + 1) + units
    by_pair = clustering(influence, np.unique(pairs, return_inverse=True)[1])
    n_effective = min(by_user.n_effective, by_unit.n_effective)
    if math.isnan(by_user.error) or math.isnan(by_unit.error):
        return Clustering(math.nan, n_effective)
    variances = [error**2 for error in (by_user.error, by_unit.error, by_pair.error)]
    variance = max(variances[0] + variances[1] - variances[2], variances[0], variances[1])
    return Clustering(math.sqrt(variance), n_effective)


def clustered_interval(
    influence: Influence,
    users: NDArray[np.int64],
    units: NDArray[np.int64] | None,
    *,
    seed: int,
    confidence: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> ClusteredInterval:
    """Interval of an estimate: at each end the outermost of users, units and both.

    By users and by units it is `mean_interval` (bootstrap-t and Student), and each way also
    Student's with the jackknife's error and one degree of freedom fewer than effective clusters,
    for both the smaller number of the two. An end that any of them leaves undetermined is
    undetermined.

    Args:
        influence: Of the sessions (`users_mean`, `ratio`, `change`).
        users: Shape ``(n_sessions,)``, numbered from 0 without gaps (`cluster_numbers`).
        units: Shape ``(n_sessions,)``, the same of what sessions share beside users, such as
            query and day; None where each user has vectors of their own.
        seed: Of the resampling.
        confidence: In (0, 1).
        n_resamples: Bootstrap resamples, >= 1.
        bounds: Where the estimate must lie.

    Example:
        >>> from experiments.judging.influence import users_mean
        >>> rng = np.random.default_rng(0)
        >>> users, days = np.arange(400), np.arange(400) % 8
        >>> gains = 0.1 * rng.normal(size=8)[days] + 0.1 * rng.normal(size=400)
        >>> clustered_interval(users_mean(gains, users), users, days, seed=0).widest
        'units'
    """
    draws = _Draws(seed, confidence, n_resamples)
    by_user = clustering(influence, users)
    skewed = _resampled(influence, users, draws).within(bounds)
    found = ClusteredInterval(influence.estimate, skewed, "users", *by_user)
    ways: list[tuple[Way, Clustering]] = [("users", by_user)]
    if units is not None:
        by_unit, both = clustering(influence, units), two_way(influence, users, units)
        ways += [("units", by_unit), ("both", both)]
        if by_unit.n_effective <= RESAMPLED_UP_TO:
            skewed = _resampled(influence, units, draws).within(bounds)
            found = _wider(found, skewed, "units", by_unit)
    for way, clusters in ways:
        plain = student_interval(influence.estimate, clusters, confidence).within(bounds)
        found = _wider(found, plain, way, clusters)
    return found


def _resampled(influence: Influence, clusters: NDArray[np.int64], draws: _Draws) -> Interval:
    """`mean_interval` of one value a cluster: mean the estimate, spread that of its error."""
    sums = np.bincount(clusters, weights=influence.contribution)
    values = np.asarray(influence.estimate + len(sums) * sums, np.float64)
    unbounded = (-math.inf, math.inf)
    return mean_interval(values, bounds=unbounded, **draws._asdict())


def student_interval(estimate: float, clusters: Clustering, confidence: float) -> Interval:
    """Student's interval with one degree of freedom fewer than effective clusters.

    Args:
        estimate: In the metric's units.
        clusters: Its error and effective number of clusters.
        confidence: In (0, 1).

    Returns:
        NaN ends where the error is not known or hardly more than one cluster counts.

    Example:
        >>> ends = student_interval(0.1, Clustering(0.02, 11.0), 0.95)
        >>> round(ends.low, 4), round(ends.high, 4)
        (0.0554, 0.1446)
    """
    freedom = clusters.n_effective - 1
    if math.isnan(clusters.error) or freedom < 0.5:
        return Interval(math.nan, math.nan, confidence)
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * clusters.error
    return Interval(estimate - half, estimate + half, confidence)


def _wider(
    found: ClusteredInterval, other: Interval, way: Way, clusters: Clustering
) -> ClusteredInterval:
    """The outer end of two intervals on each side; an undetermined end stays so."""
    low, high = found.interval.low, found.interval.high
    ends = Interval(
        float(np.minimum(low, other.low)),
        float(np.maximum(high, other.high)),
        found.interval.confidence,
    )
    if not (other.low < low or (math.isnan(other.low) and not math.isnan(low))):
        return replace(found, interval=ends)
    return ClusteredInterval(found.estimate, ends, way, *clusters)
