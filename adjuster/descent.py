"""Adjusting one object: all iterations of one call, with its state in the core's cache."""

import numpy as np

from adjuster.jit import compiled
from adjuster.kernel import (
    dot_span,
    inverse_root,
    mean_gradient,
    nearest_gradient,
    raw_span,
    row_coefficients,
    similarity_of,
    step_part,
)
from adjuster.knobs import (
    BETA1,
    BETA2,
    COSINE,
    EUCLID,
    MIN,
    ROCCHIO,
    SGD,
    SPAN_ROWS,
    WEIGHT_DECAY,
)


@compiled(inline=True)
def bound_drift(x, m, original, min_cosine):
    """Move a part back along the great circle until cos(original, x) >= min_cosine.

    The norm is kept. An exactly opposite part has no great circle of its own: it goes back to
    the original's direction.
    """
    f = x.dtype.type
    size = np.sqrt(np.float64(dot_span(x, m, x, m, 0, x.shape[1])))
    scale = np.sqrt(np.float64(dot_span(original, m, original, m, 0, x.shape[1])))
    if size == 0.0 or scale == 0.0:
        return
    cosine = np.float64(dot_span(x, m, original, m, 0, x.shape[1])) / (size * scale)
    # Half a rounding error inside the bound, so that it also holds as others compute it.
    target = min(1.0, min_cosine + 4.0 * np.finfo(x.dtype).eps)
    if cosine >= target:
        return
    sideways = np.sqrt(max(0.0, 1.0 - cosine * cosine))
    along, across = size / scale, 0.0
    if sideways > 1e-6:
        across = np.sqrt(max(0.0, 1.0 - target * target)) / sideways
        along = (target - across * cosine) * size / scale
    for d in range(x.shape[1]):
        x[m, d] = f(along) * original[m, d] + f(across) * x[m, d]


@compiled(inline=True)
def rocchio_step(knobs, x, queries, rows, term_rows, clicked, unclicked):
    """Rocchio's rule on every part, as `rocchio.py` states it."""
    f = x.dtype.type
    liked, passed = 0.0, 0.0
    for j in range(clicked.shape[0]):
        liked += clicked[j]
        passed += unclicked[j]
    for m in range(x.shape[0]):
        size = 1.0
        if knobs.metric == COSINE:
            size = np.sqrt(np.float64(dot_span(x, m, x, m, 0, x.shape[1])))
        for d in range(x.shape[1]):
            x[m, d] *= f(knobs.anchor_weight)
        for j in range(clicked.shape[0]):
            weight = knobs.rate * clicked[j] / liked if liked > 0 else 0.0
            weight -= knobs.non_clicked_weight * unclicked[j] / passed if passed > 0 else 0.0
            weight *= size / (term_rows[j + 1] - term_rows[j])
            for r in range(term_rows[j], term_rows[j + 1]):
                row = rows[r]
                for d in range(x.shape[1]):
                    x[m, d] += f(weight) * queries[row, d]


@compiled(inline=True)
def term_gradients(knobs, term_rows, clicked, unclicked, scale, n_parts, room):
    """Fill `room.slopes` with the loss's derivative by each of `room.sims`."""
    for j in range(clicked.shape[0]):
        lo, hi, pull, push = term_rows[j], term_rows[j + 1], clicked[j], unclicked[j]
        if knobs.pooling == MIN:
            nearest_gradient(knobs, room.sims, room.slopes, n_parts, lo, hi, scale, pull, push)
        else:
            mean_gradient(knobs, room.sims, room.slopes, n_parts, lo, hi, scale, pull, push)


@compiled(inline=True)
def descend_in_full(knobs, x, original, queries, rows, term_rows, clicked, unclicked, scale, room):
    """Every iteration on the vectors themselves."""
    n_parts, n_rows, dimensions = x.shape[0], rows.shape[0], x.shape[1]
    raws, sims, slopes = room.raws, room.sims, room.slopes
    inverse_norms, own = room.inverse_norms, room.own
    for m in range(n_parts):
        inverse_norms[m] = inverse_root(np.float64(dot_span(x, m, x, m, 0, dimensions)))
        for r in range(n_rows):
            raws[r, m] = raw_span(knobs.metric, queries, rows[r], x, m, 0, dimensions)
    decay, power1, power2 = 1.0 - knobs.rate * WEIGHT_DECAY, 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        for r in range(n_rows):
            for m in range(n_parts):
                sims[r, m] = similarity_of(knobs.metric, raws[r, m], inverse_norms[m])
        term_gradients(knobs, term_rows, clicked, unclicked, scale, n_parts, room)
        row_coefficients(knobs.metric, slopes, sims, n_rows, n_parts, inverse_norms, own)
        power1 *= BETA1
        power2 *= BETA2
        pace = (decay, knobs.rate / (1.0 - power1), 1.0 / np.sqrt(1.0 - power2), t == 1)
        for m in range(n_parts):
            squared_norm = step_part(
                knobs, x, original, queries, rows, slopes, m, own[m], pace, raws, room
            )
            inverse_norms[m] = inverse_root(squared_norm)


@compiled(inline=True)
def descend_in_span(knobs, x, queries, rows, term_rows, clicked, unclicked, scale, room):
    """Every iteration on coordinates: x = places[0] · start + Σ_r places[r + 1] · q_r.

    Products of the rows are taken once; an iteration then costs R² numbers instead of R · D. An
    anchor is to where x starts.
    """
    n_parts, n_rows, dimensions = x.shape[0], rows.shape[0], x.shape[1]
    raws, sims, slopes, gram, cross = room.raws, room.sims, room.slopes, room.gram, room.cross
    inverse_norms, own, places = room.inverse_norms, room.own, room.places
    for r in range(n_rows):
        for other in range(r + 1):
            gram[r, other] = dot_span(queries, rows[r], queries, rows[other], 0, dimensions)
            gram[other, r] = gram[r, other]
        for m in range(n_parts):
            cross[r, m] = dot_span(queries, rows[r], x, m, 0, dimensions)
            raws[r, m] = cross[r, m]
            places[m, r + 1] = 0.0
    for m in range(n_parts):
        places[m, 0] = 1.0
        own[m] = dot_span(x, m, x, m, 0, dimensions)
        room.start_norms[m] = own[m]
        inverse_norms[m] = inverse_root(own[m])
    for _ in range(knobs.num_iterations):
        for r in range(n_rows):
            for m in range(n_parts):
                sims[r, m] = similarity_of(knobs.metric, raws[r, m], inverse_norms[m])
        term_gradients(knobs, term_rows, clicked, unclicked, scale, n_parts, room)
        row_coefficients(knobs.metric, slopes, sims, n_rows, n_parts, inverse_norms, own)
        for m in range(n_parts):
            keep = 1.0 - knobs.rate * (own[m] + knobs.anchor_weight)
            along = places[m, 0] * keep + knobs.rate * knobs.anchor_weight
            places[m, 0] = along
            for r in range(n_rows):
                places[m, r + 1] = places[m, r + 1] * keep - knobs.rate * slopes[r, m]
            squared_norm = along * along * room.start_norms[m]
            for r in range(n_rows):
                raw = along * cross[r, m]
                for other in range(n_rows):
                    raw += places[m, other + 1] * gram[r, other]
                raws[r, m] = raw
                squared_norm += places[m, r + 1] * (raw + along * cross[r, m])
            inverse_norms[m] = inverse_root(squared_norm)
    for m in range(n_parts):
        combine(x, m, queries, rows, places)


@compiled(inline=True)
def combine(x, m, queries, rows, places):
    """Overwrite part m by its coordinates: places[0] · x + Σ_r places[r + 1] · q_r."""
    f = x.dtype.type
    along = f(places[m, 0])
    for d in range(x.shape[1]):
        x[m, d] *= along
    for r in range(rows.shape[0]):
        row, weight = rows[r], f(places[m, r + 1])
        for d in range(x.shape[1]):
            x[m, d] += weight * queries[row, d]


@compiled(inline=True)
def descend(knobs, x, original, queries, rows, term_rows, clicked, unclicked, room):
    """Adjust one object in place.

    Args:
        knobs: `Knobs`.
        x: Shape ``(M, D)``: the object's parts; overwritten.
        original: Shape ``(M, D)``: the index's vectors.
        queries: Shape ``(n_query_parts, D)``; unit length under cosine.
        rows: Shape ``(R,)``: the query rows of all terms.
        term_rows: Shape ``(T + 1,)``: a term's rows in `rows`.
        clicked: Shape ``(T,)``.
        unclicked: Shape ``(T,)``.
        room: `Room` for at least R rows and M parts.

    Returns:
        Whether the object was touched: it has weight, and there is at least one iteration.
    """
    n_parts, n_rows = x.shape[0], rows.shape[0]
    weight = 0.0
    for j in range(clicked.shape[0]):
        weight += clicked[j] + knobs.non_clicked_weight * unclicked[j]
    if weight <= 0.0 or knobs.num_iterations == 0:
        return False
    if knobs.optimizer == ROCCHIO:
        rocchio_step(knobs, x, queries, rows, term_rows, clicked, unclicked)
        return True
    slope_scale = 1.0 / weight if knobs.mean_reduction else 1.0
    # Plain gradient steps never leave the span of x and the queries; few rows are cheaper there.
    anchored = knobs.anchor_weight > 0.0 and not knobs.refit
    few = n_rows <= min(SPAN_ROWS, 4 * knobs.num_iterations)
    if knobs.optimizer == SGD and knobs.metric != EUCLID and few and not anchored:
        descend_in_span(knobs, x, queries, rows, term_rows, clicked, unclicked, slope_scale, room)
    else:
        descend_in_full(
            knobs, x, original, queries, rows, term_rows, clicked, unclicked, slope_scale, room
        )
    if knobs.min_cosine > -1.0:
        for m in range(n_parts):
            bound_drift(x, m, original, knobs.min_cosine)
    return True
