"""The kernel computes what autograd computes, for every setting."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster import AdjusterConfig, MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.fused_engine.batch import adjust_batch
from adjuster.metrics import part_drift
from adjuster.torch_engine.autograd import adjust_with_autograd
from tests.adjuster.cases import random_batch

EVERY_KIND = [
    pytest.param(
        loss,
        optimizer,
        metric,
        pooling,
        id=f"{loss}-{optimizer}-{metric}-{pooling}",
        # Newton's code takes more than a minute to compile.
        marks=[pytest.mark.slow] if optimizer == "newton" else [],
    )
    for loss in ("cubic", "linear", "logistic")
    for optimizer in ("adamw", "sgd", "newton")
    if optimizer != "newton" or loss == "logistic"
    for metric in ("cosine", "dot", "euclid")
    for pooling in ("min", "avg")
]
GRADIENT_KIND = [kind for kind in EVERY_KIND if "newton" not in kind.values]
PRIOR = {"newton": {"memory": "refit", "anchor_weight": 0.7}}
"""What an optimizer is defined with."""


@st.composite
def knobs(draw, max_rate=1e-2):
    return {
        "adjustment_rate": draw(st.floats(1e-5, max_rate)),
        "num_iterations": draw(st.integers(0, 12)),
        "softmin_temperature": draw(st.floats(0.05, 3.0)),
        "non_clicked_weight": draw(st.sampled_from([0.0, 0.3, 1.0])),
        "reduction": draw(st.sampled_from(["sum", "mean"])),
        "anchor_weight": draw(st.sampled_from([0.0, 0.7])),
        "max_drift": draw(st.sampled_from([None, 1e-3, 0.05])),
        "logit_scale": draw(st.floats(0.5, 20.0)),
        "logit_bias": draw(st.floats(-1.0, 1.0)),
    }


@st.composite
def batches(draw, dtype):
    # beyond 256 coordinates the kernel works block by block
    dimensions = draw(st.sampled_from([2, 11, 19, 300]))
    return random_batch(draw(st.integers(0, 2**32 - 1)), dtype=dtype, dimensions=dimensions)


def both(batch, index, config):
    return adjust_batch(batch, index, config), adjust_with_autograd(batch, index, config)


@pytest.mark.parametrize(("loss", "optimizer", "metric", "pooling"), EVERY_KIND)
def test_in_float64_to_1e_9(loss, optimizer, metric, pooling):
    @settings(max_examples=4 if optimizer == "newton" else 15, deadline=None, derandomize=True)
    @given(batches(np.float64), knobs())
    def check(batch, values):
        values |= PRIOR.get(optimizer, {})
        config = AdjusterConfig(loss=loss, optimizer=optimizer, **values)
        index = SearchIndexInfo(batch.vectors.shape[1], metric, pooling)
        kernel, oracle = both(batch, index, config)
        np.testing.assert_allclose(kernel, oracle, rtol=0, atol=1e-9)

    check()


@pytest.mark.parametrize(("loss", "optimizer", "metric", "pooling"), GRADIENT_KIND)
def test_in_float32_to_1e_5_where_float32_decides(loss, optimizer, metric, pooling):
    """AdamW moves by the sign of a gradient, so where float32 cannot tell it both may be right."""

    @settings(max_examples=10, deadline=None, derandomize=True)
    @given(batches(np.float32), knobs())
    def check(batch, values):
        config = AdjusterConfig(loss=loss, optimizer=optimizer, **values)
        index = SearchIndexInfo(batch.vectors.shape[1], metric, pooling)
        kernel, oracle = both(batch, index, config)
        assert kernel.dtype == oracle.dtype == np.float32
        decided = rounding_effect(batch, index, config) < 2e-6
        assert decided.mean() > 0.9
        np.testing.assert_allclose(kernel[decided], oracle[decided], rtol=0, atol=1e-5)

    check()


def rounding_effect(batch, index, config):
    """How far the result of each coordinate moves when the inputs move by float32's rounding."""
    wide = replace(
        batch,
        vectors=batch.vectors.astype(np.float64),
        originals=batch.originals.astype(np.float64),
        query_vectors=batch.query_vectors.astype(np.float64),
    )
    exact = adjust_with_autograd(wide, index, config)
    rng = np.random.default_rng(0)
    effects = [np.zeros(exact.shape)]
    for _ in range(4):
        nudged = replace(
            wide,
            vectors=wide.vectors * (1 + 5e-7 * rng.standard_normal(wide.vectors.shape)),
            query_vectors=wide.query_vectors
            * (1 + 5e-7 * rng.standard_normal(wide.query_vectors.shape)),
        )
        effects.append(abs(adjust_with_autograd(nudged, index, config) - exact))
    return np.max(effects, axis=0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(MetricType)),
    st.sampled_from(list(MetricAggregationType)),
)
def test_at_a_high_rate_the_rankings_agree(seed, metric, pooling):
    batch = random_batch(seed, dtype=np.float32, dimensions=96, n_objects=17)
    index = SearchIndexInfo(96, metric, pooling)
    config = AdjusterConfig(adjustment_rate=0.3, num_iterations=5)
    kernel, oracle = (nearest(batch, rows) for rows in both(batch, index, config))
    for mine, other in zip(kernel, oracle, strict=True):
        apart = abs(other[:, None] - other[None, :]) > 0.05
        np.testing.assert_array_equal(
            (mine[:, None] < mine[None, :])[apart], (other[:, None] < other[None, :])[apart]
        )


def nearest(batch, rows):
    """Cosine of every query part to the nearest part of every object, (query parts, objects)."""
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.maximum.reduceat(batch.query_vectors @ rows.T, batch.object_offsets[:-1], axis=1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([1e-6, 1e-4, 0.01, 0.3, 1.0, 1.9]),
    st.floats(1e-3, 3.0),
    st.sampled_from(["adamw", "sgd"]),
)
@pytest.mark.parametrize("engine", [adjust_batch, adjust_with_autograd])
def test_max_drift_holds_whatever_the_rate(engine, seed, dtype, max_drift, rate, optimizer):
    batch = random_batch(seed, dtype=dtype, dimensions=300)
    index = SearchIndexInfo(300, "cosine", "min")
    config = AdjusterConfig(
        adjustment_rate=rate, num_iterations=4, max_drift=max_drift, optimizer=optimizer
    )
    adjusted = engine(batch, index, config)
    touched = (adjusted != batch.vectors).any(axis=1)
    assert touched.any() or not batch.term_clicked.any()
    assert (part_drift(batch.originals, adjusted)[touched] <= max_drift).all()


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_the_number_of_threads_changes_no_bit(n_threads):
    batch = random_batch(5, dtype=np.float32, n_objects=41, dimensions=65)
    index, config = SearchIndexInfo(65), AdjusterConfig()
    alone = adjust_batch(batch, index, config, n_threads=1)
    np.testing.assert_array_equal(adjust_batch(batch, index, config, n_threads=n_threads), alone)
