"""The hard bound on drift: what has turned too far from its original is turned back."""

import numpy as np
from numpy.typing import NDArray


def bound_drift(
    vectors: NDArray[np.floating], originals: NDArray[np.floating], max_drift: float | None
) -> NDArray[np.floating]:
    """Turn each row whose cosine to its original is below 1 - max_drift back to that bound.

    A row is turned along the great circle through its original and keeps its length. It stops a
    few roundings of its dtype short of the bound, so that the bound holds for the numbers
    returned. A row exactly opposite to its original has no shortest way back and takes the
    original's direction. A zero row or a zero original has no direction and is left alone.

    Args:
        vectors: Shape ``(n, D)``, float32 or float64.
        originals: Shape ``(n, D)``.
        max_drift: In (0, 2], or None for no bound.

    Returns:
        Shape ``(n, D)``, dtype of `vectors`; `vectors` itself where no row is too far.

    Example:
        >>> bound_drift(np.array([[0.0, 2.0]]), np.array([[1.0, 0.0]]), 0.5).round(3).tolist()
        [[1.0, 1.732]]
    """
    if max_drift is None:
        return vectors
    lengths, turned = _lengths_and_units(vectors)
    _, original = _lengths_and_units(originals)
    cosines = np.einsum("nd,nd->n", turned, original)
    bound = min(1.0, 1 - max_drift + 4 * float(np.finfo(vectors.dtype).eps))
    far = np.flatnonzero((cosines < bound) & original.any(axis=1) & (lengths > 0))
    if not far.size:
        return vectors
    away = turned[far] - cosines[far, None] * original[far]
    sines = np.linalg.norm(away, axis=1)
    share = np.where(sines > 1e-12, np.sqrt(1 - bound**2) / np.maximum(sines, 1e-12), 0.0)
    along = np.where(sines > 1e-12, bound, 1.0)
    back = along[:, None] * original[far] + share[:, None] * away
    bounded = vectors.copy()
    bounded[far] = lengths[far, None] * back
    return bounded


def _lengths_and_units(
    rows: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    np.divide(wide, lengths[:, None], out=wide, where=lengths[:, None] > 0)
    return lengths, wide
