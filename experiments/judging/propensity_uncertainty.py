"""Intervals that also carry how unsure the estimated propensities are."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from adjuster.metrics.interval import Interval


def with_propensity_draws(
    estimate: float, interval: Interval, draws: NDArray[np.float64]
) -> Interval:
    """Widen an interval by the spread of the estimate over bootstrapped propensities.

    Both errors are nearly independent, so their variances add: each half-width becomes the root
    of its square plus that of t * standard deviation of the draws, t Student's quantile with
    one degree of freedom fewer than draws (as between imputations: Rubin, *Multiple Imputation
    for Nonresponse in Surveys*, 1987, section 3.1).

    Args:
        estimate: Between the ends.
        interval: With propensities held fixed; undetermined ends stay so.
        draws: Shape ``(n_draws,)``: the estimate with the propensities of each bootstrap sample,
            on the same sessions.

    Returns:
        Undetermined (NaN) at both ends with fewer than two draws.

    Example:
        >>> ends = with_propensity_draws(0.05, Interval(0.02, 0.08), np.array([0.04, 0.05, 0.06]))
        >>> round(ends.low, 4), round(ends.high, 4)
        (-0.0025, 0.1025)
    """
    if len(draws) < 2:
        return Interval(math.nan, math.nan, interval.confidence)
    quantile = float(stats.t.ppf((1 + interval.confidence) / 2, len(draws) - 1))
    extra = quantile * float(draws.std(ddof=1))
    return Interval(
        estimate - math.hypot(estimate - interval.low, extra),
        estimate + math.hypot(interval.high - estimate, extra),
        interval.confidence,
    )
