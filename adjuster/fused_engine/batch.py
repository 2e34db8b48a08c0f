"""The CPU engine: every object of a batch through the kernel, on all cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch, batch_in_range
from adjuster.fused_engine.descent import descend
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import squared_norm
from adjuster.fused_engine.knobs import NEWTON, Knobs, make_knobs, unit_rows
from adjuster.fused_engine.problem import Problem, aligned_empty, gather_rows, make_workspace
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.scale import safe_exponent, shifted

CHUNKS_PER_THREAD = 8
FEWEST_ITEMS = 64
"""Below this, starting threads takes longer than the work."""


class FlatBatch(NamedTuple):
    """A `FeedbackBatch` as the kernel takes it: contiguous, queries as `query_rows` gives them."""

    starts: NDArray[np.floating]
    originals: NDArray[np.floating]
    object_offsets: NDArray[np.int64]
    queries: NDArray[np.floating]
    query_offsets: NDArray[np.int64]
    term_offsets: NDArray[np.int64]
    term_query: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


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
        _adjust_all(knobs, batch, index, (0.0, np.inf), n_threads, out)
    elif _adjust_all(knobs, batch, index, _harmless_squares(batch), n_threads, out):
        safe, shifts = batch_in_range(batch)
        _adjust_all(knobs, safe, index, (0.0, np.inf), n_threads, out)
        out[...] = shifted(out, -shifts)
    return out


def _harmless_squares(batch: FeedbackBatch) -> tuple[float, float]:
    """Between these |x|² is such that no row of x can be out of the range of `scale`."""
    edge = 4.0 ** safe_exponent(batch.vectors.dtype)
    return batch.vectors.shape[1] / edge, edge


def _adjust_all(
    knobs: Knobs,
    batch: FeedbackBatch,
    index: SearchIndexInfo,
    squares: tuple[float, float],
    n_threads: int,
    out: NDArray[np.floating],
) -> bool:
    """Adjust every object into `out`; whether any has |x|² outside `squares` and was left out."""
    flat = FlatBatch(
        starts=np.ascontiguousarray(batch.vectors),
        originals=np.ascontiguousarray(batch.originals),
        object_offsets=batch.object_offsets,
        queries=query_rows(batch.query_vectors, index),
        query_offsets=batch.query_offsets,
        term_offsets=batch.term_offsets,
        term_query=batch.term_query,
        clicked=batch.term_clicked,
        unclicked=batch.term_unclicked,
    )
    n_rows = rows_per_object(batch.term_offsets, batch.term_query, batch.query_offsets)
    n_parts, left_out = np.diff(batch.object_offsets), []

    def run(lo: int, hi: int) -> None:
        is_newton = knobs.optimizer == NEWTON
        workspace = make_workspace(n_parts[lo:hi].max(), n_rows[lo:hi].max(), out, newton=is_newton)
        left_out.append(_adjust_range(knobs, workspace, flat, out, squares, lo, hi))

    run_chunks(run, n_rows * n_parts, n_threads)
    return any(left_out)


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


def run_chunks(
    run: Callable[[int, int], None], costs: NDArray[np.number], n_threads: int = 0
) -> None:
    """Call ``run(lo, hi)`` over ranges of about equal cost that cover all items.

    Each range is handled by one thread and no range reads what another writes, so the result is
    the same for any number of threads.
    """
    n_threads = n_threads or usable_cores()
    if n_threads == 1 or len(costs) < FEWEST_ITEMS:
        if len(costs):
            run(0, len(costs))
        return
    total = np.cumsum(costs + 1.0)
    targets = np.linspace(0, total[-1], n_threads * CHUNKS_PER_THREAD + 1)[1:-1]
    cuts = np.unique(np.concatenate([[0], np.searchsorted(total, targets), [len(costs)]]))
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(run, cuts[:-1].tolist(), cuts[1:].tolist()):
            pass


def usable_cores() -> int:
    """Cores that this process may run on; all of the machine's where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@compiled(inline=True)
def outside(x, squares):
    """Whether |x_m|² of any part is not within a range."""
    for m in range(x.shape[0]):
        square = squared_norm(x, m)
        if square < squares[0] or square > squares[1]:
            return True
    return False


@compiled()
def _adjust_range(knobs, workspace, flat, out, squares, lo, hi):
    """Adjust objects ``lo:hi`` into `out`, but those outside `squares`; returns their number."""
    n_outside = 0
    for o in range(lo, hi):
        first, last = flat.term_offsets[o], flat.term_offsets[o + 1]
        n_rows = 0
        for j in range(first, last):
            query = flat.term_query[j]
            n_rows = gather_rows(workspace, n_rows, j - first, query, flat.query_offsets)
        parts = slice(flat.object_offsets[o], flat.object_offsets[o + 1])
        problem = Problem(
            out[parts],
            flat.starts[parts],
            flat.originals[parts],
            flat.queries,
            workspace.rows[:n_rows],
            workspace.term_rows[: last - first + 1],
            flat.clicked[first:last],
            flat.unclicked[first:last],
        )
        bounded = knobs.min_cosine > -1.0 or knobs.anchor_weight > 0.0
        if outside(problem.start, squares) or (bounded and outside(problem.original, squares)):
            n_outside += 1
        else:
            descend(knobs, problem, workspace)
    return n_outside
