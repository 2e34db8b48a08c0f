"""Sums over lanes: their value, their order, and that nothing past a span is touched."""

import numpy as np
import pytest

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import RowPair, dot_span, sum_span
from adjuster.fused_engine.lanes import LANE_BYTES, lane_count, load, spread, store, total

TYPES = [np.float32, np.float64]


@compiled()
def dot(left, right, lo, hi):
    return dot_span(left, 0, right, 0, lo, hi)


@compiled()
def squared_gap(left, right, lo, hi):
    return sum_span(True, RowPair(left, 0, right, 0), lo, hi)


@compiled()
def doubled(target, source, d, count):
    """Twice some coordinates, written elsewhere; returns the sum of all lanes."""
    lanes = load(source, 0, d, count)
    twice = (lanes + lanes) * spread(source, source.dtype.type(1))
    store(target, 0, d, count, twice)
    return total(twice), lane_count(source)


def rows(length, dtype):
    return np.random.default_rng(length).standard_normal((2, 1, length)).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_sums_are_those_of_the_span_alone_at_every_length(dtype):
    for length in range(1, 80):
        left, right = rows(length, dtype)
        for lo in {0, length // 3}:
            wide = left[0, lo:].astype(np.float64), right[0, lo:].astype(np.float64)
            near = {"rel": 1e-4, "abs": 1e-5} if dtype == np.float32 else {"rel": 1e-12}
            assert dot(left, right, lo, length) == pytest.approx(wide[0] @ wide[1], **near)
            gap = ((wide[0] - wide[1]) ** 2).sum()
            assert squared_gap(left, right, lo, length) == pytest.approx(gap, **near)


@pytest.mark.parametrize("dtype", TYPES)
def test_only_the_first_lanes_are_read_and_written(dtype):
    count = LANE_BYTES // np.dtype(dtype).itemsize
    source = np.full((1, 3 * count), np.nan, dtype)
    source[0, 2 : 2 + count - 1] = np.arange(1, count)
    target = np.zeros_like(source)
    found, lanes = doubled(target, source, 2, count - 1)
    assert lanes == count
    assert found == count * (count - 1)
    expected = np.zeros_like(source)
    expected[0, 2 : 2 + count - 1] = 2 * np.arange(1, count)
    np.testing.assert_array_equal(target, expected)


def test_what_lies_past_a_span_is_no_part_of_its_sum():
    left, right = rows(40, np.float32)
    known = dot(left[:, :13].copy(), right[:, :13].copy(), 0, 13)
    left[0, 13:] = np.nan
    assert dot(left, right, 0, 13) == known


def test_a_sum_is_taken_lane_by_lane_and_the_lanes_in_a_tree():
    """The order is the contract: 2⁶⁰ swallows what is added to it, and only that."""
    length = LANE_BYTES // 8
    ones = np.ones((1, length))
    values = np.array([[2.0**60, 1.0, -(2.0**60), 1.0]])
    assert length == 4
    assert dot(values, ones, 0, 4) == 2.0  # (2⁶⁰ - 2⁶⁰) + (1 + 1)
