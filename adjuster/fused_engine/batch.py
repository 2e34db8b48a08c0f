"""The CPU engine: every object of a batch through the kernel, on all cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch
from adjuster.fused_engine.descent import descend
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.knobs import Knobs, make_knobs, unit_rows
from adjuster.fused_engine.problem import Problem, aligned_empty, gather_rows, make_room
from adjuster.index import MetricType, SearchIndexInfo

CHUNKS_PER_THREAD = 8
FEWEST_ITEMS = 64
"""Below this, starting threads takes longer than the work."""


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
    starts = np.ascontiguousarray(batch.vectors)
    if out is None:
        out = aligned_empty(starts.shape, starts.dtype)
    else:
        _check_out(out, batch)
    vectors = out
    originals = np.ascontiguousarray(batch.originals)
    queries = query_rows(batch.query_vectors, index)
    n_rows = rows_per_object(batch.term_offsets, batch.term_query, batch.query_offsets)
    n_parts = np.diff(batch.object_offsets)

    def run(lo: int, hi: int) -> None:
        most_parts, most_rows = n_parts[lo:hi].max(), n_rows[lo:hi].max()
        _adjust_range(
            knobs,
            make_room(most_parts, most_rows, vectors),
            lo,
            hi,
            starts,
            vectors,
            originals,
            batch.object_offsets,
            queries,
            batch.query_offsets,
            batch.term_offsets,
            batch.term_query,
            batch.term_clicked,
            batch.term_unclicked,
        )

    run_chunks(run, n_rows * n_parts, n_threads)
    return vectors


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
    n_threads = n_threads or (os.cpu_count() or 1)
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


@compiled()
def _adjust_range(
    knobs,
    room,
    lo,
    hi,
    starts,
    vectors,
    originals,
    object_offsets,
    queries,
    query_offsets,
    term_offsets,
    term_query,
    term_clicked,
    term_unclicked,
):
    """Adjust objects ``lo:hi`` of `starts` into `vectors`."""
    for o in range(lo, hi):
        first, last = term_offsets[o], term_offsets[o + 1]
        n_rows = 0
        for j in range(first, last):
            n_rows = gather_rows(room, n_rows, j - first, term_query[j], query_offsets)
        parts = slice(object_offsets[o], object_offsets[o + 1])
        problem = Problem(
            vectors[parts],
            starts[parts],
            originals[parts],
            queries,
            room.rows[:n_rows],
            room.term_rows[: last - first + 1],
            term_clicked[first:last],
            term_unclicked[first:last],
        )
        descend(knobs, problem, room)
