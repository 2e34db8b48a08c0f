"""The published semantics on the CPU kernel: what `PublishedAdjuster` computes, without autograd.

A group of equally shaped sessions is B independent problems: only the mean over the group joins
them, and it is a constant factor. Similarities are pooled over a session's objects, so a problem
is a whole session, (K·M) rows of D numbers, its clicked and unclicked objects apart.
"""

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.feedback import offsets_of
from adjuster.fused import query_rows, run_chunks
from adjuster.index import SearchIndexInfo
from adjuster.jit import compiled
from adjuster.kernel import dot_span, raw_span, row_coefficients, similarity_of, step_part
from adjuster.knobs import BETA1, BETA2, COSINE, MIN, WEIGHT_DECAY, make_knobs, make_room

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
    vectors = np.array(shown, order="C").reshape(n_sessions, n_objects * n_parts, dimensions)
    rows = query_rows(queries.reshape(-1, dimensions), index)
    starts = offsets_of([n_rows] * n_sessions)
    knobs = make_knobs(index, config)

    def run(lo: int, hi: int) -> None:
        room = make_room(n_objects * n_parts, n_rows, vectors[0])
        for session in range(lo, hi):
            mine = rows[starts[session] : starts[session + 1]]
            _adjust_session(knobs, room, vectors[session], mine, n_clicked, n_parts, n_sessions)

    run_chunks(run, np.ones(n_sessions), n_threads if n_sessions > 1 else 1)
    return vectors.reshape(shown.shape)


@compiled(inline=True)
def clamped_inverse(squared_norm):
    """1/max(|x|, SMALLEST_NORM)."""
    return 1.0 / max(np.sqrt(squared_norm), SMALLEST_NORM)


@compiled(inline=True)
def pool_objects(knobs, sims, slopes, r, m, first, last, n_parts, factor):
    """Pool part m of the objects ``first:last`` and write the loss's derivative by each.

    With w = softmax(-s / T) over the objects and P = Σ w·s, ∂P/∂s_k = w_k · (1 - (s_k - P) / T).
    """
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
        slopes[r, j] *= slope * (1.0 - (sims[r, j] - pooled) * inverse)


@compiled()
def _adjust_session(knobs, room, x, queries, n_clicked, n_parts, n_sessions):
    """Adjust one session's rows in place."""
    n_rows, n_vectors, dimensions = queries.shape[0], x.shape[0], x.shape[1]
    n_objects = n_vectors // n_parts
    rows, raws, sims, slopes = room.rows[:n_rows], room.raws, room.sims, room.slopes
    factor = 1.0 / (n_sessions * n_rows * n_parts)
    for r in range(n_rows):
        rows[r] = r
    for j in range(n_vectors):
        room.inverse_norms[j] = clamped_inverse(np.float64(dot_span(x, j, x, j, 0, dimensions)))
        for r in range(n_rows):
            raws[r, j] = raw_span(knobs.metric, queries, r, x, j, 0, dimensions)
    decay, power1, power2 = 1.0 - knobs.rate * WEIGHT_DECAY, 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        for r in range(n_rows):
            for j in range(n_vectors):
                inverse = room.inverse_norms[j] if knobs.metric == COSINE else 1.0
                sims[r, j] = similarity_of(knobs.metric, raws[r, j], inverse)
            for m in range(n_parts):
                pool_objects(knobs, sims, slopes, r, m, 0, n_clicked, n_parts, -factor)
                pool_objects(knobs, sims, slopes, r, m, n_clicked, n_objects, n_parts, factor)
        row_coefficients(
            knobs.metric, slopes, sims, n_rows, n_vectors, room.inverse_norms, room.own
        )
        power1 *= BETA1
        power2 *= BETA2
        pace = (decay, knobs.rate / (1.0 - power1), 1.0 / np.sqrt(1.0 - power2), t == 1)
        for j in range(n_vectors):
            squared_norm = step_part(
                knobs, x, x, queries, rows, slopes, j, room.own[j], pace, raws, room
            )
            room.inverse_norms[j] = clamped_inverse(squared_norm)
