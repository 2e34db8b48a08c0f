"""The one-standard-error rule among finalists, worked by hand."""

import math

from experiments.judging.choice import is_as_good, prefer_least_drift
from experiments.study.records import COMPLETE, Outcome, TrialRecord


def record(number, blocks, drift):
    outcome = Outcome(
        COMPLETE,
        value=sum(blocks) / len(blocks),
        metrics={"drift_mean": drift},
        blocks=dict(enumerate(blocks)),
    )
    return TrialRecord(number, number, "sampler", {}, {}, outcome, False, 0.0, 1.0, "here")


BEST = record(0, [0.8, 0.7, 0.9, 0.8], 0.15)
# Behind by .02, -.02, .01, 0: mean .0025, standard error .0085.
CLOSE = record(1, [0.78, 0.72, 0.89, 0.8], 0.03)
# Behind by .01 everywhere: no doubt.
FAR = record(2, [0.79, 0.69, 0.89, 0.79], 0.01)


def test_within_one_standard_error_is_as_good():
    assert is_as_good(CLOSE, BEST)
    assert is_as_good(BEST, BEST)


def test_a_steady_lag_is_not():
    assert not is_as_good(FAR, BEST)


def test_the_least_drift_among_the_good_comes_first_and_none_is_lost():
    assert [item.number for item in prefer_least_drift([BEST, CLOSE, FAR])] == [1, 0, 2]
    assert prefer_least_drift([]) == []


def test_blocks_without_sessions_do_not_count():
    empty = record(3, [0.78, math.nan, 0.89, 0.8], 0.02)
    assert is_as_good(empty, BEST) is False
    one_left = record(4, [math.nan, math.nan, 0.9, math.nan], 0.02)
    assert not is_as_good(one_left, BEST)
