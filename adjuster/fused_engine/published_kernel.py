"""The published semantics on the CPU kernel: what `PublishedAdjuster` computes, without autograd.

A group of equally shaped sessions is B independent problems: only the mean over the group joins
them, and it is a constant factor. So each session is told how many share its group, and sessions
of any shapes are one call. Similarities are pooled over a session's objects, so a problem
is a whole session, (K·M) rows of D numbers, its clicked and unclicked objects apart.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.batch import query_rows
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import add_row, copy_rows, find_sums, similarity_of
from adjuster.fused_engine.knobs import BETA1, BETA2, MIN, Knobs, make_knobs
from adjuster.fused_engine.problem import Problem, make_workspace
from adjuster.fused_engine.steps import adamw_pace, step_part, takes_one_row
from adjuster.fused_engine.threads import run_chunks
from adjuster.index import SearchIndexInfo
from adjuster.ragged import offsets_of

SMALLEST_NORM = 1e-12
"""Below it a vector counts as this long, as where torch normalizes a zero row."""


class Group(NamedTuple):
    """What the sessions of a group have in common, besides the setting."""

    n_clicked: int
    n_parts: int
    n_sessions: int


class Sessions(NamedTuple):
    """Sessions of any shapes, one after the other.

    Args:
        offsets: Shape ``(n_sessions + 1,)``: a session's rows, its objects one by one, clicked
            first, all padded to one number of parts.
        query: Shape ``(n_sessions,)``: what was asked.
        n_clicked: Shape ``(n_sessions,)``: how many of a session's objects are clicked. Where it
            is none or all of them, the session comes back as it is.
        n_parts: Shape ``(n_sessions,)``: parts of each of its objects.
        n_together: Shape ``(n_sessions,)``: how many sessions its loss is a mean over.
    """

    offsets: NDArray[np.int64]
    query: NDArray[np.int64]
    n_clicked: NDArray[np.int64]
    n_parts: NDArray[np.int64]
    n_together: NDArray[np.int64]


class Queries(NamedTuple):
    """What sessions ask.

    Args:
        rows: Shape ``(n_rows, D)``, as `query_rows` gives them.
        offsets: Shape ``(n_queries + 1,)``: a query's rows.
    """

    rows: NDArray[np.floating]
    offsets: NDArray[np.int64]


class Pool(NamedTuple):
    """Objects ``first:last`` of a session, of `n_parts` each, and the factor of their gradient."""

    first: int
    last: int
    n_parts: int
    factor: float


def adjust_group(
    queries: NDArray[np.floating],
    shown: NDArray[np.floating],
    n_clicked: int,
    index: SearchIndexInfo,
    config: AdjusterConfig,
    *,
    n_threads: int = 0,
) -> NDArray[np.floating]:
    """Adjust a group of sessions of one shape.

    Args:
        queries: Shape ``(B, N, D)``.
        shown: Shape ``(B, K, M, D)``: the objects of each session, clicked first, padded to one
            number of parts.
        n_clicked: How many of the K are clicked, in 1..K-1.
        index: Metric and pooling.
        config: Rate, iterations and temperature.
        n_threads: 0 is one a core; the result does not depend on it.

    Returns:
        Shape ``(B, K, M, D)``: new vectors.
    """
    n_sessions, n_objects, n_parts, dimensions = shown.shape
    numbers = np.arange(n_sessions)
    sessions = Sessions(
        offsets=offsets_of([n_objects * n_parts] * n_sessions),
        query=numbers,
        n_clicked=np.full(n_sessions, n_clicked),
        n_parts=np.full(n_sessions, n_parts),
        n_together=np.full(n_sessions, n_sessions),
    )
    rows = query_rows(queries.reshape(-1, dimensions), index)
    asked = Queries(rows, offsets_of([queries.shape[1]] * n_sessions))
    starts = np.ascontiguousarray(shown).reshape(-1, dimensions)
    moved = adjust_sessions(make_knobs(index, config), sessions, starts, asked, n_threads=n_threads)
    return moved.reshape(shown.shape)


def adjust_sessions(
    knobs: Knobs,
    sessions: Sessions,
    starts: NDArray[np.floating],
    queries: Queries,
    *,
    n_threads: int = 0,
) -> NDArray[np.floating]:
    """Adjust sessions of any shapes.

    Args:
        knobs: The setting; rate, iterations and temperature are looked at.
        sessions: Their shapes.
        starts: Shape ``(n_rows, D)``: their rows, contiguous, under cosine of a safe length.
        queries: What they ask.
        n_threads: 0 is one a core; the result does not depend on it.

    Returns:
        Shape ``(n_rows, D)``: new vectors.
    """
    moved = np.empty_like(starts)
    n_rows = np.diff(sessions.offsets)
    n_asked = np.diff(queries.offsets)[sessions.query]

    def run(lo: int, hi: int) -> None:
        workspace = make_workspace(n_rows[lo:hi].max(), n_asked[lo:hi].max(), starts)
        adjust_range(knobs, workspace, sessions, moved, starts, queries, lo, hi)

    run_chunks(run, n_rows * n_asked, n_threads)
    return moved


@compiled(inline=True)
def clamped_inverse(square):
    """1/max(|x|, SMALLEST_NORM)."""
    return 1.0 / max(np.sqrt(square), SMALLEST_NORM)


@compiled(inline=True)
def pool_objects(knobs, workspace, r, m, pool):
    """Pool part m of some objects and write the gradient's coefficients.

    With w = softmax(-s / T) over the objects and P = Σ w·s, ∂P/∂s_k = w_k · (1 - (s_k - P) / T).
    """
    sims, slopes = workspace.sims, workspace.slopes
    total, pooled, low = 0.0, 0.0, np.inf
    for k in range(pool.first, pool.last):
        low = min(low, sims[r, k * pool.n_parts + m])
    inverse = 1.0 / knobs.temperature if knobs.pooling == MIN else 0.0
    for k in range(pool.first, pool.last):
        j = k * pool.n_parts + m
        weight = np.exp((low - sims[r, j]) * inverse)
        slopes[r, j] = weight
        total += weight
        pooled += weight * sims[r, j]
    pooled /= total
    slope = pool.factor * 3.0 * pooled * pooled / total
    for k in range(pool.first, pool.last):
        j = k * pool.n_parts + m
        share = slopes[r, j] * (1.0 - (sims[r, j] - pooled) * inverse)
        add_row(knobs, workspace, r, j, slope * share)


@compiled(inline=True)
def adjust_session(knobs, workspace, x, start, queries, group):
    """Adjust one session's rows, from `start` to `x`."""
    n_rows, n_vectors, rows = queries.shape[0], x.shape[0], workspace.rows[: queries.shape[0]]
    n_parts, n_clicked = group.n_parts, group.n_clicked
    factor = 1.0 / (group.n_sessions * n_rows * n_parts)
    clicked = Pool(0, n_clicked, n_parts, -factor)
    unclicked = Pool(n_clicked, n_vectors // n_parts, n_parts, factor)
    for r in range(n_rows):
        rows[r] = r
    # Its terms are not those of an object: they are pooled here.
    no_terms = workspace.clicked[:0]
    problem = Problem(x, start, start, queries, rows, workspace.term_rows[:1], no_terms, no_terms)
    if knobs.num_iterations == 0 or not takes_one_row(knobs, problem):
        copy_rows(x, start)
    find_sums(knobs, problem, workspace, problem.start)
    power1, power2 = 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        for j in range(n_vectors):
            workspace.inverse_norms[j] = clamped_inverse(workspace.squared_norms[j])
            workspace.own[j] = 0.0
            for r in range(n_rows):
                raw = workspace.raws[r, j]
                workspace.sims[r, j] = similarity_of(knobs.metric, raw, workspace.inverse_norms[j])
        for r in range(n_rows):
            for m in range(n_parts):
                pool_objects(knobs, workspace, r, m, clicked)
                pool_objects(knobs, workspace, r, m, unclicked)
        power1 *= BETA1
        power2 *= BETA2
        pace = adamw_pace(knobs, t, power1, power2)
        for j in range(n_vectors):
            step_part(knobs, problem, workspace, j, pace)


@compiled()
def adjust_range(knobs, workspace, sessions, moved, starts, queries, lo, hi):
    """Adjust sessions ``lo:hi``, from `starts` to `moved`."""
    for s in range(lo, hi):
        first, last = sessions.offsets[s], sessions.offsets[s + 1]
        group = Group(sessions.n_clicked[s], sessions.n_parts[s], sessions.n_together[s])
        asked, query = queries.offsets, sessions.query[s]
        mine = queries.rows[asked[query] : asked[query + 1]]
        if 0 < group.n_clicked * group.n_parts < last - first:
            adjust_session(knobs, workspace, moved[first:last], starts[first:last], mine, group)
        else:
            copy_rows(moved[first:last], starts[first:last])
