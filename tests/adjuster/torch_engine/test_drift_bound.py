"""The hard bound on drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.metrics import part_drift
from adjuster.torch_engine.drift_bound import bound_drift


@given(
    st.integers(0, 2**32 - 1),
    st.floats(1e-9, 2.0),
    st.floats(1e-3, 10.0),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_bound_holds_and_lengths_stay(seed, max_drift, step, dtype):
    rng = np.random.default_rng(seed)
    originals = rng.standard_normal((9, 6)).astype(dtype)
    vectors = (originals + step * rng.standard_normal((9, 6))).astype(dtype)
    bounded = bound_drift(vectors, originals, max_drift)
    assert (part_drift(originals, bounded) <= max_drift).all()
    np.testing.assert_allclose(
        np.linalg.norm(bounded, axis=1), np.linalg.norm(vectors, axis=1), rtol=1e-5
    )


def test_rows_within_the_bound_keep_every_bit_and_the_others_lie_on_it():
    originals = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    vectors = np.array([[3.0, 0.1, 0.0], [0.0, 0.0, 2.0]])
    bounded = bound_drift(vectors, originals, 0.2)
    np.testing.assert_array_equal(bounded[0], vectors[0])
    np.testing.assert_allclose(bounded[1], [2 * 0.8, 0.0, 2 * 0.6])


def test_an_opposite_row_takes_the_originals_direction():
    bounded = bound_drift(np.array([[-3.0, 0.0]]), np.array([[1.0, 0.0]]), 0.5)
    np.testing.assert_allclose(bounded, [[3.0, 0.0]])


def test_rows_without_a_direction_are_left_alone():
    vectors, originals = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(bound_drift(vectors, originals, 0.01), vectors)


@pytest.mark.parametrize("max_drift", [None, 2.0])
def test_no_bound_changes_nothing(max_drift):
    vectors = np.array([[-1.0, 1e-3]])
    np.testing.assert_array_equal(bound_drift(vectors, np.array([[1.0, 0.0]]), max_drift), vectors)


def test_inputs_stay_untouched():
    vectors, originals = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    bound_drift(vectors, originals, 0.1)
    assert vectors.tolist() == [[0.0, 1.0]]
    assert originals.tolist() == [[1.0, 0.0]]
