"""The three metrics, and pooling over parts, in torch and differentiable."""

import torch
from torch import Tensor

from adjuster.index import MetricAggregationType, MetricType


def similarity(queries: Tensor, parts: Tensor, metric: MetricType) -> Tensor:
    """Similarity of query parts to object parts, row by row; it grows as vectors get closer.

    Args:
        queries: Shape ``(..., D)``.
        parts: Shape ``(..., D)``; leading axes broadcast against those of `queries`.
        metric: Cosine, dot product, or minus the Euclidean distance. Cosine takes no zero
            vectors. Where two vectors coincide, the gradient of the distance is taken as 0.

    Returns:
        Shape ``(...)``; device and dtype of the inputs.

    Example:
        >>> query, part = torch.tensor([3.0, 4.0]), torch.tensor([3.0, 0.0])
        >>> [round(similarity(query, part, metric).item(), 6) for metric in MetricType]
        [0.6, 9.0, -4.0]
    """
    if metric is MetricType.EUCLID:
        distances: Tensor = torch.linalg.vector_norm(queries - parts, dim=-1)
        return -distances
    dots = (queries * parts).sum(dim=-1)
    if metric is MetricType.DOT:
        return dots
    query_lengths: Tensor = torch.linalg.vector_norm(queries, dim=-1)
    cosines: Tensor = dots / (query_lengths * torch.linalg.vector_norm(parts, dim=-1))
    return cosines


def pool(
    pairs: Tensor,
    segments: Tensor,
    n_segments: int,
    aggregation: MetricAggregationType,
    temperature: float = 1.0,
) -> Tensor:
    """Pool the similarities of all (query part, object part) pairs of an object to one number.

    ``min`` is a smooth smallest *distance*: Σ w · s with w = softmax(s / temperature) over the
    pairs, so the nearest part counts most, and alone as the temperature goes to 0. ``avg`` is the
    mean over the pairs.

    Args:
        pairs: Shape ``(n_pairs,)``.
        segments: Shape ``(n_pairs,)`` int64: which pooled similarity a pair belongs to; each
            segment has at least one pair.
        n_segments: Number of pooled similarities.
        aggregation: ``min`` or ``avg``.
        temperature: In units of similarity, > 0.

    Returns:
        Shape ``(n_segments,)``; device and dtype of `pairs`.

    Example:
        >>> pairs, segments = torch.tensor([0.0, 1.0]), torch.tensor([0, 0])
        >>> pool(pairs, segments, 1, MetricAggregationType.MIN, temperature=0.01).tolist()
        [1.0]
        >>> pool(pairs, segments, 1, MetricAggregationType.AVG).tolist()
        [0.5]
    """
    if aggregation is MetricAggregationType.AVG:
        counts = torch.bincount(segments, minlength=n_segments)
        return _segment_sum(pairs, segments, n_segments) / counts
    weights = torch.exp((pairs - _segment_max(pairs, segments, n_segments)) / temperature)
    total = _segment_sum(weights, segments, n_segments)
    return _segment_sum(weights * pairs, segments, n_segments) / total


def _segment_sum(values: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    return values.new_zeros(n_segments).index_add(0, segments, values)


def _segment_max(values: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    """The largest of each value's segment; a constant to autograd, as softmax ignores shifts."""
    values = values.detach()
    largest = values.new_zeros(n_segments)
    largest = largest.scatter_reduce(0, segments, values, "amax", include_self=False)
    return largest[segments]
