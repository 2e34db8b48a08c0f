"""Newton's optimizer: by hand, against its own loss, and against torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adjuster import AdjusterConfig, SearchIndexInfo
from adjuster.fused_engine.batch import adjust_batch
from adjuster.fused_engine.problem import SPAN_ROWS
from adjuster.torch_engine.autograd import _Problem, adjust_with_autograd
from tests.adjuster.cases import random_batch
from tests.adjuster.fused_engine.test_kernel import ragged_batch, single

# Newton's code takes more than a minute to compile, for each type.
pytestmark = pytest.mark.slow

KINDS = [(metric, pooling) for metric in ("cosine", "dot", "euclid") for pooling in ("min", "avg")]
every_kind = pytest.mark.parametrize(("metric", "pooling"), KINDS)


def newton(**values) -> AdjusterConfig:
    plain = {"anchor_weight": 0.7, "logit_scale": 4.0, "logit_bias": 0.2, "num_iterations": 50}
    return AdjusterConfig(
        optimizer="newton", loss="logistic", memory="refit", **{**plain, **values}
    )


def test_one_click_by_hand():
    """Where the chance of a click is one half, prior · move is half the click's weight."""
    config = newton(anchor_weight=1.0, logit_scale=2.0, logit_bias=0.5)
    adjusted = adjust_batch(single([1.0, 0.0], [0.0, 1.0]), SearchIndexInfo(2, "dot"), config)
    np.testing.assert_allclose(adjusted, [[1.0, 0.5]], atol=1e-12)


def test_without_much_of_a_prior_it_is_the_log_odds_of_the_clicks():
    batch = replace(single([1.0, 0.0], [0.0, 1.0], clicked=3.0), term_unclicked=np.array([1.0]))
    config = newton(anchor_weight=1e-9, logit_scale=4.0, logit_bias=0.1)
    adjusted = adjust_batch(batch, SearchIndexInfo(2, "dot"), config)
    assert adjusted[0, 1] == pytest.approx(0.1 + np.log(3.0) / 4.0, abs=1e-7)


def test_the_prior_is_smoothing_and_the_rate_means_nothing():
    batch, index = single([1.0, 0.2], [0.3, 1.0]), SearchIndexInfo(2, "cosine")
    moved = [
        np.linalg.norm(adjust_batch(batch, index, newton(anchor_weight=prior)) - batch.vectors)
        for prior in (0.01, 0.1, 1.0, 10.0, 100.0)
    ]
    assert moved == sorted(moved, reverse=True)
    assert moved[-1] < 0.01 < 0.1 < moved[0]
    slow, fast = (adjust_batch(batch, index, newton(adjustment_rate=r)) for r in (1e-4, 1.0))
    np.testing.assert_array_equal(slow, fast)


@every_kind
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("values", [{}, {"reduction": "mean", "non_clicked_weight": 0.3}])
def test_both_engines_take_the_same_steps(metric, pooling, dtype, values):
    batch = ragged_batch(19, dtype=dtype, seed=4)
    for n_iterations in (1, 3):
        config = newton(num_iterations=n_iterations, softmin_temperature=0.3, **values)
        index = SearchIndexInfo(19, metric, pooling)
        kernel, oracle = (
            adjust_batch(batch, index, config),
            adjust_with_autograd(batch, index, config),
        )
        tight = 1e-9 if dtype == np.float64 else 2e-4
        np.testing.assert_allclose(kernel, oracle, rtol=0, atol=tight)
        learnt = np.repeat(np.diff(batch.term_offsets) > 0, np.diff(batch.object_offsets))
        assert (kernel[learnt] != batch.vectors[learnt]).any(axis=1).all()
        np.testing.assert_array_equal(kernel[~learnt], batch.vectors[~learnt])


@every_kind
def test_the_loss_falls_with_every_step_to_a_point_without_slope(metric, pooling):
    for seed in range(4):
        batch, index = random_batch(seed, dimensions=6), SearchIndexInfo(6, metric, pooling)
        config = newton(anchor_weight=0.1, logit_scale=20.0)
        problem = _Problem.of(batch, config, torch.device("cpu"))
        posterior = problem.posterior(index, config)

        def at(n_iterations, batch=batch, index=index, config=config, rows=problem.part_rows):
            several = replace(config, num_iterations=n_iterations)
            return torch.tensor(adjust_batch(batch, index, several)[rows])

        losses = torch.stack([posterior.loss(at(n)) for n in (0, 1, 2, 3, 5, 8, 50, 400)])
        assert (losses.diff(dim=0) <= 1e-12).all()
        end = at(400).requires_grad_(True)
        torch.autograd.backward(posterior.loss(posterior._kept(end)).sum())
        assert end.grad is not None
        if metric != "euclid":  # at the query itself the distance has a corner
            assert end.grad.abs().max() < 1e-5


def test_under_cosine_lengths_mean_nothing():
    batch, index = ragged_batch(7, seed=5), SearchIndexInfo(7, "cosine")
    longer = replace(batch, vectors=1000 * batch.vectors, originals=1000 * batch.originals)
    one, other = adjust_batch(batch, index, newton()), adjust_batch(longer, index, newton())
    np.testing.assert_allclose(other, 1000 * one, rtol=1e-7, atol=1e-6)


def test_any_number_of_queries_may_speak_of_an_object():
    rng, n = np.random.default_rng(0), SPAN_ROWS + 30
    batch = replace(
        single([1.0, *[0.0] * 8], [1.0] * 9),
        query_vectors=rng.normal(size=(n, 9)) / 3.0,
        query_offsets=np.arange(n + 1),
        term_offsets=np.array([0, n]),
        term_query=np.arange(n),
        term_clicked=rng.uniform(size=n),
        term_unclicked=rng.uniform(size=n),
    )
    index, config = SearchIndexInfo(9, "cosine"), newton(num_iterations=4)
    kernel, oracle = adjust_batch(batch, index, config), adjust_with_autograd(batch, index, config)
    np.testing.assert_allclose(kernel, oracle, rtol=0, atol=1e-9)


def test_max_drift_holds():
    batch, index = single([1.0, 0.0], [0.0, 1.0], clicked=50.0), SearchIndexInfo(2, "cosine")
    adjusted = adjust_batch(batch, index, newton(anchor_weight=0.01, max_drift=0.1))
    assert 1 - adjusted[0, 0] / np.linalg.norm(adjusted[0]) == pytest.approx(0.1, abs=1e-9)
