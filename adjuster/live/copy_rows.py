"""Copies as rows of their table, a row a part, and back."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

from adjuster.live.records import Copy, Rows
from adjuster.live.sql_connection import Row
from adjuster.live.store import Pair
from adjuster.live.vector_bytes import from_bytes, to_bytes, type_name


def to_rows(generation: int, copies: Sequence[Copy]) -> list[Row]:
    """Rows of (generation, owner, object, part, type, bytes), in the order of the table's key.

    In order, a batch's rows fall on pages side by side.

    Raises:
        ValueError: If vectors are neither float32 nor float64.
    """
    rows: list[Row] = []
    for owner, object_id, vectors in sorted(copies, key=itemgetter(0, 1)):
        name, data, size = type_name(vectors), to_bytes(vectors), vectors[0].nbytes
        rows.extend(
            (generation, owner, object_id, part, name, data[part * size : (part + 1) * size])
            for part in range(len(vectors))
        )
    return rows


def from_rows(rows: Iterable[Row]) -> dict[Pair, Rows]:
    """Vectors by pair.

    Args:
        rows: Rows of (owner, object, part, type, bytes), in any order.
    """
    parts: dict[Pair, list[bytes]] = {}
    types: dict[Pair, str] = {}
    for owner, object_id, _, name, vector in sorted(rows, key=itemgetter(0, 1, 2)):
        parts.setdefault((owner, object_id), []).append(vector)
        types[owner, object_id] = name
    return {
        pair: from_bytes(b"".join(vectors), types[pair], len(vectors))
        for pair, vectors in parts.items()
    }
