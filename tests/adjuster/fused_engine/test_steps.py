"""Optimizer steps: each way through the code against autograd, at every length of a row."""

import numpy as np
import pytest

from adjuster import AdjusterConfig, FeedbackBatch, SearchIndexInfo
from adjuster.fused_engine.batch import adjust_batch
from adjuster.ragged import offsets_of
from adjuster.torch_engine.autograd import adjust_with_autograd

METRICS = ("cosine", "dot", "euclid")


def one_row_batch(dimensions: int, dtype: type = np.float64) -> FeedbackBatch:
    """Two objects, each with one term of one query part: the steps that are one pass over D."""
    rng = np.random.default_rng(dimensions)
    rows = (rng.normal(size=(8, dimensions)) / np.sqrt(dimensions)).astype(dtype)
    return FeedbackBatch(
        vectors=rows[:3],
        originals=rows[3:6],
        object_offsets=np.array([0, 2, 3]),
        query_vectors=rows[6:],
        query_offsets=np.array([0, 1, 2]),
        term_offsets=np.array([0, 1, 2]),
        term_query=np.array([1, 0]),
        term_clicked=np.array([1.0, 0.2]),
        term_unclicked=np.array([0.3, 1.0]),
    )


def many_row_batch(dimensions: int, dtype: type = np.float64) -> FeedbackBatch:
    """The same objects, with a second query of two parts for the first of them."""
    rng = np.random.default_rng(dimensions + 1)
    one = one_row_batch(dimensions, dtype)
    second = (rng.normal(size=(2, dimensions)) / np.sqrt(dimensions)).astype(dtype)
    queries = np.concatenate([one.query_vectors, second])
    return FeedbackBatch(
        vectors=one.vectors,
        originals=one.originals,
        object_offsets=one.object_offsets,
        query_vectors=queries,
        query_offsets=np.array([0, 1, 2, 4]),
        term_offsets=np.array([0, 2, 3]),
        term_query=np.array([1, 2, 0]),
        term_clicked=np.array([1.0, 0.5, 0.2]),
        term_unclicked=np.array([0.3, 0.0, 1.0]),
    )


def assert_like_autograd(batch: FeedbackBatch, metric: str = "cosine", **values) -> np.ndarray:
    index = SearchIndexInfo(batch.vectors.shape[1], metric, "avg")
    config = AdjusterConfig(**{"adjustment_rate": 0.01, "num_iterations": 4, **values})
    kernel, oracle = adjust_batch(batch, index, config), adjust_with_autograd(batch, index, config)
    tight = batch.vectors.dtype == np.float64
    np.testing.assert_allclose(kernel, oracle, rtol=0, atol=1e-10 if tight else 1e-5)
    assert (kernel != batch.vectors).any(axis=1).all()
    return kernel


@pytest.mark.parametrize("make", [one_row_batch, many_row_batch])
@pytest.mark.parametrize("dimensions", [2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31])
def test_adamw_steps_reach_every_coordinate_of_a_row(make, dimensions):
    assert_like_autograd(make(dimensions))


@pytest.mark.parametrize("make", [one_row_batch, many_row_batch])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("anchor_weight", [0.0, 0.4])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_way_through_a_step_is_autograds(make, metric, anchor_weight, optimizer):
    assert_like_autograd(make(6), metric, anchor_weight=anchor_weight, optimizer=optimizer)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("dimensions", [255, 256, 257, 515])
def test_rows_longer_than_the_cache_are_stepped_in_stretches(metric, optimizer, dimensions):
    batch = many_row_batch(dimensions)
    assert_like_autograd(batch, metric, optimizer=optimizer, anchor_weight=0.4, num_iterations=2)


@pytest.mark.parametrize("make", [one_row_batch, many_row_batch])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_single_precision_steps_are_autograds(make, optimizer):
    adjusted = assert_like_autograd(make(21, np.float32), optimizer=optimizer)
    assert adjusted.dtype == np.float32


@pytest.mark.parametrize("make", [one_row_batch, many_row_batch])
@pytest.mark.parametrize("num_iterations", [1, 2, 30])
def test_moments_are_carried_from_step_to_step_and_begin_anew(make, num_iterations):
    batch, index = make(9), SearchIndexInfo(9, "cosine", "avg")
    once = assert_like_autograd(batch, num_iterations=num_iterations)
    config = AdjusterConfig(adjustment_rate=0.01, num_iterations=num_iterations)
    np.testing.assert_array_equal(adjust_batch(batch, index, config), once)


def test_a_first_step_of_adamw_is_the_rate_in_every_coordinate_worked_by_hand():
    # Step one: m / √v is the gradient's sign, and x first shrinks by rate · decay (.01).
    batch = one_row_batch(4)
    config = AdjusterConfig(adjustment_rate=0.1, num_iterations=1, loss="linear")
    adjusted = adjust_batch(batch, SearchIndexInfo(4, "dot", "avg"), config)
    # The second object was passed over more than clicked: away from query 0.
    expected = batch.vectors[2] * (1 - 0.1 * 0.01) - 0.1 * np.sign(batch.query_vectors[0])
    np.testing.assert_allclose(adjusted[2], expected, rtol=0, atol=1e-6)


def one_term(vector, query, dtype=np.float32):
    """One object, clicked once for one query."""
    rows = np.array([vector], dtype)
    return FeedbackBatch(
        vectors=rows,
        originals=rows,
        object_offsets=offsets_of([1]),
        query_vectors=np.array([query], dtype),
        query_offsets=offsets_of([1]),
        term_offsets=offsets_of([1]),
        term_query=np.array([0]),
        term_clicked=np.array([1.0]),
        term_unclicked=np.array([0.0]),
    )


@pytest.mark.parametrize("rate", [1e-26, 1e-40, 1e-300])
def test_a_rate_whose_inverse_leaves_float32_moves_nothing(rate):
    """Without a bound on the inverse, a coordinate without gradient would be 0 · infinity."""
    batch = one_term([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    config = AdjusterConfig(adjustment_rate=rate)
    adjusted = adjust_batch(batch, SearchIndexInfo(3, "cosine", "min"), config)
    np.testing.assert_allclose(adjusted, batch.vectors, atol=1e-20)


@pytest.mark.parametrize("loss", ["cubic", "linear"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_at_distance_zero_there_is_no_way_to_go(loss, optimizer):
    """The gradient of a distance is not defined there and counts as 0: only weights decay."""
    batch = one_term([1.0, -2.0, 0.5], [1.0, -2.0, 0.5])
    config = AdjusterConfig(loss=loss, optimizer=optimizer, num_iterations=1)
    adjusted = adjust_batch(batch, SearchIndexInfo(3, "euclid", "min"), config)
    decay = 1 - 0.1 * 0.01 if optimizer == "adamw" else 1.0
    np.testing.assert_allclose(adjusted, decay * batch.vectors, rtol=1e-6)
