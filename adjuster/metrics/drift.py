"""How far adjusted vectors have moved from the originals."""

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 1 << 16
"""Parts handled in one step, so that the float64 copies stay small."""


def drift(
    originals: NDArray[np.floating],
    adjusted: NDArray[np.floating],
    object_offsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """1 - cosine(original, adjusted) of each object, the mean over its parts.

    Args:
        originals: Shape ``(n_parts, D)``.
        adjusted: Shape ``(n_parts, D)``.
        object_offsets: Shape ``(n_objects + 1,)``; every object has a part.

    Returns:
        Shape ``(n_objects,)`` float64, in [0, 2]; 0 is unmoved, 1 is orthogonal. A zero vector
        has no direction: its drift is 0 if it stayed zero, else 1.

    Raises:
        ValueError: If shapes do not fit.

    Example:
        >>> drift(np.eye(2), np.eye(2)[::-1], np.array([0, 1, 2])).tolist()
        [1.0, 1.0]
    """
    if originals.shape != adjusted.shape or len(originals) != object_offsets[-1]:
        raise ValueError(
            f"originals {originals.shape} and adjusted {adjusted.shape} must be equal, with "
            f"{object_offsets[-1]} rows as the offsets say."
        )
    counts = np.diff(object_offsets)
    if not counts.all():
        raise ValueError(f"object {int(np.argmin(counts))} must have at least one part, got none.")
    if not len(counts):
        return np.empty(0)
    return np.add.reduceat(part_drift(originals, adjusted), object_offsets[:-1]) / counts


def part_drift(
    originals: NDArray[np.floating], adjusted: NDArray[np.floating]
) -> NDArray[np.float64]:
    """1 - cosine of each row, shape ``(n_parts,)`` float64, in [0, 2]; zero rows as in `drift`."""
    blocks = range(0, len(originals), ROWS_AT_ONCE)
    parts = [
        _rows(originals[at : at + ROWS_AT_ONCE], adjusted[at : at + ROWS_AT_ONCE]) for at in blocks
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _rows(originals: NDArray[np.floating], adjusted: NDArray[np.floating]) -> NDArray[np.float64]:
    """|unit - unit|² / 2, which unlike 1 - cosine loses no digits when the two are close."""
    (before, was_zero), (after, is_zero) = _unit(originals), _unit(adjusted)
    difference = before - after
    distance: NDArray[np.float64] = np.einsum("pd,pd->p", difference, difference) / 2
    distance[was_zero != is_zero] = 1.0
    return distance


def _unit(rows: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Rows of unit length, and which of them are zero and stay so."""
    units = rows.astype(np.float64)
    norms = np.linalg.norm(units, axis=1)
    np.divide(units, norms[:, None], out=units, where=norms[:, None] > 0)
    return units, norms == 0
