"""Vectors as bytes and back, to the bit."""

from functools import cache

import numpy as np

from adjuster.live.storage.records import Rows

TYPES: dict[str, np.dtype[np.floating]] = {"f4": np.dtype("<f4"), "f8": np.dtype("<f8")}
"""Name of a stored type → the type, the same on every machine."""


def type_name(rows: Rows) -> str:
    """The name under which vectors are stored.

    Raises:
        ValueError: If they are neither float32 nor float64.

    Example:
        >>> type_name(np.zeros((1, 2), np.float32))
        'f4'
    """
    return _name_of(rows.dtype)


@cache
def _name_of(dtype: np.dtype[np.floating]) -> str:
    name = f"{dtype.kind}{dtype.itemsize}"
    if name not in TYPES:
        raise ValueError(f"vectors must be float32 or float64, got {dtype}.")
    return name


def to_bytes(rows: Rows) -> bytes:
    """Vectors, row after row."""
    return rows.astype(TYPES[type_name(rows)], copy=False).tobytes()


def from_bytes(data: bytes, name: str, n_parts: int) -> Rows:
    """The vectors that `to_bytes` wrote, shape ``(n_parts, D)``, not to be written to.

    Example:
        >>> from_bytes(to_bytes(np.array([[1.0], [2.0]], np.float32)), "f4", 2).tolist()
        [[1.0], [2.0]]
    """
    rows: Rows = np.frombuffer(data, TYPES[name]).reshape(n_parts, -1)
    return rows if rows.dtype.isnative else rows.astype(rows.dtype.newbyteorder("="))
