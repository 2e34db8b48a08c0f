"""The compiled optimizer steps of one (owner, object) problem, a part at a time."""

import numpy as np

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import raw_span
from adjuster.fused_engine.knobs import ADAMW, BETA1, BETA2, EPSILON, EUCLID, WEIGHT_DECAY
from adjuster.fused_engine.problem import BLOCK


@compiled(inline=True)
def adamw_pace(knobs, t, power1, power2):
    """What iteration t = 1, 2, … of AdamW needs besides the gradient.

    The moments are kept without their factors 1 - β, and the step size is moved into the divisor:
    one multiplication less for each of them in the loops over D.

    Args:
        knobs: `Knobs`.
        t: The iteration.
        power1: β₁ to the power t.
        power2: β₂ to the power t.

    Returns:
        Decay of x, factor of the second moment's root and what is added to it, and whether the
        state is fresh, so that it must not be read: it may hold another object's.
    """
    # A rate this small moves nothing; its inverse would not fit float32.
    inverse_step = min((1.0 - power1) / (knobs.rate * (1.0 - BETA1)), 1e25)
    root = np.sqrt((1.0 - BETA2) / (1.0 - power2)) * inverse_step
    return 1.0 - knobs.rate * WEIGHT_DECAY, root, EPSILON * inverse_step, t == 1


@compiled(inline=True)
def adamw_one_row(x, start, m, moments, queries, row, a, b, pace):
    """One AdamW step of part m with a single query row; returns the next q·x and |x|².

    Gradient, moments, update and the next iteration's two sums are one pass over D. The first
    step goes from `start` to `x`.
    """
    f = x.dtype.type
    a, b, decay, root, epsilon = f(a), f(b), f(pace[0]), f(pace[1]), f(pace[2])
    keep1, keep2 = f(BETA1), f(BETA2)
    raw, squared_norm = f(0), f(0)
    if pace[3]:
        for d in range(x.shape[1]):
            query = queries[row, d]
            gradient = a * query + b * start[m, d]
            moved = start[m, d] * decay - gradient / (abs(gradient) * root + epsilon)
            moments[0, m, d] = gradient
            moments[1, m, d] = gradient * gradient
            x[m, d] = moved
            raw += query * moved
            squared_norm += moved * moved
        return raw, squared_norm
    for d in range(x.shape[1]):
        query = queries[row, d]
        gradient = a * query + b * x[m, d]
        one = keep1 * moments[0, m, d] + gradient
        two = keep2 * moments[1, m, d] + gradient * gradient
        moved = x[m, d] * decay - one / (np.sqrt(two) * root + epsilon)
        moments[0, m, d] = one
        moments[1, m, d] = two
        x[m, d] = moved
        raw += query * moved
        squared_norm += moved * moved
    return raw, squared_norm


@compiled(inline=True)
def adamw_block(x, m, moments, gradient, lo, hi, pace):
    """One AdamW step of coordinates ``lo:hi`` of part m; returns their share of the next |x|²."""
    f = x.dtype.type
    decay, root, epsilon = f(pace[0]), f(pace[1]), f(pace[2])
    keep1, keep2 = f(BETA1), f(BETA2)
    squared_norm = f(0)
    if pace[3]:
        for d in range(lo, hi):
            slope = gradient[d - lo]
            moved = x[m, d] * decay - slope / (abs(slope) * root + epsilon)
            moments[0, m, d] = slope
            moments[1, m, d] = slope * slope
            x[m, d] = moved
            squared_norm += moved * moved
        return squared_norm
    for d in range(lo, hi):
        slope = gradient[d - lo]
        one = keep1 * moments[0, m, d] + slope
        two = keep2 * moments[1, m, d] + slope * slope
        moved = x[m, d] * decay - one / (np.sqrt(two) * root + epsilon)
        moments[0, m, d] = one
        moments[1, m, d] = two
        x[m, d] = moved
        squared_norm += moved * moved
    return squared_norm


@compiled(inline=True)
def sgd_block(x, m, gradient, lo, hi, rate):
    """One gradient step of ``lo:hi`` of part m; returns its share of the next |x|²."""
    f = x.dtype.type
    rate = f(rate)
    squared_norm = f(0)
    for d in range(lo, hi):
        moved = x[m, d] - rate * gradient[d - lo]
        x[m, d] = moved
        squared_norm += moved * moved
    return squared_norm


@compiled(inline=True)
def gradient_block(knobs, problem, room, m, lo, hi):
    """Fill ``room.gradient`` with coordinates ``lo:hi`` of part m's gradient."""
    x, original, rows = problem.x, problem.original, problem.rows
    f, gradient = x.dtype.type, room.gradient
    own, pull = f(room.own[m] + knobs.anchor_weight), f(knobs.anchor_weight)
    if knobs.anchor_weight != 0.0:
        for d in range(lo, hi):
            gradient[d - lo] = own * x[m, d] - pull * original[m, d]
    else:
        for d in range(lo, hi):
            gradient[d - lo] = own * x[m, d]
    for r in range(rows.shape[0]):
        slope, row = f(room.slopes[r, m]), rows[r]
        for d in range(lo, hi):
            gradient[d - lo] += slope * problem.queries[row, d]


@compiled(inline=True)
def takes_one_row(knobs, problem):
    """Whether `adamw_one_row` is all that a step needs."""
    plain = problem.rows.shape[0] == 1 and knobs.anchor_weight == 0.0
    return plain and knobs.optimizer == ADAMW and knobs.metric != EUCLID


@compiled(inline=True)
def step_part(knobs, problem, room, m, pace):
    """One optimizer step of part m, with the sums that the next gradient is made of."""
    x, queries, rows, raws = problem.x, problem.queries, problem.rows, room.raws
    if takes_one_row(knobs, problem):
        raws[0, m], room.squared_norms[m] = adamw_one_row(
            x,
            problem.start,
            m,
            room.moments,
            queries,
            rows[0],
            room.slopes[0, m],
            room.own[m],
            pace,
        )
        return
    total = 0.0
    for r in range(rows.shape[0]):
        raws[r, m] = 0.0
    for lo in range(0, x.shape[1], BLOCK):
        hi = min(lo + BLOCK, x.shape[1])
        gradient_block(knobs, problem, room, m, lo, hi)
        if knobs.optimizer == ADAMW:
            total += adamw_block(x, m, room.moments, room.gradient, lo, hi, pace)
        else:
            total += sgd_block(x, m, room.gradient, lo, hi, room.rates[m])
        for r in range(rows.shape[0]):
            raws[r, m] += raw_span(knobs.metric, queries, rows[r], x, m, lo, hi)
    room.squared_norms[m] = total
