"""How many users a claimed gain needs: by what may be unseen and by skew, not one number for all.

An interval only knows the losses that it saw. With 93 % small gains and 7 % large losses, 20
users hold no loser in 23 of 100 logs and then look unanimous.
"""

import math

import numpy as np
from numpy.typing import NDArray

PER_SQUARED_SKEW = 9
"""Users needed per unit of squared skew; Student's interval alone would need 25 (Cochran,
*Sampling Techniques*, 1977, section 2.15), the bootstrap-t corrects most of it (simulated in
`tests/experiments/judging/test_enough_clusters.py`)."""


def unseen_share(n_clusters: int, *, confidence: float = 0.95) -> float:
    """Largest share of users of a kind of which n users held none.

    With share q none of n is of the kind with probability (1 - q)^n, so the bound is
    1 - (1 - confidence)^(1/n), about 3/n at 95 % (Hanley and Lippman-Hand, *If Nothing Goes
    Wrong, Is Everything All Right?*, JAMA 249, 1983).

    Args:
        n_clusters: >= 1.
        confidence: In (0, 1).

    Example:
        >>> round(unseen_share(100), 4)
        0.0295
    """
    return -math.expm1(math.log(1 - confidence) / n_clusters)


def hidden_loss(n_clusters: int, *, largest_loss: float = 1.0, confidence: float = 0.95) -> float:
    """Mean gain that losers who happened not to be seen could turn into nothing.

    If the seen gain on average m and an unseen share q lose `largest_loss` each, the true mean
    (1 - q) m - q largest_loss is 0 at m = largest_loss q / (1 - q).

    Args:
        n_clusters: >= 1.
        largest_loss: What one user can lose, in metric units, > 0: 1 for any metric in [0, 1];
            better the reference's own mean, which is what losing everything costs.
        confidence: That no larger share is unseen.

    Example:
        >>> round(hidden_loss(100), 4), round(hidden_loss(100, largest_loss=0.5), 4)
        (0.0304, 0.0152)
    """
    share = unseen_share(n_clusters, confidence=confidence)
    return largest_loss * share / (1 - share)


def skew(differences: NDArray[np.float64]) -> float:
    """Third standardised moment, negative with a long tail of losses; 0 without spread.

    Example:
        >>> skew(np.array([-3.0, 1.0, 1.0, 1.0])) < 0 == skew(np.zeros(3))
        True
    """
    centred = differences - differences.mean()
    spread = math.sqrt(float(np.mean(centred**2)))
    if spread <= 1e-12 * float(np.abs(differences).max(initial=0.0)):
        return 0.0
    return float(np.mean((centred / spread) ** 3))


def clusters_needed(
    differences: NDArray[np.float64], *, largest_loss: float = 1.0, confidence: float = 0.95
) -> float:
    """Users that a claim "the mean is above 0" needs, if more users were like these.

    The larger of two: enough that losers not seen cannot turn the mean gain into nothing
    (`hidden_loss`), and `PER_SQUARED_SKEW` times the squared skew where the long tail is that of
    losses. For the claim "the mean is below x", ask with ``x - differences``.

    Args:
        differences: Shape ``(n_users,)``, one mean difference a user; not empty.
        largest_loss: What one user can lose, > 0 (`hidden_loss`).
        confidence: That no larger share of losers is unseen.

    Returns:
        A whole number; infinite where the mean is not above 0.

    Example:
        >>> clusters_needed(np.full(20, 0.05))
        62.0
    """
    mean = float(differences.mean())
    if mean <= 0:
        return math.inf
    share = mean / (mean + largest_loss)
    unseen = math.log(1 - confidence) / math.log1p(-share)
    return float(math.ceil(max(unseen, PER_SQUARED_SKEW * min(skew(differences), 0.0) ** 2)))


def is_enough(
    differences: NDArray[np.float64], *, largest_loss: float = 1.0, confidence: float = 0.95
) -> bool:
    """Whether there are as many users as the claim that their mean is above 0 needs.

    Example:
        >>> is_enough(np.full(20, 0.05)), is_enough(np.full(80, 0.05))
        (False, True)
    """
    if not len(differences):
        return False
    needed = clusters_needed(differences, largest_loss=largest_loss, confidence=confidence)
    return len(differences) >= needed
