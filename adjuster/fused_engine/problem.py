"""One (owner, object) problem as the compiled code takes it, and the memory it is worked on in."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from adjuster.fused_engine.jit import compiled

LINE_BYTES = 64
CACHE_ROW = 256
"""Coordinates handled at a time: their gradient stays in the first-level cache."""

SPAN_ROWS = 64
"""Most query rows for which steps are taken in the span of the vectors."""


class Problem(NamedTuple):
    """An object's parts and the terms that speak of it.

    Args:
        x: Shape ``(M, D)``: where the adjusted parts go; never the memory of `start`.
        start: Shape ``(M, D)``: the parts as they stand.
        original: Shape ``(M, D)``: the index's vectors.
        queries: Shape ``(n_query_parts, D)``; unit length under cosine.
        rows: Shape ``(R,)``: the query rows of all terms.
        term_rows: Shape ``(T + 1,)``: a term's rows in `rows`.
        clicked: Shape ``(T,)``.
        unclicked: Shape ``(T,)``.
    """

    x: NDArray[np.floating]
    start: NDArray[np.floating]
    original: NDArray[np.floating]
    queries: NDArray[np.floating]
    rows: NDArray[np.int64]
    term_rows: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


class Workspace(NamedTuple):
    """Working memory of one thread: the kernel itself allocates nothing.

    Args:
        start: Shape ``(max_parts, D)``: for parts that are adjusted where they are.
        scratch: Shape ``(max_parts, D)``: for copies that nobody keeps.
        moments: Shape ``(2, max_parts, D)``: the optimizer's state.
        gradient: Shape ``(1, CACHE_ROW)``.
        raws: Shape ``(max_rows, max_parts)`` float64, as `sims` and `slopes`.
        squared_norms: Shape ``(max_parts,)`` float64, as `inverse_norms`, `own`, `start_norms`,
            `rates`.
        gram: Shape ``(at most SPAN_ROWS, same)`` float64: products of query rows.
        cross: Shape ``(max_rows, max_parts)`` float64: their products with where x started.
        start_share: Shape ``(max_parts,)`` float64: how much of where it started x still holds.
        coordinates: Shape ``(max_parts, max_rows)`` float64: how much of each query row.
        newton: Shape ``(4, max_parts, D)``: residual, direction, step and product of `newton`;
            None where no setting asks for it. Its code is compiled only for a workspace that has
            it: it takes twice as long to compile as all the rest.
        term_own: Shape ``(max_rows, max_parts)`` float64: how much of x in each term's gradient.
        bends: Shape ``(max_rows,)`` float64: each term's second derivative.
        priors: Shape ``(max_parts,)`` float64: strength of each part's prior.
        rows: Shape ``(max_rows,)`` int64: the query rows of an object's terms.
        term_rows: Shape ``(max_rows + 1,)`` int64: where each term's rows begin.
        clicked: Shape ``(max_rows,)`` float64: a term's weight, as `unclicked`.
    """

    start: NDArray[np.floating]
    scratch: NDArray[np.floating]
    moments: NDArray[np.floating]
    gradient: NDArray[np.floating]
    raws: NDArray[np.float64]
    sims: NDArray[np.float64]
    slopes: NDArray[np.float64]
    squared_norms: NDArray[np.float64]
    inverse_norms: NDArray[np.float64]
    own: NDArray[np.float64]
    start_norms: NDArray[np.float64]
    rates: NDArray[np.float64]
    gram: NDArray[np.float64]
    cross: NDArray[np.float64]
    start_share: NDArray[np.float64]
    coordinates: NDArray[np.float64]
    newton: NDArray[np.floating] | None
    term_own: NDArray[np.float64]
    bends: NDArray[np.float64]
    priors: NDArray[np.float64]
    rows: NDArray[np.int64]
    term_rows: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Uninitialised memory that begins on a cache line, so that no vector register crosses one.

    Example:
        >>> aligned_empty((2, 16), np.float32).ctypes.data % LINE_BYTES
        0
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    return aligned(np.empty(n_bytes + LINE_BYTES, np.uint8), shape, dtype)


def aligned(memory: NDArray[np.uint8], shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array over memory that has a cache line to spare, from the first line on."""
    first, n_bytes = -memory.ctypes.data % LINE_BYTES, math.prod(shape) * np.dtype(dtype).itemsize
    return memory[first : first + n_bytes].view(dtype).reshape(shape)


def make_workspace(
    max_parts: int, max_rows: int, vectors: NDArray[np.floating], *, newton: bool = False
) -> Workspace:
    """Working memory for objects of so many parts and terms of so many query rows in all.

    Args:
        max_parts: Parts of the largest object.
        max_rows: Query rows in all terms of an object, at most.
        vectors: Shape ``(n, D)``: of the type to work in.
        newton: Whether `optimizer: newton` is asked for.
    """
    shape, part_shape = (max_rows, max_parts), (max_parts, vectors.shape[1])
    return Workspace(
        start=aligned_empty(part_shape, vectors.dtype),
        scratch=aligned_empty(part_shape, vectors.dtype),
        moments=aligned_empty((2, *part_shape), vectors.dtype),
        gradient=aligned_empty((1, CACHE_ROW), vectors.dtype),
        raws=np.empty(shape),
        sims=np.empty(shape),
        slopes=np.empty(shape),
        squared_norms=np.empty(max_parts),
        inverse_norms=np.empty(max_parts),
        own=np.empty(max_parts),
        start_norms=np.empty(max_parts),
        rates=np.empty(max_parts),
        gram=np.empty((min(max_rows, SPAN_ROWS),) * 2),
        cross=np.empty(shape),
        start_share=np.empty(max_parts),
        coordinates=np.empty((max_parts, max_rows)),
        newton=aligned_empty((4, *part_shape), vectors.dtype) if newton else None,
        term_own=np.empty(shape),
        bends=np.empty(max_rows),
        priors=np.empty(max_parts),
        rows=np.empty(max_rows, np.int64),
        term_rows=np.zeros(max_rows + 1, np.int64),
        clicked=np.empty(max_rows),
        unclicked=np.empty(max_rows),
    )


@compiled(inline=True)
def gather_rows(workspace, n_rows, term, query, query_offsets):
    """Append a term's query rows; returns the new number of rows."""
    for row in range(query_offsets[query], query_offsets[query + 1]):
        workspace.rows[n_rows] = row
        n_rows += 1
    workspace.term_rows[term + 1] = n_rows
    return n_rows
