"""Under cosine no result knows how long the vectors are; elsewhere what overflows is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adjuster import AdjusterConfig, PublishedAdjuster, SearchIndexInfo, TorchBasedAdjuster
from adjuster.adjusters.baselines import Rocchio
from adjuster.feedback import batch_in_range
from adjuster.fused_engine.batch import adjust_batch
from adjuster.fused_engine.knobs import make_knobs, unit_rows
from adjuster.fused_engine.streams import make_corpus, score_originals
from adjuster.index import MetricType
from adjuster.metrics.drift import drift
from adjuster.ragged import offsets_of
from adjuster.scale import computable_sizes, in_range, row_sizes, shifted, shifts_of
from adjuster.torch_engine.autograd import adjust_with_autograd
from tests.adjuster.cases import random_batch, random_sessions

FAR = (2.0**64, 2.0**-80)
"""Powers of two whose squares float32 cannot hold, so that scaling by them rounds nothing."""
ENGINES = (adjust_batch, adjust_with_autograd)
COSINE = SearchIndexInfo(11, "cosine", "min")


def scaled_batch(batch, factor):
    factor = batch.vectors.dtype.type(factor)
    return replace(batch, vectors=batch.vectors * factor, originals=batch.originals * factor)


@pytest.mark.parametrize("factor", FAR)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "settings",
    [
        {"max_drift": 0.1},
        {"anchor_weight": 0.1},
        {"loss": "logistic", "logit_bias": 0.1, "optimizer": "sgd", "adjustment_rate": 0.01},
    ],
)
def test_a_batch_out_of_range_turns_as_far_as_the_same_at_length_one(engine, settings, factor):
    near = random_batch(2, dtype=np.float32)
    exponents = np.frexp(row_sizes(near.originals))[1] - 1
    near = replace(  # largest coordinate of every original in [1, 2), as `scale` would have it
        near,
        originals=np.ldexp(near.originals, -exponents[:, None]),
        vectors=np.ldexp(near.vectors, -exponents[:, None]),
    )
    config = AdjusterConfig(**settings)
    expected = engine(near, COSINE, config)
    far = engine(scaled_batch(near, factor), COSINE, config)
    np.testing.assert_array_equal(far, expected * np.float32(factor))
    moved = drift(near.originals, far, near.object_offsets)
    assert 0.0 < moved.max() < 0.9


def test_parts_in_range_stay_where_others_are_scaled():
    batch = random_batch(3, dtype=np.float32)
    vectors = batch.vectors.copy()
    vectors[0] *= np.float32(2.0**70)
    mixed = replace(batch, vectors=vectors, originals=vectors)
    config = AdjusterConfig()
    first = int(batch.object_offsets[1])
    alone = adjust_batch(replace(batch, originals=batch.vectors), COSINE, config)
    np.testing.assert_array_equal(adjust_batch(mixed, COSINE, config)[first:], alone[first:])


@pytest.mark.parametrize("factor", FAR)
@pytest.mark.parametrize(
    "make",
    [
        lambda index: TorchBasedAdjuster(index, 0.05),
        lambda index: TorchBasedAdjuster(index, 0.05, engine="torch"),
        lambda index: PublishedAdjuster(index, 0.05),
        lambda index: PublishedAdjuster(index, 0.05, engine="fused"),
        Rocchio,
    ],
    ids=["kernel", "autograd", "published", "published kernel", "rocchio"],
)
def test_every_adjuster_hands_vectors_back_at_the_length_they_came_in(make, factor):
    adjuster = make(SearchIndexInfo(7, "cosine", "min"))
    sessions = random_sessions(1)
    for session in sessions:
        for element in (*session.clicked_elements, *session.non_clicked_elements):
            element.vector = element.vector * factor
        session.query.vector = session.query.vector * factor
    for before, after in zip(sessions, adjuster.adjust_vectors(sessions), strict=True):
        for old, new in zip(before.clicked_elements, after.clicked_elements, strict=True):
            n_parts = len(old.is_average)
            assert torch.isfinite(new.vector).all()
            rows = old.vector[:n_parts].double(), new.vector[:n_parts].double()
            lengths = [row.norm(dim=1) for row in rows]
            cosine = (rows[0] * rows[1]).sum(dim=1) / (lengths[0] * lengths[1])
            ratio = lengths[1] / lengths[0]
            assert (cosine > 0.2).all()
            assert (ratio > 0.3).all()
            assert (ratio < 3).all()
        assert not torch.equal(before.clicked_elements[0].vector, after.clicked_elements[0].vector)


@pytest.mark.parametrize("factor", FAR)
def test_scores_do_not_know_the_length_of_objects_or_queries(factor):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((5, 11)).astype(np.float32)
    queries = rng.standard_normal((2, 11)).astype(np.float32)
    objects, asked = np.arange(5), np.zeros(5, np.int64)
    knobs = make_knobs(COSINE, AdjusterConfig())

    def scores(by_object, by_query):
        offsets = offsets_of([1] * 5), offsets_of([1] * 2)
        corpus = make_corpus(
            vectors * np.float32(by_object), offsets[0], queries * by_query, offsets[1], COSINE
        )
        return score_originals(corpus, knobs, objects, asked)

    plain = scores(1.0, np.float32(1.0))
    np.testing.assert_allclose(scores(factor, np.float32(factor)), plain, rtol=1e-6)


def test_ordinary_rows_are_the_very_same_array():
    rows = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    assert in_range(rows, MetricType.COSINE) is rows
    assert in_range(rows * np.float32(1e20), MetricType.DOT)[0, 0] == rows[0, 0] * np.float32(1e20)
    batch = random_batch(0, dtype=np.float32)
    safe, shifts = batch_in_range(batch)
    assert safe.vectors is batch.vectors
    assert not shifts.any()


def test_scaling_there_and_back_loses_no_bit():
    rows = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
    rows *= np.float32(10.0) ** np.array([[-30], [-14], [0], [12], [20], [30]], np.float32)
    shifts = shifts_of(rows)
    assert (shifts != 0).tolist() == [True, True, False, False, True, True]
    there = shifted(rows, shifts)
    assert (row_sizes(there)[shifts != 0] >= 1).all()
    assert (row_sizes(there)[shifts != 0] < 2).all()
    np.testing.assert_array_equal(shifted(there, -shifts), rows)


def test_unit_rows_have_length_one_however_long_they_were():
    rows = np.array([[3e30, 4e30], [3e-30, 4e-30], [0, 0]], np.float32)
    np.testing.assert_allclose(unit_rows(rows), [[0.6, 0.8], [0.6, 0.8], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize("metric", ["dot", "euclid"])
@pytest.mark.parametrize("size", [1e14, 1e-20])
def test_dot_and_euclid_refuse_what_cannot_be_computed_and_name_it(metric, size):
    session = random_sessions(0)[0]
    element = session.non_clicked_elements[1]
    element.vector = element.vector / element.vector.abs().max() * size
    adjuster = TorchBasedAdjuster(SearchIndexInfo(7, metric, "min"))
    with pytest.raises(ValueError, match=rf"object '{element.id}'.*between 2e-19 and 4e\+12"):
        adjuster.adjust_vectors([session])


def test_zero_vectors_may_stand_under_dot_and_euclid():
    session = random_sessions(0)[0]
    session.non_clicked_elements[0].vector = torch.zeros(1, 7)
    session.non_clicked_elements[0].is_average = []
    adjuster = TorchBasedAdjuster(SearchIndexInfo(7, "euclid", "min"))
    after = adjuster.adjust_vectors([session])[0]
    assert torch.isfinite(after.non_clicked_elements[0].vector).all()


def test_float64_takes_what_float32_cannot():
    smallest, largest = computable_sizes(np.dtype(np.float64))
    assert smallest < 1e-150
    assert largest > 1e100
