"""Bringing vectors into the form that an index's metric expects."""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.index import MetricType

Vectors = TypeVar("Vectors", torch.Tensor, NDArray[np.floating])


def prepare_vectors(vector: Vectors, metric_type: MetricType | str, *, object_id: str) -> Vectors:
    """Normalise an object's vectors for the metric they will be compared by.

    Args:
        vector: Shape ``(parts, D)``, a torch tensor or a NumPy array; it is not changed.
        metric_type: ``cosine`` scales every part to length 1; ``dot`` maps the whole tensor
            linearly to [0, 1] by its smallest and largest number; ``euclid`` changes nothing.
        object_id: For the error.

    Returns:
        A copy of the same type, dtype and device.

    Raises:
        ValueError: Naming the object: for NaN or infinity, a zero part under cosine, or a tensor
            of one constant under dot.

    Example:
        >>> prepare_vectors(np.array([[3.0, 4.0]]), "cosine", object_id="a").tolist()
        [[0.6, 0.8]]
        >>> prepare_vectors(np.array([[3.0, 4.0, 5.0]]), "dot", object_id="a").tolist()
        [[0.0, 0.5, 1.0]]
    """
    if isinstance(vector, torch.Tensor):
        rows = prepare_vectors(
            vector.detach().cpu().double().numpy(), metric_type, object_id=object_id
        )
        return torch.from_numpy(rows).to(vector)
    metric = MetricType(metric_type)
    if not np.isfinite(vector).all():
        raise ValueError(f"object {object_id!r}: vector must be finite, got NaN or infinity.")
    if metric is MetricType.EUCLID:
        return vector.copy()
    scaled = _unit(vector, object_id) if metric is MetricType.COSINE else _spread(vector, object_id)
    return scaled.astype(vector.dtype)


def _unit(vector: NDArray[np.floating], object_id: str) -> NDArray[np.floating]:
    lengths = np.linalg.norm(vector.astype(np.float64), axis=1, keepdims=True)
    if not lengths.all():
        part = int(np.argmin(lengths))
        raise ValueError(
            f"object {object_id!r}: vector must not be zero under cosine, got zeros in part {part}."
        )
    unit: NDArray[np.floating] = vector / lengths
    return unit


def _spread(vector: NDArray[np.floating], object_id: str) -> NDArray[np.floating]:
    low, high = vector.min(), vector.max()
    if low == high:
        raise ValueError(
            f"object {object_id!r}: vector must not be constant under dot, got {low} everywhere."
        )
    spread: NDArray[np.floating] = (vector - low) / (high - low)
    return spread
