"""Adjusting one object: all iterations of one call, with its state in the core's cache."""

import numpy as np

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import copy_rows, dot_span, find_gradient, find_sums
from adjuster.fused_engine.knobs import BETA1, BETA2, COSINE, EUCLID, ROCCHIO, SGD
from adjuster.fused_engine.problem import SPAN_ROWS
from adjuster.fused_engine.steps import adamw_pace, step_part, takes_one_row


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
def rocchio_step(knobs, problem):
    """Rocchio's rule on every part, as `rocchio.py` states it."""
    x, queries, term_rows = problem.x, problem.queries, problem.term_rows
    clicked, unclicked = problem.clicked, problem.unclicked
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
                row = problem.rows[r]
                for d in range(x.shape[1]):
                    x[m, d] += f(weight) * queries[row, d]


@compiled(inline=True)
def descend_in_full(knobs, problem, room, scale):
    """Every iteration on the vectors themselves."""
    find_sums(knobs, problem, room)
    power1, power2 = 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        power1 *= BETA1
        power2 *= BETA2
        pace = adamw_pace(knobs, t, power1, power2)
        find_gradient(knobs, problem, room, scale)
        for m in range(problem.x.shape[0]):
            step_part(knobs, problem, room, m, pace)


@compiled(inline=True)
def descend_in_span(knobs, problem, room, scale):
    """Every iteration on coordinates: x = start_share · start + Σ_r coordinates[r] · q_r.

    Products of the rows are taken once; an iteration then costs R² numbers instead of R · D. An
    anchor is to where x starts.
    """
    x, queries, rows = problem.x, problem.queries, problem.rows
    n_parts, n_rows, dimensions = x.shape[0], rows.shape[0], x.shape[1]
    raws, slopes, own, gram, cross = room.raws, room.slopes, room.own, room.gram, room.cross
    squared_norms, shares, coordinates = room.squared_norms, room.start_share, room.coordinates
    for r in range(n_rows):
        for other in range(r + 1):
            gram[r, other] = dot_span(queries, rows[r], queries, rows[other], 0, dimensions)
            gram[other, r] = gram[r, other]
        for m in range(n_parts):
            cross[r, m] = dot_span(queries, rows[r], x, m, 0, dimensions)
            raws[r, m] = cross[r, m]
            coordinates[m, r] = 0.0
    for m in range(n_parts):
        shares[m] = 1.0
        squared_norms[m] = dot_span(x, m, x, m, 0, dimensions)
        room.start_norms[m] = squared_norms[m]
    for _ in range(knobs.num_iterations):
        find_gradient(knobs, problem, room, scale)
        for m in range(n_parts):
            rate = room.rates[m]
            keep = 1.0 - rate * (own[m] + knobs.anchor_weight)
            along = shares[m] * keep + rate * knobs.anchor_weight
            shares[m] = along
            for r in range(n_rows):
                coordinates[m, r] = coordinates[m, r] * keep - rate * slopes[r, m]
            squared_norm = along * along * room.start_norms[m]
            for r in range(n_rows):
                raw = along * cross[r, m] + dot_span(coordinates, m, gram, r, 0, n_rows)
                raws[r, m] = raw
                squared_norm += coordinates[m, r] * (raw + along * cross[r, m])
            squared_norms[m] = squared_norm
    for m in range(n_parts):
        combine(x, m, queries, rows, shares[m], coordinates)


@compiled(inline=True)
def combine(x, m, queries, rows, share, coordinates):
    """Overwrite part m by its coordinates: share · x + Σ_r coordinates[r] · q_r."""
    f = x.dtype.type
    along = f(share)
    for d in range(x.shape[1]):
        x[m, d] *= along
    for r in range(rows.shape[0]):
        row, weight = rows[r], f(coordinates[m, r])
        for d in range(x.shape[1]):
            x[m, d] += weight * queries[row, d]


@compiled(inline=True)
def total_weight(knobs, problem):
    """Weight of all terms; 0 where there is nothing to learn."""
    weight = 0.0
    for j in range(problem.clicked.shape[0]):
        weight += problem.clicked[j] + knobs.non_clicked_weight * problem.unclicked[j]
    return weight if knobs.num_iterations > 0 else 0.0


@compiled(inline=True)
def limit_rates(knobs, problem, room, weight):
    """Fill ``room.rates``: the rate of each part, but no step that could overshoot.

    Under cosine the loss bends by at most curvature · weight / |x|², however much feedback there
    is; the inverse of that is the longest step.
    """
    for m in range(problem.start.shape[0]):
        room.rates[m] = knobs.rate
        if knobs.metric == COSINE:
            start = problem.start
            squared_norm = np.float64(dot_span(start, m, start, m, 0, start.shape[1]))
            bend = knobs.curvature * weight + knobs.anchor_weight * squared_norm
            room.rates[m] = min(knobs.rate, squared_norm / bend)


@compiled(inline=True)
def descend(knobs, problem, room):
    """Adjust one object, from ``problem.start`` to ``problem.x``.

    Args:
        knobs: `Knobs`.
        problem: `Problem`.
        room: `Room` for at least its rows and parts.

    Returns:
        Whether the object was touched: it has weight, and there is at least one iteration.
    """
    weight = total_weight(knobs, problem)
    if weight <= 0.0 or not takes_one_row(knobs, problem):
        copy_rows(problem.x, problem.start)
    if weight <= 0.0:
        return False
    if knobs.optimizer == ROCCHIO:
        rocchio_step(knobs, problem)
        return True
    scale = 1.0 / weight if knobs.mean_reduction else 1.0
    if knobs.optimizer == SGD:
        limit_rates(knobs, problem, room, scale * weight)
    # Gradient steps never leave the span of x and the queries; few rows are cheaper there.
    anchored = knobs.anchor_weight > 0.0 and not knobs.refit
    few = problem.rows.shape[0] <= min(SPAN_ROWS, 4 * knobs.num_iterations)
    if knobs.optimizer == SGD and knobs.metric != EUCLID and few and not anchored:
        descend_in_span(knobs, problem, room, scale)
    else:
        descend_in_full(knobs, problem, room, scale)
    if knobs.min_cosine > -1.0:
        for m in range(problem.x.shape[0]):
            bound_drift(problem.x, m, problem.original, knobs.min_cosine)
    return True
