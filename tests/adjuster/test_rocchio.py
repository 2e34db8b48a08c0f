"""Rocchio's rule against its formula, object by object."""

import numpy as np
import pytest

from adjuster import Rocchio, SearchIndexInfo
from adjuster.fused_engine.batch import adjust_with_knobs
from adjuster.fused_engine.knobs import rocchio_knobs
from adjuster.rocchio import RocchioWeights, rocchio_batch
from tests.adjuster.cases import random_batch


def naive(batch, index, weights):
    adjusted = batch.vectors.copy()
    for o in range(batch.n_objects):
        terms = range(*batch.term_offsets[o : o + 2])
        for part in range(*batch.object_offsets[o : o + 2]):
            if not sum(batch.term_clicked[t] + batch.term_unclicked[t] for t in terms):
                continue
            x = batch.vectors[part]
            scale = np.linalg.norm(x) if index.metric_type.value == "cosine" else 1.0
            moved = weights.original * x
            for share, column in (
                (weights.clicked, batch.term_clicked),
                (-weights.unclicked, batch.term_unclicked),
            ):
                total = sum(column[t] for t in terms)
                for t in terms:
                    query = batch.term_query[t]
                    rows = batch.query_vectors[slice(*batch.query_offsets[query : query + 2])]
                    if index.metric_type.value == "cosine":
                        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
                    if total:
                        moved = moved + share * scale * column[t] / total * rows.mean(axis=0)
            adjusted[part] = moved
    return adjusted


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_equals_the_formula(metric):
    index, weights = SearchIndexInfo(11, metric), RocchioWeights(0.9, 0.6, 0.2)
    for seed in range(5):
        batch = random_batch(seed)
        np.testing.assert_allclose(
            rocchio_batch(batch, index, weights), naive(batch, index, weights), atol=1e-12
        )


def test_weights_of_zero_change_nothing():
    batch = random_batch(0, dtype=np.float32)
    same = rocchio_batch(batch, SearchIndexInfo(11), RocchioWeights(1.0, 0.0, 0.0))
    np.testing.assert_array_equal(same, batch.vectors)
    assert same.dtype == np.float32


def test_a_bad_weight_is_named():
    with pytest.raises(ValueError, match=r"clicked must be >= 0 and finite, got -1\.0"):
        Rocchio(SearchIndexInfo(3), clicked=-1.0)


def test_a_batch_without_objects_stays_empty():
    batch = random_batch(0, n_objects=0, n_queries=0)
    assert rocchio_batch(batch, SearchIndexInfo(11)).shape == (0, 11)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_the_kernel_that_the_replay_runs_applies_the_same_rule(metric):
    index, weights = SearchIndexInfo(11, metric), RocchioWeights(0.9, 0.6, 0.2)
    for seed in range(5):
        batch = random_batch(seed)
        np.testing.assert_allclose(
            adjust_with_knobs(batch, index, rocchio_knobs(index, weights)),
            rocchio_batch(batch, index, weights),
            atol=1e-12,
        )
