"""Metrics and pooling: by hand, and gradients against finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adjuster import MetricAggregationType, MetricType
from adjuster.torch_engine.similarity import pool, similarity

MIN, AVG = MetricAggregationType.MIN, MetricAggregationType.AVG


@pytest.mark.parametrize(
    ("metric", "expected"), [("cosine", 24 / 25), ("dot", 24.0), ("euclid", -np.sqrt(2))]
)
def test_similarity_worked_by_hand(metric, expected):
    query, part = torch.tensor([3.0, 4.0]).double(), torch.tensor([4.0, 3.0]).double()
    assert similarity(query, part, MetricType(metric)).item() == pytest.approx(expected)


@pytest.mark.parametrize("metric", list(MetricType))
def test_the_closest_vector_of_unit_length_is_the_vector_itself(metric):
    rng = np.random.default_rng(0)
    rows = torch.nn.functional.normalize(torch.tensor(rng.standard_normal((6, 5))), dim=1)
    table = similarity(rows[:, None], rows[None, :], metric)  # (6, 6)
    assert table.argmax(dim=1).tolist() == list(range(6))


def test_the_distance_has_gradient_0_where_two_vectors_coincide():
    vector = torch.ones(3, requires_grad=True)
    similarity(torch.ones(3), vector, MetricType.EUCLID).backward()
    assert vector.grad.tolist() == [0.0, 0.0, 0.0]


def test_pooling_worked_by_hand():
    pairs, segments = torch.tensor([0.0, np.log(3.0), 5.0]), torch.tensor([0, 0, 1])
    # weights 1/4 and 3/4 at temperature 1
    nearest = pool(pairs, segments, 2, MIN, temperature=1.0)
    np.testing.assert_allclose(nearest, [0.75 * np.log(3), 5.0], rtol=1e-6)
    np.testing.assert_allclose(pool(pairs, segments, 2, AVG), [np.log(3) / 2, 5.0], rtol=1e-6)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(0.02, 10))
def test_the_smooth_nearest_lies_between_mean_and_maximum(values, temperature):
    pairs, one = torch.tensor(values).double(), torch.zeros(len(values), dtype=torch.int64)
    pooled = pool(pairs, one, 1, MIN, temperature).item()
    assert pairs.mean().item() - 1e-9 <= pooled <= pairs.max().item() + 1e-9


def test_temperature_leads_from_the_nearest_part_to_the_mean():
    pairs, one = torch.tensor([0.1, 0.9, 0.5]).double(), torch.zeros(3, dtype=torch.int64)
    assert pool(pairs, one, 1, MIN, 1e-4).item() == pytest.approx(0.9)
    assert pool(pairs, one, 1, MIN, 1e6).item() == pytest.approx(0.5)


@given(st.floats(-1e4, 1e4))
def test_similarities_of_any_size_do_not_overflow(shift):
    pairs = torch.tensor([shift, shift + 1.0]).double()
    pooled = pool(pairs, torch.tensor([0, 0]), 1, MIN, 0.01).item()
    assert pooled == pytest.approx(shift + 1.0)


@pytest.mark.parametrize("metric", list(MetricType))
@pytest.mark.parametrize("aggregation", [MIN, AVG])
def test_gradients_equal_finite_differences(metric, aggregation):
    rng = np.random.default_rng(1)
    queries = torch.tensor(rng.standard_normal((7, 3)))
    parts = torch.tensor(rng.standard_normal((7, 3)), requires_grad=True)
    segments = torch.tensor([0, 0, 0, 1, 2, 2, 2])

    def pooled(vectors):
        return pool(similarity(queries, vectors, metric), segments, 3, aggregation, 0.4)

    assert torch.autograd.gradcheck(pooled, (parts,))
