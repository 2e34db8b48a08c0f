"""Similarity, loss and gradient: each kind alone against autograd, and what is undefined by hand.

`test_engines_agree` draws many settings at once; here each setting stands alone and small, so
that a test that fails says which formula is wrong.
"""

from dataclasses import replace

import numpy as np
import pytest

from adjuster import AdjusterConfig, FeedbackBatch, SearchIndexInfo
from adjuster.fused_engine.batch import adjust_batch
from adjuster.torch_engine.autograd import adjust_with_autograd

METRICS, POOLINGS = ("cosine", "dot", "euclid"), ("min", "avg")
LOSSES = ("cubic", "linear", "logistic")
LOGISTIC = {"loss": "logistic", "logit_scale": 3.0, "logit_bias": 0.2}


def ragged_batch(dimensions: int = 5, *, dtype: type = np.float64, seed: int = 0) -> FeedbackBatch:
    """Objects of 1 to 3 parts, queries of 1 to 2, from none to three terms an object."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(8, dimensions)) / np.sqrt(dimensions)
    return FeedbackBatch(
        vectors=vectors.astype(dtype),
        originals=(vectors + 0.1 * rng.normal(size=vectors.shape)).astype(dtype),
        object_offsets=np.array([0, 1, 3, 6, 7, 8]),
        query_vectors=(rng.normal(size=(4, dimensions)) / np.sqrt(dimensions)).astype(dtype),
        query_offsets=np.array([0, 1, 3, 4]),
        term_offsets=np.array([0, 1, 3, 6, 6, 7]),
        term_query=np.array([0, 1, 2, 2, 0, 1, 1]),
        term_clicked=np.array([0.7, 0.0, 1.2, 0.4, 0.3, 0.0, 2.0]),
        term_unclicked=np.array([0.5, 0.9, 0.0, 0.3, 0.0, 1.1, 0.4]),
    )


def assert_like_autograd(batch: FeedbackBatch, metric: str, pooling: str, **values) -> None:
    index = SearchIndexInfo(batch.vectors.shape[1], metric, pooling)
    values = {"adjustment_rate": 0.01, "num_iterations": 3, **values}
    config = AdjusterConfig(**values)
    kernel, oracle = adjust_batch(batch, index, config), adjust_with_autograd(batch, index, config)
    tight = batch.vectors.dtype == np.float64
    np.testing.assert_allclose(kernel, oracle, rtol=0, atol=1e-10 if tight else 1e-5)
    learnt = np.repeat(np.diff(batch.term_offsets) > 0, np.diff(batch.object_offsets))
    assert (kernel[learnt] != batch.vectors[learnt]).any(axis=1).all()
    np.testing.assert_array_equal(kernel[~learnt], batch.vectors[~learnt])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_gradient_step_is_autograds(metric, pooling, loss):
    batch = ragged_batch()
    logistic = LOGISTIC if loss == "logistic" else {"loss": loss}
    assert_like_autograd(batch, metric, pooling, optimizer="sgd", **logistic)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    "values",
    [
        {"softmin_temperature": 0.05},
        {"softmin_temperature": 2.5},
        {"reduction": "mean"},
        {"non_clicked_weight": 0.3},
        {**LOGISTIC, "non_clicked_weight": 0.3},
    ],
)
def test_each_setting_of_the_loss_is_autograds(metric, pooling, values):
    assert_like_autograd(ragged_batch(seed=1), metric, pooling, optimizer="sgd", **values)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dimensions", [1, 2, 4, 8, 16, 17, 33, 39])
def test_any_number_of_dimensions_is_summed_whole(metric, dimensions):
    # Under cosine one dimension has no direction to go.
    if metric == "cosine" and dimensions == 1:
        return
    assert_like_autograd(
        ragged_batch(dimensions, seed=2), metric, "avg", optimizer="sgd", anchor_weight=0.2
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_single_precision_is_kept(metric, pooling):
    batch = ragged_batch(19, dtype=np.float32, seed=3)
    assert_like_autograd(batch, metric, pooling, optimizer="sgd")
    adjusted = adjust_batch(batch, SearchIndexInfo(19, metric, pooling), AdjusterConfig())
    assert adjusted.dtype == np.float32


def single(vector: list[float], query: list[float], *, clicked: float = 1.0) -> FeedbackBatch:
    """One object of one part and one query, clicked or passed over."""
    vectors = np.array([vector])
    return FeedbackBatch(
        vectors=vectors,
        originals=vectors,
        object_offsets=np.array([0, 1]),
        query_vectors=np.array([query]),
        query_offsets=np.array([0, 1]),
        term_offsets=np.array([0, 1]),
        term_query=np.array([0]),
        term_clicked=np.array([clicked]),
        term_unclicked=np.array([1.0 - clicked]),
    )


def one_step(batch: FeedbackBatch, metric: str, pooling: str = "min", **values) -> list[float]:
    config = AdjusterConfig(
        **{"adjustment_rate": 0.1, "num_iterations": 1, "optimizer": "sgd", **values}
    )
    return adjust_batch(batch, SearchIndexInfo(2, metric, pooling), config)[0].tolist()


def test_a_dot_product_is_pulled_by_its_query_worked_by_hand():
    # s = 2; linear: x + .1 · q; cubic: slope 3 · s² = 12, so x + 1.2 · q
    batch = single([2.0, 0.0], [1.0, 1.0])
    assert one_step(batch, "dot", loss="linear") == pytest.approx([2.1, 0.1])
    assert one_step(batch, "dot", loss="cubic") == pytest.approx([3.2, 1.2])


def test_what_was_passed_over_is_pushed_away():
    batch = single([2.0, 0.0], [1.0, 1.0], clicked=0.0)
    assert one_step(batch, "dot", loss="linear") == pytest.approx([1.9, -0.1])
    half = one_step(batch, "dot", loss="linear", non_clicked_weight=0.5)
    assert half == pytest.approx([1.95, -0.05])


def test_a_distance_is_shortened_along_the_straight_line():
    # from (0, 0) to (3, 4): a step of .1 along (.6, .8)
    batch = single([0.0, 0.0], [3.0, 4.0])
    assert one_step(batch, "euclid", loss="linear") == pytest.approx([0.06, 0.08])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_object_that_lies_on_its_query_stays_there(pooling):
    batch = single([3.0, 4.0], [3.0, 4.0])
    assert one_step(batch, "euclid", pooling, loss="linear") == [3.0, 4.0]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_zero_vector_is_similar_to_nothing_and_stays(pooling):
    batch = single([0.0, 0.0], [1.0, 1.0])
    assert one_step(batch, "cosine", pooling, loss="linear") == [0.0, 0.0]


def test_the_nearest_of_two_parts_is_moved_most_and_both_of_equals_alike():
    def moved(first: list[float], temperature: float) -> list[float]:
        parts = np.array([first, [1.0, 0.0]])
        batch = replace(
            single([0.0, 0.0], [1.0, 0.0]),
            vectors=parts,
            originals=parts,
            object_offsets=np.array([0, 2]),
        )
        config = AdjusterConfig(
            adjustment_rate=0.1,
            num_iterations=1,
            optimizer="sgd",
            loss="linear",
            softmin_temperature=temperature,
        )
        index = SearchIndexInfo(2, "dot", "min")
        return (adjust_batch(batch, index, config) - parts)[:, 0].tolist()

    assert moved([1.0, 0.0], 1.0) == pytest.approx([0.05, 0.05])
    assert moved([-9.0, 0.0], 0.1) == pytest.approx([0.0, 0.1])
