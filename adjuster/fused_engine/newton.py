"""`optimizer: newton`: the most probable vectors, given the clicks and a prior at the original.

The logistic loss is the negative logarithm of what a logistic model says of the clicks, and the
anchor that of a Gaussian prior. Their sum is brought to its minimum by Gauss-Newton steps: where
the similarity is linear in x these are Newton's own, elsewhere they leave out how it bends, so
that every step goes down. A step's linear system is solved by conjugate gradients, which never
leave the span of the original, x and the queries: no matrix is ever laid out, and there are no
more of them than terms (Nocedal and Wright, *Numerical Optimization*, 2006, chapters 5 and 10).

Under cosine a part keeps its original's length. A shorter one would cost the prior next to nothing
and could point anywhere.

What is called from several places here is a function of its own in the machine code too: inlined
it would take minutes to compile.
"""

import numpy as np

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import (
    RowPair,
    Term,
    add_pooled,
    copy_rows,
    dot_span,
    find_pooled,
    find_sums,
    invert_norms,
    loss_slope,
    squared_norm,
    sum_span,
)
from adjuster.fused_engine.knobs import COSINE
from adjuster.fused_engine.lanes import lane_count, load, multiply_add, spread, store

HALVINGS = 30
"""Most times that a step which does not go down is halved."""

SUFFICIENT = 1e-4
"""Share of the slope's promise that a step must keep (Armijo's rule)."""

NOISE = 16
"""Roundings by which a loss may seem to have grown."""


@compiled()
def add_multiple(target, m, weight, source, i):
    """Add `weight` times row i of a matrix to row m of another."""
    n, dimensions = lane_count(target), target.shape[1]
    factor, whole = spread(target, target.dtype.type(weight)), dimensions - dimensions % n
    for d in range(0, whole, n):
        added = multiply_add(factor, load(source, i, d, n), load(target, m, d, n))
        store(target, m, d, n, added)
    if whole < dimensions:
        n = dimensions - whole
        added = multiply_add(factor, load(source, i, whole, n), load(target, m, whole, n))
        store(target, m, whole, n, added)


@compiled()
def product_of(left, right):
    """Inner product of two objects' parts, as float64."""
    product = 0.0
    for m in range(left.shape[0]):
        product += np.float64(dot_span(left, m, right, m, 0, left.shape[1]))
    return product


@compiled(inline=True)
def term_of(problem, j):
    """Term j of a problem."""
    rows = problem.term_rows
    return Term(rows[j], rows[j + 1], problem.clicked[j], problem.unclicked[j])


@compiled(inline=True)
def soft_plus(z):
    """log(1 + exp(z)) without overflow."""
    return max(z, 0.0) + np.log(1.0 + np.exp(-abs(z)))


@compiled(inline=True)
def logistic_loss(knobs, pooled, term):
    """Loss of one term."""
    z = knobs.logit_scale * (pooled - knobs.logit_bias)
    pushed = knobs.non_clicked_weight * term.unclicked
    return (term.clicked * soft_plus(-z) + pushed * soft_plus(z)) / knobs.logit_scale


@compiled(inline=True)
def loss_bend(knobs, pooled, term):
    """Second derivative of a term's logistic loss by its pooled similarity."""
    chance = 1.0 / (1.0 + np.exp(-knobs.logit_scale * (pooled - knobs.logit_bias)))
    weight = term.clicked + knobs.non_clicked_weight * term.unclicked
    return knobs.logit_scale * weight * chance * (1.0 - chance)


@compiled(inline=True)
def find_priors(knobs, problem, workspace):
    """Fill ``workspace.priors``; under cosine, where length means nothing, per |original|²."""
    for m in range(problem.x.shape[0]):
        workspace.priors[m] = knobs.anchor_weight
        square = squared_norm(problem.original, m)
        if knobs.metric == COSINE and square > 0.0:
            workspace.priors[m] = knobs.anchor_weight / square


@compiled(inline=True)
def keep_length(knobs, problem):
    """Under cosine, bring every part of x to its original's length."""
    x = problem.x
    if knobs.metric == COSINE:
        for m in range(x.shape[0]):
            now, wanted = product_of(x[m : m + 1], x[m : m + 1]), squared_norm(problem.original, m)
            if now > 0.0 and wanted > 0.0:
                factor = x.dtype.type(np.sqrt(wanted / now))
                for d in range(x.shape[1]):
                    x[m, d] *= factor


@compiled(inline=True)
def find_pull(knobs, problem, workspace):
    """Overwrite the residual by the prior's pull; under cosine without its share along x."""
    x, residual = problem.x, workspace.newton[0, : problem.x.shape[0]]
    for m in range(x.shape[0]):
        part, original = x[m : m + 1], problem.original[m : m + 1]
        share, square = 1.0, squared_norm(x, m)
        if knobs.metric == COSINE and square > 0.0:
            share = product_of(part, original) / square
        pull, along = x.dtype.type(workspace.priors[m]), x.dtype.type(share)
        for d in range(x.shape[1]):
            residual[m, d] = pull * (original[0, d] - along * part[0, d])


@compiled()
def loss_at(knobs, problem, workspace, scale):
    """Loss of ``problem.x``, terms and prior; leaves the sums that its gradient is made of."""
    x, loss = problem.x, 0.0
    find_sums(knobs, problem, workspace, x)
    invert_norms(workspace, x.shape[0])
    for j in range(problem.clicked.shape[0]):
        term = term_of(problem, j)
        pooled = find_pooled(knobs, workspace, x.shape[0], term)
        loss += scale * logistic_loss(knobs, pooled[0], term)
    for m in range(x.shape[0]):
        rows = RowPair(x, m, problem.original, m)
        loss += 0.5 * workspace.priors[m] * np.float64(sum_span(True, rows, 0, x.shape[1]))
    return loss


@compiled()
def add_term(problem, workspace, target, j, weight):
    """Add `weight` times a term's gradient to `target`; its share of x goes to ``own``."""
    for m in range(target.shape[0]):
        for r in range(problem.term_rows[j], problem.term_rows[j + 1]):
            slope = weight * workspace.slopes[r, m]
            add_multiple(target, m, slope, problem.queries, problem.rows[r])
        workspace.own[m] += weight * workspace.term_own[j, m]


@compiled(inline=True)
def find_terms(knobs, problem, workspace, scale):
    """Fill ``slopes``, ``term_own`` and ``bends``, and the residual: downhill at x."""
    x, residual = problem.x, workspace.newton[0, : problem.x.shape[0]]
    find_pull(knobs, problem, workspace)
    sums = workspace.start_share
    for m in range(x.shape[0]):
        sums[m] = 0.0
    for j in range(problem.clicked.shape[0]):
        term = term_of(problem, j)
        for m in range(x.shape[0]):
            workspace.own[m] = 0.0
        pooled = find_pooled(knobs, workspace, x.shape[0], term)
        add_pooled(knobs, workspace, x.shape[0], term, pooled, 1.0)
        for m in range(x.shape[0]):
            workspace.term_own[j, m] = workspace.own[m]
            workspace.own[m] = sums[m]
        workspace.bends[j] = scale * loss_bend(knobs, pooled[0], term)
        downhill = -scale * loss_slope(knobs, pooled[0], term)
        add_term(problem, workspace, residual, j, downhill)
        for m in range(x.shape[0]):
            sums[m] = workspace.own[m]
    for m in range(x.shape[0]):
        add_multiple(residual, m, sums[m], x, m)


@compiled(inline=True)
def multiply_by_bend(problem, workspace, direction, product):
    """Overwrite `product` by (Σ bend · ∇S ∇Sᵀ + prior) · direction."""
    x, shared, f = problem.x, workspace.start_share, problem.x.dtype.type
    for m in range(x.shape[0]):
        shared[m] = np.float64(dot_span(x, m, direction, m, 0, x.shape[1]))
        workspace.own[m] = 0.0
        prior = f(workspace.priors[m])
        for d in range(x.shape[1]):
            product[m, d] = prior * direction[m, d]
    for j in range(problem.clicked.shape[0]):
        along = 0.0
        for m in range(x.shape[0]):
            along += workspace.term_own[j, m] * shared[m]
            for r in range(problem.term_rows[j], problem.term_rows[j + 1]):
                row = problem.rows[r]
                raw = np.float64(dot_span(problem.queries, row, direction, m, 0, x.shape[1]))
                along += workspace.slopes[r, m] * raw
        add_term(problem, workspace, product, j, workspace.bends[j] * along)
    for m in range(x.shape[0]):
        add_multiple(product, m, workspace.own[m], x, m)


@compiled(inline=True)
def solve_step(problem, workspace):
    """Solve for the step by conjugate gradients, from the residual that `find_terms` left.

    Returns:
        How fast the loss falls along the step: minus its slope.
    """
    n_parts, dimensions = problem.x.shape
    residual, direction = workspace.newton[0, :n_parts], workspace.newton[1, :n_parts]
    step, product = workspace.newton[2, :n_parts], workspace.newton[3, :n_parts]
    for m in range(n_parts):
        for d in range(dimensions):
            direction[m, d] = residual[m, d]
            step[m, d] = 0.0
    square, fall = product_of(residual, residual), 0.0
    enough = square * (8.0 * np.finfo(step.dtype).eps) ** 2
    # As many as there are eigenvalues would do without rounding.
    for _ in range(2 * (problem.clicked.shape[0] + n_parts)):
        if not square > enough:
            break
        multiply_by_bend(problem, workspace, direction, product)
        length = square / product_of(direction, product)
        fall += length * square
        for m in range(n_parts):
            add_multiple(step, m, length, direction, m)
            add_multiple(residual, m, -length, product, m)
        before, square = square, product_of(residual, residual)
        turn = direction.dtype.type(square / before)
        for m in range(n_parts):
            for d in range(dimensions):
                direction[m, d] = residual[m, d] + turn * direction[m, d]
    return fall


@compiled(inline=True)
def take_newton_step(knobs, problem, workspace, scale, loss, fall):
    """Go along the step, half as far each time that the loss does not fall enough.

    Returns:
        The loss where x is now; where no length is short enough x stays, and it is infinite.
    """
    x, n_parts = problem.x, problem.x.shape[0]
    step, base = workspace.newton[2, :n_parts], workspace.newton[3, :n_parts]
    copy_rows(base, x)
    length, noise = 1.0, NOISE * np.finfo(x.dtype).eps * loss
    for _ in range(HALVINGS):
        for m in range(n_parts):
            add_multiple(x, m, length, step, m)
        keep_length(knobs, problem)
        now = loss_at(knobs, problem, workspace, scale)
        if now <= loss - SUFFICIENT * length * fall + noise:
            return now
        copy_rows(x, base)
        length *= 0.5
    return np.inf


@compiled(inline=True)
def maximize_posterior(knobs, problem, workspace, scale):
    """Bring ``problem.x``, which holds the start, to the most probable vectors.

    It ends early once a step is shorter than the root of a rounding, relative to x.
    """
    n_parts, eps = problem.x.shape[0], np.finfo(problem.x.dtype).eps
    find_priors(knobs, problem, workspace)
    keep_length(knobs, problem)
    loss = loss_at(knobs, problem, workspace, scale)
    for _ in range(knobs.num_iterations):
        find_terms(knobs, problem, workspace, scale)
        fall = solve_step(problem, workspace)
        if not fall > 0.0:
            return
        step = workspace.newton[2, :n_parts]
        done = product_of(step, step) <= eps * product_of(problem.x, problem.x)
        loss = take_newton_step(knobs, problem, workspace, scale, loss, fall)
        if done or loss == np.inf:
            return
