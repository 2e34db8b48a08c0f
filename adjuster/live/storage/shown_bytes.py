"""The names of what a search shows as bytes and back; no name holds a NUL (see `check_id`)."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import offsets_of


def shown_to_bytes(names: Iterable[str]) -> bytes:
    """The names of one search, in order.

    Example:
        >>> shown_to_bytes(["shoe", "hat"])
        b'shoe\\x00hat'
    """
    return "\0".join(names).encode()


def shown_from_bytes(searches: Sequence[bytes]) -> tuple[list[str], NDArray[np.int64]]:
    """The names of many searches, one search's after the other's, and their offsets.

    Args:
        searches: What `shown_to_bytes` wrote of each.

    Returns:
        The names, and offsets of shape ``(n_searches + 1,)``.

    Example:
        >>> names, offsets = shown_from_bytes([b"shoe\\x00hat", b"", b"hat"])
        >>> names, offsets.tolist()
        (['shoe', 'hat', 'hat'], [0, 2, 2, 3])
    """
    offsets = offsets_of([mine.count(b"\0") + bool(mine) for mine in searches])
    # One text for all is split far faster than one a search.
    joined = b"\0".join(filter(None, searches)).decode()
    return (joined.split("\0") if joined else []), offsets
