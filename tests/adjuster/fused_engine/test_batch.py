"""The CPU engine: threads, the cache of machine code, work in ranges."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch
from adjuster.fused_engine.batch import adjust_batch
from adjuster.index import SearchIndexInfo
from adjuster.torch_engine.loss import term_loss
from tests.adjuster.cases import random_batch

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_threads_change_no_bit(n_threads):
    batch, index = random_batch(1, n_objects=200, dtype=np.float32), SearchIndexInfo(11)
    one = adjust_batch(batch, index, AdjusterConfig(), n_threads=1)
    many = adjust_batch(batch, index, AdjusterConfig(), n_threads=n_threads)
    np.testing.assert_array_equal(one, many)


def test_the_batch_is_untouched():
    batch = random_batch(2)
    before = batch.vectors.copy()
    adjust_batch(batch, SearchIndexInfo(11), AdjusterConfig())
    np.testing.assert_array_equal(batch.vectors, before)


@pytest.mark.parametrize("num_iterations", [0, 3])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_given_memory_gets_the_same_bits(optimizer, num_iterations):
    batch, index = random_batch(3, n_objects=100), SearchIndexInfo(11)
    config = AdjusterConfig(optimizer=optimizer, num_iterations=num_iterations)
    out = np.full_like(batch.vectors, np.nan)
    assert adjust_batch(batch, index, config, out=out) is out
    np.testing.assert_array_equal(out, adjust_batch(batch, index, config))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (lambda vectors: vectors, "must not be the batch's own memory"),
        (lambda vectors: np.empty_like(vectors)[:-1], "must be a writable C-contiguous array"),
        (lambda vectors: np.empty(vectors.shape, np.float32), "and type float64, got"),
        (lambda vectors: np.empty_like(vectors, order="F"), "must be a writable C-contiguous"),
    ],
)
def test_memory_that_does_not_fit_is_refused(out, message):
    batch = random_batch(3)
    with pytest.raises(ValueError, match=message):
        adjust_batch(batch, SearchIndexInfo(11), AdjusterConfig(), out=out(batch.vectors))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_rate_too_small_to_see_moves_nothing(dtype):
    batch = random_batch(5, dtype=dtype)
    adjusted = adjust_batch(batch, SearchIndexInfo(11), AdjusterConfig(adjustment_rate=1e-38))
    np.testing.assert_allclose(adjusted, batch.vectors, rtol=0, atol=1e-20)


@pytest.mark.parametrize("kind", ["cubic", "linear", "logistic"])
@pytest.mark.parametrize("times", [1.0, 1e2, 1e6])
def test_gradient_steps_never_raise_the_loss_however_much_feedback(kind, times):
    batch = single_part_batch(times)
    index = SearchIndexInfo(batch.vectors.shape[1])
    settings = {"loss": kind, "logit_bias": 0.2, "optimizer": "sgd", "adjustment_rate": 10.0}
    losses = [
        loss_of(batch, adjust_batch(batch, index, config), config)
        for config in (AdjusterConfig(**settings, num_iterations=n) for n in range(8))
    ]
    assert np.all(np.diff(losses, axis=0) <= 1e-12 * times)
    assert np.any(np.diff(losses, axis=0)[0] < -1e-6 * times)


def single_part_batch(times):
    """Thirty objects of one part with four terms each, weighted `times`."""
    rng = np.random.default_rng(7)
    vectors, queries = rng.normal(size=(30, 6)), rng.normal(size=(5, 6))
    return FeedbackBatch(
        vectors=vectors,
        originals=vectors,
        object_offsets=np.arange(31),
        query_vectors=queries,
        query_offsets=np.arange(6),
        term_offsets=np.arange(0, 121, 4),
        term_query=rng.integers(0, 5, 120),
        term_clicked=times * rng.random(120),
        term_unclicked=times * rng.random(120),
    )


def loss_of(batch, vectors, config):
    """Each object's loss, by the definition."""
    cosines = [
        vectors[o]
        @ batch.query_vectors[query]
        / np.linalg.norm(vectors[o])
        / np.linalg.norm(batch.query_vectors[query])
        for o, query in zip(np.repeat(np.arange(30), 4), batch.term_query, strict=True)
    ]
    tensors = map(torch.tensor, (np.array(cosines), batch.term_clicked, batch.term_unclicked))
    return term_loss(*tensors, config).numpy().reshape(30, 4).sum(1)


def test_one_diverging_object_does_not_reach_the_others():
    batch = random_batch(4, n_objects=20)
    index, config = SearchIndexInfo(11, "dot"), AdjusterConfig()
    clean = adjust_batch(batch, index, config, n_threads=1)
    broken = int(np.flatnonzero(np.diff(batch.term_offsets))[0])
    rows = slice(batch.object_offsets[broken], batch.object_offsets[broken + 1])
    batch.vectors[rows] = np.inf
    mixed = adjust_batch(batch, index, config, n_threads=1)
    others = np.ones(len(clean), bool)
    others[rows] = False
    np.testing.assert_array_equal(mixed[others], clean[others])
    assert not np.isfinite(mixed[rows]).all()


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["missing/file/below", "/proc/nowhere"])
def test_a_cache_folder_that_cannot_be_written_costs_only_time(tmp_path, folder):
    blocked = tmp_path / "missing"
    blocked.write_text("a file where a folder should be")
    code = (
        "import numpy as np\n"
        "from adjuster.config import AdjusterConfig\n"
        "from adjuster.fused_engine.batch import adjust_batch\n"
        "from adjuster.index import SearchIndexInfo\n"
        "from tests.adjuster.cases import random_batch\n"
        "batch = random_batch(1)\n"
        "print(np.abs(adjust_batch(batch, SearchIndexInfo(11), AdjusterConfig())).sum())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = np.abs(adjust_batch(random_batch(1), SearchIndexInfo(11), AdjusterConfig())).sum()
    assert float(done.stdout) == pytest.approx(expected)
