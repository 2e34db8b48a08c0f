"""Random feedback for the adjusters' tests: every axis of a different size."""

import numpy as np
import torch

from adjuster import FeedbackBatch, ImprovementElement, ImprovementInput
from adjuster.ragged import offsets_of


def random_batch(seed, *, dtype=np.float64, dimensions=11, n_objects=5, n_queries=4):
    """A batch with ragged parts, queries and terms, objects without any among them."""
    rng = np.random.default_rng(seed)
    n_parts = rng.integers(1, 4, n_objects)
    n_query_parts = rng.integers(1, 3, n_queries)
    n_terms = rng.integers(0, n_queries + 1, n_objects)
    vectors = rng.standard_normal((n_parts.sum(), dimensions))
    weights = rng.uniform(0.1, 2.0, (2, n_terms.sum())) * (rng.random((2, n_terms.sum())) < 0.7)
    return FeedbackBatch(
        vectors=unit(vectors).astype(dtype),
        originals=unit(vectors + 0.1 * rng.standard_normal(vectors.shape)).astype(dtype),
        object_offsets=offsets_of(n_parts),
        query_vectors=unit(rng.standard_normal((n_query_parts.sum(), dimensions))).astype(dtype),
        query_offsets=offsets_of(n_query_parts),
        term_offsets=offsets_of(n_terms),
        term_query=np.concatenate(
            [np.empty(0, np.int64), *(rng.permutation(n_queries)[:count] for count in n_terms)]
        ),
        term_clicked=weights[0],
        term_unclicked=weights[1],
    )


def random_sessions(seed, *, n_sessions=4, dimensions=7, owners=("ann",), dtype=torch.float32):
    """Sessions whose owners share objects, with padding rows under every second object."""
    rng = np.random.default_rng(seed)
    vectors = {
        (owner, name): rng.standard_normal((1 + name % 3, dimensions))
        for owner in owners
        for name in range(9)
    }

    def element(owner, name):
        rows = vectors[owner, name]
        padding = np.full((name % 2, dimensions), 9.0)
        return ImprovementElement(
            id=f"object-{name}",
            vector=torch.tensor(np.concatenate([rows, padding]), dtype=dtype),
            is_average=[False] * len(rows),
            user_id=owner,
        )

    def session(number):
        owner = owners[number % len(owners)]
        shown = rng.permutation(9)[:5]
        return ImprovementInput(
            session_id=f"session-{number}",
            query=ImprovementElement(
                "query", torch.tensor(rng.standard_normal((2, dimensions)), dtype=dtype)
            ),
            clicked_elements=[element(owner, name) for name in shown[:2]],
            non_clicked_elements=[element(owner, name) for name in shown[2:]],
        )

    return [session(number) for number in range(n_sessions)]


def unit(rows):
    """Rows at length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
