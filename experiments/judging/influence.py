"""What each session contributes to an estimate: one scale for every interval.

To first order an estimate errs by the sum of its sessions' influences (Hampel, *The Influence
Curve and its Role in Robust Estimation*, Journal of the American Statistical Association 69,
1974). Whatever sessions share, users, queries or days, its error is then the spread of sums over
those who share, so that means, ratios and differences of them need no formulas of their own.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Influence(NamedTuple):
    """An estimate and what each session contributes to its error.

    Args:
        estimate: In the metric's units.
        contribution: Shape ``(n_sessions,)``: the session's part of the error; sums to 0.
        weight: Shape ``(n_sessions,)``: the session's share in the estimate; sums to 1.
    """

    estimate: float
    contribution: NDArray[np.float64]
    weight: NDArray[np.float64]


def users_mean(values: NDArray[np.float64], users: NDArray[np.int64]) -> Influence:
    """Mean over users of each user's mean session, the scale of every figure in a verdict.

    A session's weight is 1 / (n_users * n_sessions of its user) and its contribution is that
    weight times (value - mean).

    Args:
        values: Shape ``(n_sessions,)``, such as a metric's differences; not empty.
        users: Shape ``(n_sessions,)``, numbered from 0 without gaps (`cluster_numbers`).

    Example:
        >>> mean = users_mean(np.array([1.0, 3.0, 8.0]), np.array([0, 0, 1]))
        >>> mean.estimate, mean.weight.tolist(), mean.contribution.tolist()
        (5.0, [0.25, 0.25, 0.5], [-1.0, -0.5, 1.5])
    """
    n_sessions = np.bincount(users)
    weight = 1 / (len(n_sessions) * n_sessions[users])
    estimate = float(weight @ values)
    return Influence(estimate, weight * (values - estimate), weight)


def ratio(numerator: Influence, denominator: Influence) -> Influence:
    """One estimate over another of the same sessions, such as weighted gain over mean weight.

    Linearised: the influence of a / b is (influence of a - a/b * influence of b) / b (Särndal,
    Swensson and Wretman, *Model Assisted Survey Sampling*, 1992, section 5.5). A session's
    share is its part of the denominator, so that few sessions of large weight count as few and
    the jackknife over clusters (`clustering`) is the exact one of the ratio.

    Args:
        numerator: Of sessions in some order.
        denominator: Of the same sessions, of values >= 0 that are not all 0.

    Example:
        >>> users = np.array([0, 1])
        >>> gain, weight = users_mean(np.array([1.0, 3.0]), users), users_mean(np.ones(2), users)
        >>> ratio(gain, weight).contribution.tolist()
        [-0.5, 0.5]
    """
    estimate = numerator.estimate / denominator.estimate
    contribution = numerator.contribution - estimate * denominator.contribution
    share = denominator.weight + denominator.contribution / denominator.estimate
    return Influence(estimate, contribution / denominator.estimate, share)


def change(late: Influence, early: Influence) -> Influence:
    """A later estimate less an earlier one, over the earlier sessions followed by the later.

    Example:
        >>> early = users_mean(np.array([1.0, 3.0]), np.array([0, 1]))
        >>> late = users_mean(np.array([4.0]), np.array([0]))
        >>> change(late, early).estimate, change(late, early).contribution.tolist()
        (2.0, [0.5, -0.5, 0.0])
    """
    return Influence(
        late.estimate - early.estimate,
        np.concatenate([-early.contribution, late.contribution]),
        np.concatenate([early.weight, late.weight]) / 2,
    )
