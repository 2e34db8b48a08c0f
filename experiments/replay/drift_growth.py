"""How far vectors will have moved by the end of the log, told from the part that was replayed.

Steps add up: a setting just within its drift bound at the end of tune may be far beyond it at the
end of the test, and a search that does not foresee it hands on finalists that all break it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from experiments.replay.exact_sums import ExactSums
from experiments.replay.timeline import Timeline

STRAIGHT = 2.0
"""The largest power: vectors that keep their direction move in proportion to time, and
1 - cos(angle) to the square of the angle."""

FURTHEST = 2.0
"""1 - cosine is never more."""


def growth(early: float, late: float, *, at_early: float, at_late: float, end: float) -> float:
    """By how much mean drift grows from a late point of a replay to the end of the log.

    The power law through the two points: drift is in proportion to ``time ** power``. The power is
    kept within 0 (vectors have settled) and `STRAIGHT`.

    Args:
        early: Mean drift at the early point, >= 0.
        late: Mean drift at the late point, >= 0.
        at_early: How many sessions had been replayed by then, > 0.
        at_late: How many by the late point, > `at_early`.
        end: How many the log has, >= `at_late`.

    Returns:
        A factor >= 1; `FURTHEST` bounds what it makes of `late`.

    Example:
        >>> round(growth(0.01, 0.04, at_early=100, at_late=200, end=400), 6)
        4.0
        >>> growth(0.04, 0.04, at_early=100, at_late=200, end=400)
        1.0
    """
    if not late > 0:
        return 1.0
    power = math.log(late / early) / math.log(at_late / at_early) if early > 0 else STRAIGHT
    factor: float = (end / at_late) ** min(max(power, 0.0), STRAIGHT)
    return max(1.0, min(factor, FURTHEST / late))


def growth_of(timeline: Timeline, early: ExactSums, late: ExactSums) -> float:
    """By how much mean drift grows from the end of a replay's window to the end of its log.

    Args:
        timeline: The replay.
        early: Drift of the objects adjusted by the middle of the scored sessions.
        late: Drift at the end of the window.
    """
    if not 0 < timeline.middle < timeline.n_sessions:
        return 1.0
    return growth(
        mean_drift(early),
        mean_drift(late),
        at_early=timeline.middle,
        at_late=timeline.n_sessions,
        end=timeline.log.n_sessions,
    )


def sum_drift(drift: NDArray[np.float64]) -> ExactSums:
    """The drift of pairs as one sum, whatever their order; those that are NaN have none."""
    total = ExactSums()
    total.add(drift[~np.isnan(drift)])
    return total


def mean_drift(drift: ExactSums) -> float:
    """Mean over pairs; 0 where nothing was adjusted."""
    return float(drift.means()[0]) if drift.counts[0] else 0.0
