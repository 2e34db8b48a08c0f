"""Time-uniform intervals: running sums, and how often any of many looks excludes the truth."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from adjuster.metrics.confidence_sequence import RunningSums, confidence_sequence


def test_sums_in_two_parts_are_those_of_the_whole():
    values = np.random.default_rng(0).normal(size=30)
    parts = RunningSums().add(values[:7]).add(values[7:])
    assert parts == pytest.approx(RunningSums().add(values))
    assert parts.mean == pytest.approx(values.mean())
    assert parts.spread == pytest.approx(values.std(ddof=1))


def test_nothing_yet_places_no_end():
    assert math.isnan(RunningSums().mean)
    assert math.isnan(RunningSums(1, 2.0, 4.0).spread)
    assert not confidence_sequence(RunningSums(), planned=100, spread=1.0).determined
    few = RunningSums().add(np.ones(99))
    assert not confidence_sequence(few, planned=100).determined


def test_width_worked_by_hand_for_a_known_spread():
    # error .05: r = (5.9915 + log 6.9915) / 100 = .079361; n r + 1 = 8.93607
    # 2 * 8.93607 / (10000 * .079361) * log(2.98933 / .05) = .022520 * 4.09077 = .092124
    ends = confidence_sequence(RunningSums(100, 0.0, 50.0), planned=100, spread=1.0)
    assert ends.high == pytest.approx(math.sqrt(0.092124), rel=1e-3)
    assert ends.low == -ends.high


def test_it_is_narrowest_relative_to_one_look_about_where_planned():
    sizes = np.array([100, 200, 400, 800, 1600])
    ratios = [
        confidence_sequence(RunningSums(int(n), 0.0, 1.0), planned=400, spread=1.0).high
        * math.sqrt(n)
        for n in sizes
    ]
    assert sizes[int(np.argmin(ratios))] == 400


Draw = Callable[[np.random.Generator, int], np.ndarray]
NULLS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "long tail of losses": lambda rng, n: 1 - rng.exponential(size=n),
    "nine of ten unchanged": lambda rng, n: (rng.random(n) < 0.1) * rng.normal(size=n),
}


def ever_excludes(values: np.ndarray, spread: float | None, first: int) -> bool:
    """Whether any of about a hundred looks excludes a true mean of 0."""
    totals, squares = np.cumsum(values), np.cumsum(values**2)
    for n in np.unique(np.geomspace(first, len(values), 100).astype(int)):
        sums = RunningSums(int(n), float(totals[n - 1]), float(squares[n - 1]))
        ends = confidence_sequence(sums, planned=400, spread=spread)
        if ends.low > 0 or ends.high < 0:
            return True
    return False


@pytest.mark.parametrize("name", NULLS)
def test_looking_after_every_arrival_misleads_one_time_in_twenty(name):
    rng = np.random.default_rng(1)
    misled = sum(ever_excludes(NULLS[name](rng, 2000), None, 100) for _ in range(400))
    assert stats.binomtest(misled, 400, 0.05, "greater").pvalue > 0.01


def test_bounded_differences_are_covered_from_the_first_on():
    rng = np.random.default_rng(2)
    misled = sum(ever_excludes(rng.choice([-1.0, 1.0], 1000), 1.0, 1) for _ in range(400))
    assert stats.binomtest(misled, 400, 0.05, "greater").pvalue > 0.01
    assert misled > 0
