"""Adjusting one object: all iterations of one call, with its state in the core's cache."""

import numpy as np

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import copy_rows, dot_span, find_gradient, find_sums, squared_norm
from adjuster.fused_engine.knobs import BETA1, BETA2, CARRY, COSINE, EUCLID, NEWTON, ROCCHIO, SGD
from adjuster.fused_engine.newton import maximize_posterior
from adjuster.fused_engine.problem import SPAN_ROWS
from adjuster.fused_engine.steps import adamw_pace, step_part, takes_one_row


@compiled(inline=True)
def bound_drift(x, m, original, min_cosine):
    """Move a part back along the great circle until cos(original, x) >= min_cosine.

    The norm is kept. An exactly opposite part has no great circle of its own: it goes back to
    the original's direction.
    """
    f = x.dtype.type
    size = np.sqrt(squared_norm(x, m))
    scale = np.sqrt(squared_norm(original, m))
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
            size = np.sqrt(squared_norm(x, m))
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
def descend_in_full(knobs, problem, workspace, scale):
    """Every iteration on the vectors themselves."""
    find_sums(knobs, problem, workspace, problem.start)
    power1, power2 = 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        power1 *= BETA1
        power2 *= BETA2
        pace = adamw_pace(knobs, t, power1, power2)
        find_gradient(knobs, problem, workspace, scale)
        for m in range(problem.x.shape[0]):
            step_part(knobs, problem, workspace, m, pace)


@compiled(inline=True)
def find_products(problem, workspace):
    """Fill what steps in the span are made of: all products of query rows and parts."""
    x, queries, rows, dimensions = problem.x, problem.queries, problem.rows, problem.x.shape[1]
    gram, cross = workspace.gram, workspace.cross
    for r in range(rows.shape[0]):
        for other in range(r + 1):
            gram[r, other] = dot_span(queries, rows[r], queries, rows[other], 0, dimensions)
            gram[other, r] = gram[r, other]
        for m in range(x.shape[0]):
            cross[r, m] = dot_span(queries, rows[r], x, m, 0, dimensions)
            workspace.raws[r, m] = cross[r, m]
            workspace.coordinates[m, r] = 0.0
    for m in range(x.shape[0]):
        workspace.start_share[m] = 1.0
        workspace.squared_norms[m] = squared_norm(x, m)
        workspace.start_norms[m] = workspace.squared_norms[m]


@compiled(inline=True)
def step_in_span(knobs, workspace, m, n_rows):
    """One gradient step of part m's coordinates, with the sums of the next gradient."""
    coordinates, cross, rate = workspace.coordinates, workspace.cross, workspace.rates[m]
    keep = 1.0 - rate * (workspace.own[m] + knobs.anchor_weight)
    along = workspace.start_share[m] * keep + rate * knobs.anchor_weight
    workspace.start_share[m] = along
    for r in range(n_rows):
        coordinates[m, r] = coordinates[m, r] * keep - rate * workspace.slopes[r, m]
    square = along * along * workspace.start_norms[m]
    for r in range(n_rows):
        shared = along * cross[r, m]
        raw = shared + dot_span(coordinates, m, workspace.gram, r, 0, n_rows)
        workspace.raws[r, m] = raw
        square += coordinates[m, r] * (raw + shared)
    workspace.squared_norms[m] = square


@compiled(inline=True)
def descend_in_span(knobs, problem, workspace, scale):
    """Every iteration on coordinates: x = start_share · start + Σ_r coordinates[r] · q_r.

    Products of the rows are taken once; an iteration then costs R² numbers instead of R · D. An
    anchor is to where x starts.
    """
    x, queries, rows = problem.x, problem.queries, problem.rows
    find_products(problem, workspace)
    for _ in range(knobs.num_iterations):
        find_gradient(knobs, problem, workspace, scale)
        for m in range(x.shape[0]):
            step_in_span(knobs, workspace, m, rows.shape[0])
    for m in range(x.shape[0]):
        combine(x, m, queries, rows, workspace.start_share[m], workspace.coordinates)


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
def limit_rates(knobs, problem, workspace, weight):
    """Fill ``workspace.rates``: the rate of each part, but no step that could overshoot.

    Under cosine the loss bends by at most curvature · weight / |x|², however much feedback there
    is; the inverse of that is the longest step.
    """
    for m in range(problem.start.shape[0]):
        workspace.rates[m] = knobs.rate
        if knobs.metric == COSINE:
            square = squared_norm(problem.start, m)
            bend = knobs.curvature * weight + knobs.anchor_weight * square
            workspace.rates[m] = min(knobs.rate, square / bend)


@compiled(inline=True)
def descend_by_newton(knobs, problem, workspace, memory, scale):
    """Newton's iterations; nothing at all, and nothing to compile, where there is no memory."""
    if memory is not None:
        maximize_posterior(knobs, problem, workspace, scale)


@compiled(inline=True)
def descend_by(knobs, problem, workspace, weight, scale):
    """Every iteration, by the optimizer and in the form that fit the problem."""
    if knobs.optimizer == NEWTON:
        descend_by_newton(knobs, problem, workspace, workspace.newton, scale)
        return
    if knobs.optimizer == SGD:
        limit_rates(knobs, problem, workspace, scale * weight)
    # Gradient steps never leave the span of x and the queries; few rows are cheaper there.
    anchored = knobs.anchor_weight > 0.0 and knobs.memory == CARRY
    few = problem.rows.shape[0] <= min(SPAN_ROWS, 4 * knobs.num_iterations)
    if knobs.optimizer == SGD and knobs.metric != EUCLID and few and not anchored:
        descend_in_span(knobs, problem, workspace, scale)
    else:
        descend_in_full(knobs, problem, workspace, scale)


@compiled(inline=True)
def descend(knobs, problem, workspace):
    """Adjust one object, from ``problem.start`` to ``problem.x``.

    Args:
        knobs: `Knobs`.
        problem: `Problem`.
        workspace: `Workspace` for at least its rows and parts.

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
    descend_by(knobs, problem, workspace, weight, scale)
    if knobs.min_cosine > -1.0:
        for m in range(problem.x.shape[0]):
            bound_drift(problem.x, m, problem.original, knobs.min_cosine)
    return True
