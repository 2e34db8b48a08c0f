"""Sums that no order and no grouping can change."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.replay.exact_sums import ExactSums, added


def sum_of(values, group=None):
    sums = ExactSums()
    sums.add(np.array(values, np.float64), None if group is None else np.array(group))
    return sums


@given(st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_a_sum_is_rounded_once(values):
    assert sum_of(values).values()[0] == math.fsum(values)


@given(st.lists(st.tuples(st.floats(-2, 2), st.integers(0, 3)), min_size=1), st.randoms())
def test_neither_order_nor_cut_changes_a_bit(rows, random):
    values, group = zip(*rows, strict=True)
    whole = sum_of(values, group)
    random.shuffle(rows)
    cut = random.randint(0, len(rows))
    merged = ExactSums()
    for piece in (rows[:cut], rows[cut:]):
        if piece:
            merged.merge(sum_of(*zip(*piece, strict=True)))
    assert merged.counts.tolist() == whole.counts.tolist()
    np.testing.assert_array_equal(merged.values(), whole.values())
    np.testing.assert_array_equal(merged.means(), whole.means())


def test_terms_beyond_one_go_are_all_added(monkeypatch):
    monkeypatch.setattr("experiments.replay.exact_sums.AT_ONCE", 7)
    values = np.random.default_rng(0).random(100)
    assert sum_of(values).values()[0] == math.fsum(values)


def test_the_mean_of_nothing_is_no_number():
    assert np.isnan(ExactSums().means()[0])
    assert sum_of([1.0], [2]).means()[2] == 1.0
    assert np.isnan(sum_of([1.0], [2]).means()[0])


def test_rows_of_any_lengths_are_added():
    one, other = np.array([1, 2, 3]), np.array([10])
    assert added(one, other).tolist() == added(other, one).tolist() == [11, 2, 3]
    assert one.tolist() == [1, 2, 3]


def test_the_smallest_and_the_largest_stand_side_by_side():
    assert sum_of([1e300, 5e-324, -1e300]).values()[0] == pytest.approx(5e-324, abs=0)
