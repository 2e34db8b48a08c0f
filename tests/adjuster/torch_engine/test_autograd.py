"""The oracle: against a loop over objects written from the definition, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adjuster import AdjusterConfig, SearchIndexInfo, adjust_with_autograd
from tests.adjuster.cases import random_batch


def naive(batch, index, config):
    """One object after the other, one term after the other, each with its own optimizer."""
    adjusted = batch.vectors.copy()
    for o in range(batch.n_objects):
        parts = slice(*batch.object_offsets[o : o + 2])
        terms = range(*batch.term_offsets[o : o + 2])
        weights = [
            (batch.term_clicked[t], config.non_clicked_weight * batch.term_unclicked[t])
            for t in terms
        ]
        total = sum(clicked + unclicked for clicked, unclicked in weights)
        if total == 0:
            continue
        x = torch.tensor(batch.vectors[parts], requires_grad=True)
        original = torch.tensor(batch.originals[parts])
        kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
        optimizer = kinds[config.optimizer]([x], lr=config.adjustment_rate)
        for _ in range(config.num_iterations):
            optimizer.zero_grad()
            loss = config.anchor_weight / 2 * ((x - original) ** 2).sum()
            for t, (clicked, unclicked) in zip(terms, weights, strict=True):
                query = batch.term_query[t]
                rows = batch.query_vectors[slice(*batch.query_offsets[query : query + 2])]
                pooled = naive_pool(torch.tensor(rows), x, index, config.softmin_temperature)
                value = naive_loss(pooled, clicked, unclicked, config)
                loss = loss + (value / total if config.reduction == "mean" else value)
            loss.backward()
            optimizer.step()
        adjusted[parts] = x.detach().numpy()
    return adjusted


def naive_pool(queries, parts, index, temperature):
    table = {
        "cosine": torch.nn.functional.cosine_similarity(queries[:, None], parts[None], dim=-1),
        "dot": queries @ parts.T,
        "euclid": -(queries[:, None] - parts[None]).norm(dim=-1),
    }[index.metric_type.value].flatten()
    if index.metric_aggregation_type.value == "avg":
        return table.mean()
    return (torch.softmax(table / temperature, dim=0) * table).sum()


def naive_loss(pooled, clicked, unclicked, config):
    if config.loss == "cubic":
        return -clicked * pooled**3 + unclicked * pooled**3
    if config.loss == "linear":
        return -clicked * pooled + unclicked * pooled
    z = config.logit_scale * (pooled - config.logit_bias)
    return (clicked * torch.log1p(torch.exp(-z)) + unclicked * torch.log1p(torch.exp(z))) / (
        config.logit_scale
    )


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
@pytest.mark.parametrize("pooling", ["min", "avg"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"loss": "linear", "optimizer": "sgd", "reduction": "mean"},
        {"loss": "logistic", "logit_bias": 0.1, "anchor_weight": 0.5, "non_clicked_weight": 0.4},
        {"reduction": "mean", "non_clicked_weight": 0.0},
    ],
    ids=["published", "linear-sgd-mean", "logistic-anchored", "mean-clicks-only"],
)
def test_equals_a_naive_loop(metric, pooling, settings):
    batch = random_batch(7)
    index = SearchIndexInfo(11, metric, pooling)
    config = AdjusterConfig(adjustment_rate=0.02, num_iterations=6, **settings)
    adjusted = adjust_with_autograd(batch, index, config)
    np.testing.assert_allclose(adjusted, naive(batch, index, config), rtol=0, atol=1e-10)


def test_an_object_without_weight_is_not_touched_even_by_decay_or_anchor():
    batch = random_batch(3)
    config = AdjusterConfig(anchor_weight=1.0, max_drift=1e-6)
    adjusted = adjust_with_autograd(batch, SearchIndexInfo(11), config)
    without = np.flatnonzero(np.diff(batch.term_offsets) == 0)
    assert without.size
    for o in without:
        parts = slice(*batch.object_offsets[o : o + 2])
        np.testing.assert_array_equal(adjusted[parts], batch.vectors[parts])
    passed_over = replace(batch, term_clicked=0 * batch.term_clicked)
    unpushed = AdjusterConfig(non_clicked_weight=0.0)
    adjusted = adjust_with_autograd(passed_over, SearchIndexInfo(11), unpushed)
    np.testing.assert_array_equal(adjusted, batch.vectors)


def test_an_object_does_not_feel_the_others():
    batch = random_batch(5)
    index, config = SearchIndexInfo(11), AdjusterConfig()
    together = adjust_with_autograd(batch, index, config)
    first = np.repeat(np.arange(batch.n_objects) == 0, np.diff(batch.term_offsets))
    changed = replace(batch, term_clicked=np.where(first, batch.term_clicked, 9.0))
    parts = slice(*batch.object_offsets[:2])
    alone = adjust_with_autograd(changed, index, config)
    np.testing.assert_array_equal(alone[parts], together[parts])
    assert not np.array_equal(alone, together)


def test_the_first_step_of_adamw_is_the_rate_in_every_coordinate():
    batch = random_batch(7)
    config = AdjusterConfig(adjustment_rate=1e-3, num_iterations=1)
    step = adjust_with_autograd(batch, SearchIndexInfo(11), config) - batch.vectors * (1 - 1e-5)
    moving = np.repeat(np.diff(batch.term_offsets) > 0, np.diff(batch.object_offsets))
    np.testing.assert_allclose(abs(step[moving]), 1e-3, rtol=1e-2)


def test_the_batch_stays_untouched_and_dtype_stays():
    for dtype in (np.float32, np.float64):
        batch = random_batch(1, dtype=dtype)
        kept = batch.vectors.copy()
        adjusted = adjust_with_autograd(batch, SearchIndexInfo(11), AdjusterConfig(max_drift=0.1))
        np.testing.assert_array_equal(batch.vectors, kept)
        assert adjusted.dtype == dtype
        assert not np.shares_memory(adjusted, batch.vectors)
