"""Memory for answers, used again where nobody holds the last ones."""

import math
import sys
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MOST_KEPT = 4
"""Two answers of at most two pieces each: a caller often holds the last answer, or one vector of
it, while it asks for the next."""


def _references(memories: list[NDArray[np.uint8]]) -> list[int]:
    return [sys.getrefcount(memory) for memory in memories]


HELD_BY_NOBODY = _references([np.empty(1, np.uint8)])[0]
"""References to an array that only a list holds, as they are counted here: Python's versions differ
in how many of their own they count."""


class KeptMemory:
    """Hands out memory, and the same again once every array and tensor over it is gone.

    Memory that comes fresh from the system is cleared, page by page, at its first touch, which for
    an answer of many vectors takes as long as a sixth of the kernel. The last few pieces
    that were handed out are kept. A copy starts with none; threads may share one.
    """

    def __init__(self) -> None:
        self._kept: list[NDArray[np.uint8]] = []
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return KeptMemory, ()

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array that begins on a cache line; what stands in it is left from before."""
        from adjuster.fused_engine.problem import LINE_BYTES, aligned  # Numba takes a while

        n_bytes = math.prod(shape) * np.dtype(dtype).itemsize + LINE_BYTES
        with self._lock:
            references = _references(self._kept)
            for memory, count in zip(self._kept, references, strict=True):
                if count == HELD_BY_NOBODY and n_bytes <= memory.nbytes <= 2 * n_bytes:
                    break
            else:
                memory = np.empty(n_bytes, np.uint8)
                self._kept = [*self._kept, memory][-MOST_KEPT:]
            return aligned(memory, shape, dtype)
