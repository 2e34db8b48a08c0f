"""Rocchio's relevance feedback, turned from the query to the objects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import FeedbackBatch, batch_in_range
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.scale import shifted


@dataclass(frozen=True)
class RocchioWeights:
    """The classic weights: what an object keeps, gains and loses.

    Args:
        original: Weight of the object's own vector, >= 0 (alpha).
        clicked: Weight of the centroid of the queries it was clicked for, >= 0 (beta).
        unclicked: Weight of the centroid of those it was passed over for, >= 0 (gamma).

    Raises:
        ValueError: Naming every weight that is negative or not finite.
    """

    original: float = 1.0
    clicked: float = 0.75
    unclicked: float = 0.15

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be >= 0 and finite, got {value}."
            for name, value in vars(self).items()
            if not (np.isfinite(value) and value >= 0)
        ]
        if faults:
            raise ValueError("\n".join(faults))


def rocchio_batch(
    batch: FeedbackBatch, index: SearchIndexInfo, weights: RocchioWeights | None = None
) -> NDArray[np.floating]:
    """Move each object toward the queries it was clicked for, and away from the others.

    x' = original · x + clicked · mean of the clicked queries - unclicked · mean of the unclicked
    ones, for every part x alike, after Rocchio ("Relevance Feedback in Information Retrieval",
    1971, in "The SMART Retrieval System"), who moves the query. Means are weighted by the terms;
    a query of several parts counts as their mean. Under cosine only directions matter: query
    parts are taken at unit length and scaled to |x|.

    Args:
        batch: Objects, parts and terms. Its arrays are not changed.
        index: The metric decides about scaling.
        weights: The classic ones by default.

    Returns:
        Shape ``(n_parts, D)``, dtype of ``batch.vectors``. Objects without weight stay.

    Example:
        >>> from adjuster.ragged import offsets_of
        >>> batch = FeedbackBatch(
        ...     vectors=np.array([[2.0, 0.0]]),
        ...     originals=np.array([[2.0, 0.0]]),
        ...     object_offsets=offsets_of([1]),
        ...     query_vectors=np.array([[0.0, 1.0]]),
        ...     query_offsets=offsets_of([1]),
        ...     term_offsets=offsets_of([1]),
        ...     term_query=np.array([0]),
        ...     term_clicked=np.array([1.0]),
        ...     term_unclicked=np.array([0.0]),
        ... )
        >>> rocchio_batch(batch, SearchIndexInfo(2, "dot")).tolist()
        [[2.0, 0.75]]
        >>> rocchio_batch(batch, SearchIndexInfo(2, "cosine")).tolist()
        [[2.0, 1.5]]
    """
    weights = weights or RocchioWeights()
    if index.metric_type is MetricType.COSINE:
        safe, shifts = batch_in_range(batch)
        return shifted(_rocchio(safe, index, weights), -shifts)
    return _rocchio(batch, index, weights)


def _rocchio(
    batch: FeedbackBatch, index: SearchIndexInfo, weights: RocchioWeights
) -> NDArray[np.floating]:
    queries, n_parts = _query_means(batch, index), np.diff(batch.object_offsets)
    clicked, n_clicked = _centroids(batch, queries, batch.term_clicked)
    unclicked, n_unclicked = _centroids(batch, queries, batch.term_unclicked)
    pull = weights.clicked * clicked - weights.unclicked * unclicked
    moving = np.repeat(n_clicked + weights.unclicked * n_unclicked > 0, n_parts)
    steps = np.repeat(pull, n_parts, axis=0)[moving]
    vectors = batch.vectors[moving].astype(np.float64)
    if index.metric_type is MetricType.COSINE:
        steps *= np.linalg.norm(vectors, axis=1, keepdims=True)
    adjusted = batch.vectors.copy()
    adjusted[moving] = weights.original * vectors + steps
    return adjusted


def _query_means(batch: FeedbackBatch, index: SearchIndexInfo) -> NDArray[np.float64]:
    """Shape ``(n_queries, D)``: the mean of each query's parts."""
    parts = batch.query_vectors.astype(np.float64)
    if index.metric_type is MetricType.COSINE:
        parts /= np.linalg.norm(parts, axis=1, keepdims=True)
    counts = np.diff(batch.query_offsets)
    if not len(counts):
        return parts
    return np.add.reduceat(parts, batch.query_offsets[:-1]) / counts[:, None]


def _centroids(
    batch: FeedbackBatch, queries: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean of each object's queries (zero without weight), and its total weight."""
    owners = np.repeat(np.arange(batch.n_objects), np.diff(batch.term_offsets))
    sums = np.zeros((batch.n_objects, batch.vectors.shape[1]))
    np.add.at(sums, owners, weights[:, None] * queries[batch.term_query])
    totals = np.bincount(owners, weights, minlength=batch.n_objects).astype(np.float64)
    np.divide(sums, totals[:, None], out=sums, where=totals[:, None] > 0)
    return sums, totals
