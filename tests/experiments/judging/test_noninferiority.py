"""Bystanders against a margin: every place an interval can have."""

import math

import pytest

from adjuster.metrics.interval import Interval
from experiments.judging.noninferiority import noninferiority, tolerated_loss


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (-0.004, 0.010, "passes"),
        (-0.009, -0.006, "fails"),
        (-0.009, 0.010, "cannot tell"),
        (-0.005, 0.010, "cannot tell"),
        (math.nan, math.nan, "cannot tell"),
        (math.nan, -0.006, "fails"),
        (-0.004, math.nan, "passes"),
    ],
)
def test_an_interval_is_judged_by_where_it_lies_against_the_margin(low, high, found):
    assert noninferiority(Interval(low, high), margin=0.005) == found


def test_rare_bystanders_may_lose_more():
    interval = Interval(-0.02, 0.01)
    assert noninferiority(interval, margin=0.005, share=0.2) == "passes"
    assert noninferiority(interval, margin=0.005, share=0.5) == "cannot tell"
    assert tolerated_loss(0.005, 0.2) == pytest.approx(0.025)


def test_where_all_traffic_has_feedback_nobody_can_lose():
    assert noninferiority(Interval(math.nan, math.nan), margin=0.005, share=0.0) == "passes"
