"""The published semantics on the CPU kernel: what `PublishedAdjuster` computes, without autograd.

A group of equally shaped sessions is B independent problems: only the mean over the group joins
them, and it is a constant factor. Similarities are pooled over a session's objects, so a problem
is a whole session, (K·M) rows of D numbers, its clicked and unclicked objects apart.
"""

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.feedback import offsets_of
from adjuster.fused_engine.batch import query_rows, run_chunks
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import add_row, copy_rows, find_sums, similarity_of
from adjuster.fused_engine.knobs import BETA1, BETA2, MIN, make_knobs
from adjuster.fused_engine.problem import Problem, make_room
from adjuster.fused_engine.steps import adamw_pace, step_part, takes_one_row
from adjuster.index import SearchIndexInfo

SMALLEST_NORM = 1e-12
"""Below it a vector counts as this long, as where torch normalizes a zero row."""


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
    n_rows = queries.shape[1]
    starts = np.ascontiguousarray(shown).reshape(n_sessions, n_objects * n_parts, dimensions)
    vectors = np.empty_like(starts)
    rows = query_rows(queries.reshape(-1, dimensions), index)
    offsets = offsets_of([n_rows] * n_sessions)
    knobs = make_knobs(index, config)

    def run(lo: int, hi: int) -> None:
        room = make_room(n_objects * n_parts, n_rows, vectors[0])
        for session in range(lo, hi):
            mine = rows[offsets[session] : offsets[session + 1]]
            _adjust_session(
                knobs,
                room,
                vectors[session],
                starts[session],
                mine,
                n_clicked,
                n_parts,
                n_sessions,
            )

    run_chunks(run, np.ones(n_sessions), n_threads if n_sessions > 1 else 1)
    return vectors.reshape(shown.shape)


@compiled(inline=True)
def clamped_inverse(squared_norm):
    """1/max(|x|, SMALLEST_NORM)."""
    return 1.0 / max(np.sqrt(squared_norm), SMALLEST_NORM)


@compiled(inline=True)
def pool_objects(knobs, room, r, m, first, last, n_parts, factor):
    """Pool part m of the objects ``first:last`` and write the gradient's coefficients.

    With w = softmax(-s / T) over the objects and P = Σ w·s, ∂P/∂s_k = w_k · (1 - (s_k - P) / T).
    """
    sims, slopes = room.sims, room.slopes
    total, pooled, low = 0.0, 0.0, np.inf
    for k in range(first, last):
        low = min(low, sims[r, k * n_parts + m])
    inverse = 1.0 / knobs.temperature if knobs.pooling == MIN else 0.0
    for k in range(first, last):
        j = k * n_parts + m
        weight = np.exp((low - sims[r, j]) * inverse)
        slopes[r, j] = weight
        total += weight
        pooled += weight * sims[r, j]
    pooled /= total
    slope = factor * 3.0 * pooled * pooled / total
    for k in range(first, last):
        j = k * n_parts + m
        share = slopes[r, j] * (1.0 - (sims[r, j] - pooled) * inverse)
        add_row(knobs, room, r, j, slope * share)


@compiled()
def _adjust_session(knobs, room, x, start, queries, n_clicked, n_parts, n_sessions):
    """Adjust one session's rows, from `start` to `x`."""
    n_rows, n_vectors, rows = queries.shape[0], x.shape[0], room.rows[: queries.shape[0]]
    n_objects = n_vectors // n_parts
    factor = 1.0 / (n_sessions * n_rows * n_parts)
    for r in range(n_rows):
        rows[r] = r
    # Its terms are not those of an object: they are pooled here.
    no_terms = room.clicked[:0]
    problem = Problem(x, start, start, queries, rows, room.term_rows[:1], no_terms, no_terms)
    if knobs.num_iterations == 0 or not takes_one_row(knobs, problem):
        copy_rows(x, start)
    find_sums(knobs, problem, room)
    power1, power2 = 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        for j in range(n_vectors):
            room.inverse_norms[j] = clamped_inverse(room.squared_norms[j])
            room.own[j] = 0.0
            for r in range(n_rows):
                raw = room.raws[r, j]
                room.sims[r, j] = similarity_of(knobs.metric, raw, room.inverse_norms[j])
        for r in range(n_rows):
            for m in range(n_parts):
                pool_objects(knobs, room, r, m, 0, n_clicked, n_parts, -factor)
                pool_objects(knobs, room, r, m, n_clicked, n_objects, n_parts, factor)
        power1 *= BETA1
        power2 *= BETA2
        pace = adamw_pace(knobs, t, power1, power2)
        for j in range(n_vectors):
            step_part(knobs, problem, room, j, pace)
