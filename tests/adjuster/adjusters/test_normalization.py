"""Preparing vectors for an index."""

import numpy as np
import pytest
import torch

from adjuster import prepare_vectors


def test_cosine_scales_every_part_to_length_1():
    prepared = prepare_vectors(np.array([[3.0, 4.0], [0.0, 2.0]]), "cosine", object_id="a")
    np.testing.assert_allclose(prepared, [[0.6, 0.8], [0.0, 1.0]])


def test_dot_spreads_the_whole_tensor_over_0_to_1():
    prepared = prepare_vectors(np.array([[-1.0, 1.0], [0.0, 3.0]]), "dot", object_id="a")
    np.testing.assert_allclose(prepared, [[0.0, 0.5], [0.25, 1.0]])


def test_euclid_changes_nothing_and_still_copies():
    vector = np.array([[3.0, 4.0]])
    prepared = prepare_vectors(vector, "euclid", object_id="a")
    assert prepared is not vector
    np.testing.assert_array_equal(prepared, vector)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_comes_back_as_a_tensor_of_its_dtype_and_stays_itself(metric, dtype):
    vector = torch.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=dtype)
    kept = vector.clone()
    prepared = prepare_vectors(vector, metric, object_id="a")
    assert prepared.dtype == dtype
    assert torch.equal(vector, kept)
    assert prepared.data_ptr() != vector.data_ptr()
    expected = prepare_vectors(vector.numpy(), metric, object_id="a")
    np.testing.assert_allclose(prepared.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("vector", "metric", "message"),
    [
        ([[1.0, 2.0], [0.0, 0.0]], "cosine", "must not be zero under cosine, got zeros in part 1"),
        ([[2.0, 2.0]], "dot", r"must not be constant under dot, got 2\.0 everywhere"),
        ([[np.nan, 2.0]], "euclid", "must be finite, got NaN or infinity"),
    ],
)
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_what_cannot_be_prepared_names_the_object(kind, vector, metric, message):
    with pytest.raises(ValueError, match=f"object 'shoe': vector {message}"):
        prepare_vectors(kind(vector), metric, object_id="shoe")
