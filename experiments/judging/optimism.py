"""How much better tune looked than the test for having been chosen on it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Optimism(NamedTuple):
    """The finalist's fall from tune to test, and how much of it every trial had.

    Args:
        gap: The finalist's gain on tune less that on the test.
        usual_gap: Mean gap of trials that nobody selected: the test was harder or easier.
        optimism: What is left, ``gap - usual_gap``: the price of having been chosen.
        error: Standard error of `usual_gap` over trials; NaN with fewer than two.
    """

    gap: float
    usual_gap: float
    optimism: float
    error: float


def optimism(gap: float, unselected: NDArray[np.float64]) -> Optimism:
    """The finalist's gap less the mean gap of unselected trials.

    Tune and test differ for every setting, as times and users do: only the part of the gap
    that unselected trials lack comes from choosing (the optimism of Efron, *Estimating the Error
    Rate of a Prediction Rule*, Journal of the American Statistical Association 78, 1983).

    Args:
        gap: The finalist's gain on tune less its gain on the test.
        unselected: Shape ``(n_trials,)``: the same of trials drawn without regard to their
            score, such as the random starts. Without any, the optimism is NaN.

    Example:
        >>> found = optimism(0.05, np.array([0.01, 0.03]))
        >>> round(found.usual_gap, 3), round(found.optimism, 3), round(found.error, 3)
        (0.02, 0.03, 0.01)
    """
    n = len(unselected)
    usual = float(unselected.mean()) if n else float("nan")
    error = float(unselected.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return Optimism(gap, usual, gap - usual, error)
