"""Drift: by hand, as properties, and near zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.metrics import drift
from adjuster.metrics.drift import part_drift


def test_worked_by_hand():
    originals = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    adjusted = np.array([[0.0, 5.0], [0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(drift(originals, adjusted, np.array([0, 2, 3])), [0.5, 2.0])


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_length_does_not_matter_and_the_range_is_0_to_2(seed, scale):
    rng = np.random.default_rng(seed)
    originals, adjusted = rng.standard_normal((2, 7, 3))
    offsets = np.array([0, 2, 7])
    found = drift(originals, adjusted, offsets)
    assert ((found >= 0) & (found <= 2 + 1e-12)).all()
    np.testing.assert_allclose(drift(originals, scale * adjusted, offsets), found, rtol=1e-9)
    np.testing.assert_allclose(drift(originals, scale * originals, offsets), 0, atol=1e-15)


def test_a_tiny_turn_is_not_lost_to_rounding():
    angle = 1e-6
    turned = np.array([[np.cos(angle), np.sin(angle)]])
    found = drift(np.array([[1.0, 0.0]]), turned, np.array([0, 1]))
    assert found[0] == pytest.approx(angle**2 / 2, rel=1e-4)


def test_a_zero_vector_drifts_by_0_if_it_stays_and_by_1_if_not():
    originals = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    adjusted = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    assert part_drift(originals, adjusted).tolist() == [0.0, 1.0, 1.0]


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    originals, adjusted = rng.standard_normal((2, 11, 3)).astype(np.float32)
    whole = part_drift(originals, adjusted)
    monkeypatch.setitem(part_drift.__globals__, "ROWS_AT_ONCE", 4)
    np.testing.assert_array_equal(part_drift(originals, adjusted), whole)


def test_no_objects():
    assert drift(np.empty((0, 3)), np.empty((0, 3)), np.array([0])).shape == (0,)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="must be equal, with 2 rows"):
        drift(np.zeros((2, 3)), np.zeros((3, 3)), np.array([0, 2]))
    with pytest.raises(ValueError, match="object 1 must have at least one part"):
        drift(np.zeros((2, 3)), np.zeros((2, 3)), np.array([0, 2, 2]))
