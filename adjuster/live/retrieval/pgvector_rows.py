"""Vectors in pgvector's own forms: as text, as binary, and as the rows of a binary COPY."""

import struct

import numpy as np

from adjuster.live.storage.records import Rows

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
"""What a binary COPY begins with (PostgreSQL's manual, COPY, "Binary Format")."""
TRAILER = struct.pack("!h", -1)


def as_text(vector: Rows) -> str:
    """One vector, shape ``(D,)``, as pgvector reads it; float32 comes back to the bit.

    Example:
        >>> as_text(np.array([0.5, -2.0], np.float32))
        '[0.5,-2.0]'
    """
    return f"[{','.join(map(repr, vector.tolist()))}]"


def as_binary(vector: Rows) -> bytes:
    """One vector, shape ``(D,)``, as pgvector receives it.

    Example:
        >>> as_binary(np.array([0.5, -2.0], np.float32)).hex(" ", 4)
        '00020000 3f000000 c0000000'
    """
    return struct.pack("!hh", len(vector), 0) + np.asarray(vector, ">f4").tobytes()


def copied_row(object_id: str, part: int, vector: Rows) -> bytes:
    """A row of (text, int, vector) in a binary COPY."""
    name, data = object_id.encode(), as_binary(vector)
    number = struct.pack("!i", part)
    return struct.pack("!h", 3) + b"".join(
        struct.pack("!i", len(field)) + field for field in (name, number, data)
    )
