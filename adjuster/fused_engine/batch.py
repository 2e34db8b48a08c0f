"""The CPU engine: every object of a batch through the kernel, on all cores."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch, FeedbackTerms, ScatteredBatch, batch_in_range
from adjuster.fused_engine.addresses import row_addresses, rows_at
from adjuster.fused_engine.descent import descend
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import squared_norm
from adjuster.fused_engine.knobs import NEWTON, Knobs, make_knobs, unit_rows
from adjuster.fused_engine.problem import Problem, aligned_empty, gather_rows, make_workspace
from adjuster.fused_engine.threads import Ranges, next_range, shared
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.scale import computable_sizes, safe_exponent, shifted


class FlatBatch(NamedTuple):
    """What the kernel takes: terms, queries as `query_rows` gives them, and where vectors lie.

    Args:
        starts: Shape ``(n_objects,)``: the address of each object's first part, as of `originals`.
    """

    starts: NDArray[np.int64]
    originals: NDArray[np.int64]
    object_offsets: NDArray[np.int64]
    queries: NDArray[np.floating]
    query_offsets: NDArray[np.int64]
    term_offsets: NDArray[np.int64]
    term_query: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


Squares = tuple[float, float]
"""Between which |x|² must lie for an object to be adjusted; `ANY_SQUARES` asks nothing."""

ANY_SQUARES: Squares = (0.0, np.inf)


def adjust_batch(
    batch: FeedbackBatch,
    index: SearchIndexInfo,
    config: AdjusterConfig,
    *,
    n_threads: int = 0,
    out: NDArray[np.floating] | None = None,
) -> NDArray[np.floating]:
    """Adjust every object of a batch.

    Args:
        batch: What is to be learnt.
        index: Metric and pooling.
        config: The adjuster's settings.
        n_threads: 0 is one a core; the result does not depend on it.
        out: Where the new vectors go: C-contiguous, of the batch's shape and type, and not its
            own memory. A worker that keeps one saves fresh memory on every call.

    Returns:
        Shape ``(n_parts, D)``: new vectors, in the batch's own type; the batch is untouched.

    Raises:
        ValueError: If the loss is logistic and its bias is ``auto``, or `out` does not fit.
    """
    return adjust_with_knobs(batch, index, make_knobs(index, config), n_threads=n_threads, out=out)


def adjust_with_knobs(
    batch: FeedbackBatch,
    index: SearchIndexInfo,
    knobs: Knobs,
    *,
    n_threads: int = 0,
    out: NDArray[np.floating] | None = None,
) -> NDArray[np.floating]:
    """`adjust_batch` for settings that are the kernel's own already."""
    if out is None:
        out = aligned_empty(batch.vectors.shape, batch.vectors.dtype)
    else:
        _check_out(out, batch)
    if index.metric_type is not MetricType.COSINE:
        _adjust_gathered(knobs, batch, index, ANY_SQUARES, n_threads, out)
    elif not _adjust_gathered(knobs, batch, index, _harmless_squares(out, index), n_threads, out):
        safe, shifts = batch_in_range(batch)
        _adjust_gathered(knobs, safe, index, ANY_SQUARES, n_threads, out)
        out[...] = shifted(out, -shifts)
    return out


@contextmanager
def adjusting_scattered(
    batch: ScatteredBatch,
    index: SearchIndexInfo,
    config: AdjusterConfig,
    out: NDArray[np.floating],
    *,
    n_threads: int = 0,
) -> Iterator[Callable[[], bool]]:
    """Adjust every object of a batch whose vectors lie where their owner keeps them.

    All cores but one begin at once, without Python's lock, while the block does something else;
    the block's own joins them when it calls what it is given. Every bit is that of `adjust_batch`.

    Args:
        batch: What is to be learnt; its vectors need not have been checked.
        index: Metric and pooling.
        config: The adjuster's settings.
        out: Where the new vectors go: C-contiguous, of the batch's shape and type, overlapping
            none of its vectors.
        n_threads: With the caller's; 0 is one a core. The result does not depend on it.

    Yields:
        To be called once: whether all vectors could be computed as they stand. If not, some are
        not finite, or too long or too short to be squared, or zero: the batch must be gathered,
        checked, and adjusted by `adjust_batch`, and what stands in `out` is good for nothing.
    """
    flat = _flat(batch, index, batch.addresses, batch.addresses)
    squares = _harmless_squares(out, index)
    with _adjusting(make_knobs(index, config), flat, squares, n_threads, out) as is_computed:
        yield is_computed


def _harmless_squares(rows: NDArray[np.floating], index: SearchIndexInfo) -> Squares:
    """Between these |x|² is such that no row of x can be out of the range of `scale`.

    Under dot and Euclid with a factor of two to spare, for the rounding of the sum.
    """
    if index.metric_type is MetricType.COSINE:
        edge = 4.0 ** safe_exponent(rows.dtype)
        return rows.shape[1] / edge, edge
    smallest, largest = computable_sizes(rows.dtype)
    return 2.0 * rows.shape[1] * smallest**2, 0.5 * largest**2


def _flat(
    terms: FeedbackTerms,
    index: SearchIndexInfo,
    starts: NDArray[np.int64],
    originals: NDArray[np.int64],
) -> FlatBatch:
    return FlatBatch(
        starts=starts,
        originals=originals,
        object_offsets=terms.object_offsets,
        queries=query_rows(terms.query_vectors, index),
        query_offsets=terms.query_offsets,
        term_offsets=terms.term_offsets,
        term_query=terms.term_query,
        clicked=terms.term_clicked,
        unclicked=terms.term_unclicked,
    )


def _adjust_gathered(
    knobs: Knobs,
    batch: FeedbackBatch,
    index: SearchIndexInfo,
    squares: Squares,
    n_threads: int,
    out: NDArray[np.floating],
) -> bool:
    """Adjust a batch whose vectors are rows of arrays, as `_adjusting` does."""
    vectors, originals = (
        np.ascontiguousarray(rows, out.dtype) for rows in (batch.vectors, batch.originals)
    )
    firsts = batch.object_offsets[:-1]
    starts, anchors = row_addresses(vectors, firsts), row_addresses(originals, firsts)
    flat = _flat(batch, index, starts, anchors)
    with _adjusting(knobs, flat, squares, n_threads, out) as is_computed:
        return is_computed()


@contextmanager
def _adjusting(
    knobs: Knobs,
    flat: FlatBatch,
    squares: Squares,
    n_threads: int,
    out: NDArray[np.floating],
) -> Iterator[Callable[[], bool]]:
    """Adjust every object into `out`, as `adjusting_scattered` says.

    Yields:
        To be called once: False if any has |x|² outside `squares` and was left out.
    """
    n_rows = rows_per_object(flat.term_offsets, flat.term_query, flat.query_offsets)
    n_parts, left_out = np.diff(flat.object_offsets), []
    most, is_newton = (n_parts.max(initial=1), n_rows.max(initial=1)), knobs.optimizer == NEWTON

    def work(ranges: Ranges, begun: Callable[[], None]) -> None:
        workspace = make_workspace(*most, out, newton=is_newton)
        begun()
        left_out.append(_adjust_ranges(knobs, workspace, flat, out, squares, ranges))

    with shared(work, n_rows * n_parts, n_threads) as finish:

        def is_computed() -> bool:
            finish()
            return not any(left_out)

        yield is_computed


def _check_out(out: NDArray[np.floating], batch: FeedbackBatch) -> None:
    fits = out.shape == batch.vectors.shape and out.dtype == batch.vectors.dtype
    if not fits or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(
            f"out must be a writable C-contiguous array of shape {batch.vectors.shape} and type "
            f"{batch.vectors.dtype}, got shape {out.shape} and type {out.dtype}. "
            "Leave it out for a new array."
        )
    if np.may_share_memory(out, batch.vectors) or np.may_share_memory(out, batch.originals):
        raise ValueError("out must not be the batch's own memory. Leave it out for a new array.")


def rows_per_object(
    term_offsets: NDArray[np.int64],
    term_query: NDArray[np.integer],
    query_offsets: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Query rows in all terms of each object. Shape ``(n_objects,)``."""
    rows = np.concatenate([[0], np.cumsum(np.diff(query_offsets)[term_query])])
    return np.diff(rows[term_offsets])


def query_rows(vectors: NDArray[np.floating], index: SearchIndexInfo) -> NDArray[np.floating]:
    """Query vectors as the kernel takes them: contiguous, and unit length under cosine."""
    if index.metric_type is MetricType.COSINE:
        vectors = unit_rows(vectors)
    return np.ascontiguousarray(vectors)


@compiled(inline=True)
def outside(x, squares):
    """Whether |x_m|² of any part is not within a range, or not a number."""
    for m in range(x.shape[0]):
        square = squared_norm(x, m)
        if square < squares[0] or not square <= squares[1]:
            return True
    return False


@compiled(inline=True)
def problem_of(workspace, flat, out, o):
    """Object o's `Problem`, its query rows gathered in the workspace."""
    first, last = flat.term_offsets[o], flat.term_offsets[o + 1]
    n_rows = 0
    for j in range(first, last):
        query = flat.term_query[j]
        n_rows = gather_rows(workspace, n_rows, j - first, query, flat.query_offsets)
    begin, end = flat.object_offsets[o], flat.object_offsets[o + 1]
    return Problem(
        out[begin:end],
        rows_at(out, flat.starts[o], end - begin),
        rows_at(out, flat.originals[o], end - begin),
        flat.queries,
        workspace.rows[:n_rows],
        workspace.term_rows[: last - first + 1],
        flat.clicked[first:last],
        flat.unclicked[first:last],
    )


@compiled()
def _adjust_ranges(knobs, workspace, flat, out, squares, ranges):
    """Adjust ranges of objects until none is left, but those outside `squares`; their number."""
    n_outside = 0
    checked = squares[0] > 0.0
    bounded = knobs.min_cosine > -1.0 or knobs.anchor_weight > 0.0
    lo, hi = next_range(ranges)
    while lo < hi:
        for o in range(lo, hi):
            problem = problem_of(workspace, flat, out, o)
            if checked and (
                outside(problem.start, squares) or (bounded and outside(problem.original, squares))
            ):
                n_outside += 1
            else:
                descend(knobs, problem, workspace)
        lo, hi = next_range(ranges)
    return n_outside
