"""Decisions of sums worked by hand."""

import pytest

from adjuster.live.monitoring.decision import GO_ON, OFF, ON, UNDECIDED, decide
from adjuster.live.monitoring.tally import Tally


def tally(total, n=1000):
    """n users of one session each, a fifth of which had a winner."""
    return Tally(n, n, total, n / 5, total, n)


@pytest.mark.parametrize(
    ("total", "planned", "word"),
    [
        (100.0, 2000, ON),
        (-100.0, 2000, OFF),
        (0.0, 2000, GO_ON),
        (30.0, 2000, GO_ON),
        (30.0, 1000, UNDECIDED),
        (100.0, 500, ON),
    ],
)
def test_the_interval_and_the_plan_decide(total, planned, word):
    assert decide(tally(total), planned=planned).word == word


def test_a_decision_says_what_it_rests_on():
    found = decide(tally(100.0), planned=2000)
    assert found.why.startswith("Users prefer the adjusted ranking: credit +0.100 (+0.0")
    assert found.why.endswith("over 1,000 sessions of 1,000 users.")
    assert found.n_left == 1000
    assert decide(Tally(), planned=10).why == "10 of the planned 10 sessions are left."


def test_a_plan_at_its_end_without_an_interval_is_undecided():
    found = decide(Tally(50, 2, 3.0, 5.0, 75.0, 1250.0), planned=50)
    assert found.word == UNDECIDED
    assert "too few users for an interval" in found.why
