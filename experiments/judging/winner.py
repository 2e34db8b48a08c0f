"""The gain of the best of N trials, corrected for having been chosen on the same sessions.

The best of 100 equal trials looks better than none by two or three standard errors. The interval
here holds whichever trial was chosen and however: its lower end is simultaneous over all trials
(the projection interval of Andrews, Kitagawa and McCloskey, *Inference on Winners*, Quarterly
Journal of Economics 139, 2024). Their conditional and hybrid intervals are shorter where many
trials are close, but need the joint normal law of all N means, which 20 blocks cannot give; sign
flips and resampled users need no covariances and follow how alike the trials are by
themselves. Intervals around a cross-fitted mean alone erred at one end in 14 of 100 logs of
equal, unlike trials (simulated), because folds choose on each other's users; the cross-fitted
mean itself is unbiased and is the estimate given here.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.interval import Interval
from experiments.judging.statistics import N_RESAMPLES, mean_interval

N_DRAWS = 1000
LEAST_VARIANCE = 0.05
"""Least variance of a resampled mean, as a share of its trial's own: a trial in which one user
differs has resamples without any, whose t would be infinite and drown those of its rivals."""

BOUNDS = (-1.0, 1.0)
"""Where the difference of two metrics in [0, 1] lies."""

N_FOLDS = 10
N_PARTITIONS = 5


class Winner(NamedTuple):
    """The best of N trials, as it looks and as it should be read.

    Args:
        trial: Its row.
        naive_gain: Its mean gain, with the luck that made it the best.
        gain: The same without that luck: cross-fitted, and never outside the interval.
        interval: Of its true gain, valid for a trial chosen on the same data.
    """

    trial: int
    naive_gain: float
    gain: float
    interval: Interval


def winners_gain(
    gains: NDArray[np.float64],
    *,
    seed: int,
    confidence: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    trial: int | None = None,
    n_tried: int = 0,
    allowed: NDArray[np.bool_] | None = None,
) -> Winner:
    """Estimate and interval of the gain of the trial that was chosen.

    The upper end is that of `mean_interval`: luck only lifts the winner's mean, so that it errs
    less often than it says. The lower end is the lower of that interval's own, which follows
    skew, and mean - c * standard error, with c the quantile of the largest t over trials (max-t:
    Westfall and Young, *Resampling-Based Multiple Testing*, 1993, section 2.5) when users'
    gains, centred in each trial, flip signs together, or when users are drawn with replacement,
    whichever is larger: flips hold the level with few users, draws follow skew.

    Args:
        gains: Shape ``(n_trials, n_users)``, or blocks for users: independent columns; NaN where
            a trial did not see one. Trials that stopped early are left out by the caller.
        seed: Of flips, folds and resampling.
        confidence: In (0, 1).
        n_resamples: Of the bootstrap.
        trial: Row of the trial that was chosen; None is the one with the highest mean. The
            interval holds however it was chosen.
        n_tried: Trials that it was chosen from, those without a row among them: one that was
            stopped early might have won too. Each row then stands for as many (a union bound).
        allowed: Shape ``(n_trials,)``: rows that could have been chosen, the chosen one among
            them; None for all. The others are never chosen on the other folds either.

    Returns:
        Undetermined (NaN) ends where the winner saw fewer than two users.

    Raises:
        ValueError: If a trial saw nothing.

    Example:
        >>> gains = 0.15 * np.random.default_rng(1).normal(size=(50, 200))
        >>> best = winners_gain(gains, seed=0)
        >>> best.naive_gain > 0.015, best.interval.low < 0, best.gain < 0.5 * best.naive_gain
        (True, True, True)
    """
    seen = ~np.isnan(gains)
    if not seen.any(axis=1).all():
        raise ValueError("Every trial must have seen at least one user; leave the others out.")
    means = _means(gains, seen)
    trial = int(means.argmax()) if trial is None else trial
    own = gains[trial, seen[trial]]
    ends = mean_interval(
        own, seed=seed, confidence=confidence, n_resamples=n_resamples, bounds=BOUNDS
    )
    rng = np.random.default_rng(seed)
    low = ends.low
    if len(own) > 1:
        risk = (1 - confidence) * len(gains) / max(n_tried, len(gains))
        limit = _largest_t(gains, seen, 1 - risk, rng)
        error = float(own.std(ddof=1)) / math.sqrt(len(own))
        low = float(np.minimum(low, means[trial] - limit * error))
    interval = Interval(low, ends.high, confidence).within(BOUNDS)
    unbiased = crossfitted_gain(gains if allowed is None else gains[allowed], rng)
    inside = float(np.fmin(np.fmax(unbiased, interval.low), interval.high))
    return Winner(trial, float(means[trial]), inside, interval)


def _means(gains: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Shape ``(n_trials,)``: the mean over the users whom each trial saw."""
    total: NDArray[np.float64] = np.where(seen, gains, 0.0).sum(axis=1)
    means: NDArray[np.float64] = total / seen.sum(axis=1)
    return means


def _largest_t(
    gains: NDArray[np.float64], seen: NDArray[np.bool_], confidence: float, rng: np.random.Generator
) -> float:
    """Quantile of the largest t over trials: the larger by sign flips and by resampled users."""
    n_users = gains.shape[1]
    centred = np.where(seen, gains - _means(gains, seen)[:, None], 0.0)
    flips = rng.integers(0, 2, size=(n_users, N_DRAWS)) * 2.0 - 1.0
    times = rng.multinomial(n_users, np.full(n_users, 1 / n_users), N_DRAWS).T * 1.0
    n = seen.sum(axis=1, keepdims=True) * 1.0  # (trials, 1)
    squares = (centred**2).sum(axis=1, keepdims=True)
    least = LEAST_VARIANCE * squares / np.maximum(n, 2) ** 2
    n_drawn = n if seen.all() else np.maximum(seen * 1.0 @ times, 1)  # (trials, 1 or draws)
    flipped = _studentized(centred @ flips, squares, n, least)
    resampled = _studentized(centred @ times, centred**2 @ times, n_drawn, least)
    return max(
        float(np.quantile(t.max(axis=0), (1 + confidence) / 2, method="higher"))
        for t in (flipped, resampled)
    )


def _studentized(
    totals: NDArray[np.float64],
    squares: NDArray[np.float64],
    n: NDArray[np.float64],
    least: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Shape ``(n_trials, n_draws)``: mean over standard error of each trial in each draw.

    Args:
        totals: Shape ``(n_trials, n_draws)``: sums of the gains drawn.
        squares: The same of their squares, or one a trial: ``(n_trials, 1)``.
        n: How many were drawn, of either shape.
        least: Shape ``(n_trials, 1)``: least variance of a mean.
    """
    means = totals / n
    variance = np.maximum(squares / n - means**2, 0) / np.maximum(n - 1, 1)
    error = np.sqrt(np.maximum(variance, least))
    t: NDArray[np.float64] = np.divide(means, error, out=np.zeros_like(means), where=error > 0)
    return t


def crossfitted_gain(gains: NDArray[np.float64], rng: np.random.Generator) -> float:
    """Mean gain on users whom the choice did not see: choose on nine folds, measure on the tenth.

    Averaged over folds and over several partitions into folds (Chernozhukov and others,
    *Double/Debiased Machine Learning*, Econometrics Journal 21, 2018, on both).

    Args:
        gains: Shape ``(n_trials, n_users)``, NaN where a trial did not see one.
        rng: Draws the partitions.

    Returns:
        The mean over users who were seen by the trial chosen without them; NaN with fewer than
        two users.

    Example:
        >>> sure = np.array([[0.1] * 6, [0.0] * 6])
        >>> round(crossfitted_gain(sure, np.random.default_rng(0)), 3)
        0.1
    """
    n_users = gains.shape[1]
    if n_users < 2:
        return math.nan
    held_out = [_held_out(gains, rng.permutation(n_users) % N_FOLDS) for _ in range(N_PARTITIONS)]
    values = np.concatenate(held_out)
    return float(np.nanmean(values)) if not np.isnan(values).all() else math.nan


def _held_out(gains: NDArray[np.float64], fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shape ``(n_users,)``: each user's gain in the trial that is best on the other folds."""
    seen = ~np.isnan(gains)
    indicator = np.eye(N_FOLDS)[fold]  # (users, folds)
    filled = np.where(seen, gains, 0.0)
    total = filled.sum(axis=1, keepdims=True) - filled @ indicator  # (trials, folds)
    count = seen.sum(axis=1, keepdims=True) - seen @ indicator
    mean = np.divide(total, count, out=np.full_like(total, -np.inf), where=count > 0)
    chosen: NDArray[np.float64] = gains[mean.argmax(axis=0)[fold], np.arange(len(fold))]
    return chosen
