"""Steps at the edges of what their type can hold."""

import numpy as np
import pytest

from adjuster import AdjusterConfig, FeedbackBatch, SearchIndexInfo
from adjuster.fused_engine.batch import adjust_batch
from adjuster.ragged import offsets_of


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
