"""Originals in clusters, as those of real objects lie, queries near them, and what is found."""

import numpy as np

from adjuster import SearchIndexInfo
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.ragged import offsets_of

N_OBJECTS, D, K = 3000, 24, 20


def exact_index(folder, metric="cosine", pooling="min", n_objects=N_OBJECTS, most_parts=1):
    """An index of them in a folder."""
    rng = np.random.default_rng(5)
    n_parts = rng.integers(1, most_parts + 1, n_objects)
    centres = rng.normal(size=(n_objects // 20, D))
    around = np.repeat(centres[rng.integers(len(centres), size=n_objects)], n_parts, axis=0)
    rows = (around + rng.normal(size=around.shape, scale=0.5)).astype(np.float32)
    info = SearchIndexInfo(D, metric, pooling)
    write_index(folder, [f"o{i}" for i in range(n_objects)], rows, offsets_of(n_parts), info)
    return ExactIndex(folder)


def queries(index, n_parts=1, n=30):
    """Some queries, each of so many parts."""
    rng = np.random.default_rng(6)
    for _ in range(n):
        near = index.vectors(f"o{rng.integers(len(index))}")[:1]
        yield (near + rng.normal(size=(n_parts, D), scale=0.5)).astype(np.float32)


def recall(found, wanted) -> float:
    """The share of the wanted names that is found, over many searches."""
    return float(
        np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, wanted, strict=True)])
    )
