"""The compiled optimizer steps of one (owner, object) problem, a part at a time."""

import numpy as np

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import raw_span
from adjuster.fused_engine.knobs import ADAMW, BETA1, BETA2, EPSILON, EUCLID, WEIGHT_DECAY
from adjuster.fused_engine.lanes import (
    lane_count,
    load,
    magnitude,
    multiply_add,
    root,
    spread,
    store,
    total,
)
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
    factor = np.sqrt((1.0 - BETA2) / (1.0 - power2)) * inverse_step
    return 1.0 - knobs.rate * WEIGHT_DECAY, factor, EPSILON * inverse_step, t == 1


@compiled(inline=True)
def adamw_lanes(moments, m, d, count, position, gradient, pace, fresh):
    """One AdamW step of `count` coordinates of part m from d on; returns where they go."""
    f, first, second = moments.dtype.type, moments[0], moments[1]
    one, two, size = gradient, gradient * gradient, magnitude(gradient)
    if not fresh:
        one = multiply_add(spread(first, f(BETA1)), load(first, m, d, count), one)
        two = multiply_add(spread(second, f(BETA2)), load(second, m, d, count), two)
        size = root(two)
    store(first, m, d, count, one)
    store(second, m, d, count, two)
    # The divisor is negative, so that the step is added.
    divisor = multiply_add(size, spread(first, f(-pace[1])), spread(first, f(-pace[2])))
    return multiply_add(position, spread(first, f(pace[0])), one / divisor)


@compiled(inline=True)
def row_lanes(x, start, m, moments, queries, row, a, b, pace, d, count, sums, fresh):
    """`adamw_one_row` for `count` coordinates from d on, added to its two sums."""
    query, position = load(queries, row, d, count), load(start, m, d, count)
    gradient = multiply_add(spread(x, a), query, spread(x, b) * position)
    moved = adamw_lanes(moments, m, d, count, position, gradient, pace, fresh)
    store(x, m, d, count, moved)
    return multiply_add(query, moved, sums[0]), multiply_add(moved, moved, sums[1])


@compiled(inline=True)
def adamw_one_row(x, start, m, moments, queries, row, a, b, pace, fresh):
    """One AdamW step of part m with a single query row; returns the next q·x and |x|².

    Gradient, moments, update and the next iteration's two sums are one pass over D, from `start`
    to `x`, which may be the same memory.
    """
    f, n, dimensions = x.dtype.type, lane_count(x), x.shape[1]
    whole = dimensions - dimensions % n
    a, b, nothing = f(a), f(b), spread(x, f(0))
    sums = (nothing, nothing)
    for d in range(0, whole, n):
        sums = row_lanes(x, start, m, moments, queries, row, a, b, pace, d, n, sums, fresh)
    if whole < dimensions:
        rest = dimensions - whole
        sums = row_lanes(x, start, m, moments, queries, row, a, b, pace, whole, rest, sums, fresh)
    return total(sums[0]), total(sums[1])


@compiled(inline=True)
def block_lanes(x, m, moments, gradient, lo, d, count, optimizer, pace, rate, squares):
    """`step_block` for `count` coordinates from d on, added to the sum of their squares."""
    position, slope = load(x, m, d, count), load(gradient, 0, d - lo, count)
    if optimizer == ADAMW:
        moved = adamw_lanes(moments, m, d, count, position, slope, pace, pace[3])
    else:
        moved = multiply_add(slope, spread(x, x.dtype.type(-rate)), position)
    store(x, m, d, count, moved)
    return multiply_add(moved, moved, squares)


@compiled(inline=True)
def step_block(x, m, moments, gradient, lo, hi, optimizer, pace, rate):
    """One optimizer step of coordinates ``lo:hi`` of part m; returns their share of |x|²."""
    n = lane_count(x)
    whole = hi - (hi - lo) % n
    squares = spread(x, x.dtype.type(0))
    for d in range(lo, whole, n):
        squares = block_lanes(x, m, moments, gradient, lo, d, n, optimizer, pace, rate, squares)
    if whole < hi:
        squares = block_lanes(
            x, m, moments, gradient, lo, whole, hi - whole, optimizer, pace, rate, squares
        )
    return total(squares)


@compiled(inline=True)
def add_scaled(gradient, slopes, queries, row, lo, d, count):
    """Add `count` coordinates of ``slopes · q`` from d on to a gradient that begins at lo."""
    there = load(gradient, 0, d - lo, count)
    added = multiply_add(slopes, load(queries, row, d, count), there)
    store(gradient, 0, d - lo, count, added)


@compiled(inline=True)
def gradient_block(knobs, problem, room, m, lo, hi):
    """Fill ``room.gradient`` with coordinates ``lo:hi`` of part m's gradient."""
    x, original, rows, queries = problem.x, problem.original, problem.rows, problem.queries
    f, gradient, n = x.dtype.type, room.gradient, lane_count(x)
    own, pull = f(room.own[m] + knobs.anchor_weight), f(knobs.anchor_weight)
    if knobs.anchor_weight != 0.0:
        for d in range(lo, hi):
            gradient[0, d - lo] = own * x[m, d] - pull * original[m, d]
    else:
        for d in range(lo, hi):
            gradient[0, d - lo] = own * x[m, d]
    whole = hi - (hi - lo) % n
    for r in range(rows.shape[0]):
        slopes, row = spread(queries, f(room.slopes[r, m])), rows[r]
        for d in range(lo, whole, n):
            add_scaled(gradient, slopes, queries, row, lo, d, n)
        if whole < hi:
            add_scaled(gradient, slopes, queries, row, lo, whole, hi - whole)


@compiled(inline=True)
def takes_one_row(knobs, problem):
    """Whether `adamw_one_row` is all that a step needs."""
    plain = problem.rows.shape[0] == 1 and knobs.anchor_weight == 0.0
    return plain and knobs.optimizer == ADAMW and knobs.metric != EUCLID


@compiled(inline=True)
def step_one_row(problem, room, m, pace):
    """`step_part` for a single query row: the first step goes from `start` to `x`."""
    x, start, queries, row = problem.x, problem.start, problem.queries, problem.rows[0]
    a, b, moments = room.slopes[0, m], room.own[m], room.moments
    if pace[3]:
        sums = adamw_one_row(x, start, m, moments, queries, row, a, b, pace, True)
    else:
        sums = adamw_one_row(x, x, m, moments, queries, row, a, b, pace, False)
    room.raws[0, m], room.squared_norms[m] = sums


@compiled(inline=True)
def step_part(knobs, problem, room, m, pace):
    """One optimizer step of part m, with the sums that the next gradient is made of."""
    x, queries, rows, raws = problem.x, problem.queries, problem.rows, room.raws
    if takes_one_row(knobs, problem):
        step_one_row(problem, room, m, pace)
        return
    squared_norm, optimizer, rate = 0.0, knobs.optimizer, room.rates[m]
    for r in range(rows.shape[0]):
        raws[r, m] = 0.0
    for lo in range(0, x.shape[1], BLOCK):
        hi = min(lo + BLOCK, x.shape[1])
        gradient_block(knobs, problem, room, m, lo, hi)
        squared_norm += step_block(x, m, room.moments, room.gradient, lo, hi, optimizer, pace, rate)
        for r in range(rows.shape[0]):
            raws[r, m] += raw_span(knobs.metric, queries, rows[r], x, m, lo, hi)
    room.squared_norms[m] = squared_norm
