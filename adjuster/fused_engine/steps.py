"""The compiled optimizer steps of one (owner, object) problem, a part at a time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from adjuster.fused_engine.problem import CACHE_ROW


class Pace(NamedTuple):
    """What an iteration of AdamW needs besides the gradient.

    Args:
        decay: Factor of x.
        root: Factor of the second moment's root.
        epsilon: What is added to it.
        fresh: Whether the moments must not be read: they may hold another object's.
    """

    decay: float
    root: float
    epsilon: float
    fresh: bool


class RowStep(NamedTuple):
    """A step of part m with one query row, ``gradient = slope · q + own · x``, from start to x."""

    x: NDArray[np.floating]
    start: NDArray[np.floating]
    m: int
    moments: NDArray[np.floating]
    queries: NDArray[np.floating]
    row: int
    slope: float
    own: float
    pace: Pace


class SpanStep(NamedTuple):
    """A step of part m's coordinates ``lo:hi``, whose gradient is at hand."""

    x: NDArray[np.floating]
    m: int
    moments: NDArray[np.floating]
    gradient: NDArray[np.floating]
    lo: int
    hi: int
    optimizer: int
    rate: float
    pace: Pace


@compiled(inline=True)
def adamw_pace(knobs, t, power1, power2):
    """The `Pace` of iteration t = 1, 2, …; power1 and power2 are β₁ and β₂ to the power t.

    The moments are kept without their factors 1 - β, and the step size is moved into the divisor:
    one multiplication less for each of them in the loops over D.
    """
    # A rate this small moves nothing; its inverse would not fit float32.
    inverse_step = min((1.0 - power1) / (knobs.rate * (1.0 - BETA1)), 1e25)
    factor = np.sqrt((1.0 - BETA2) / (1.0 - power2)) * inverse_step
    return Pace(1.0 - knobs.rate * WEIGHT_DECAY, factor, EPSILON * inverse_step, t == 1)


@compiled(inline=True)
def adamw_lanes(moments, m, d, count, position, gradient, pace):
    """One AdamW step of `count` coordinates of part m from d on; returns where they go."""
    f, first, second = moments.dtype.type, moments[0], moments[1]
    one, two, size = gradient, gradient * gradient, magnitude(gradient)
    if not pace.fresh:
        one = multiply_add(spread(first, f(BETA1)), load(first, m, d, count), one)
        two = multiply_add(spread(second, f(BETA2)), load(second, m, d, count), two)
        size = root(two)
    store(first, m, d, count, one)
    store(second, m, d, count, two)
    # The divisor is negative, so that the step is added.
    divisor = multiply_add(size, spread(first, f(-pace.root)), spread(first, f(-pace.epsilon)))
    return multiply_add(position, spread(first, f(pace.decay)), one / divisor)


@compiled(inline=True)
def row_lanes(step, d, count, sums):
    """`adamw_one_row` for `count` coordinates from d on, added to its two sums."""
    x, m, f = step.x, step.m, step.x.dtype.type
    query, position = load(step.queries, step.row, d, count), load(step.start, m, d, count)
    slope, own = spread(x, f(step.slope)), spread(x, f(step.own))
    gradient = multiply_add(slope, query, own * position)
    moved = adamw_lanes(step.moments, m, d, count, position, gradient, step.pace)
    store(x, m, d, count, moved)
    return multiply_add(query, moved, sums[0]), multiply_add(moved, moved, sums[1])


@compiled(inline=True)
def adamw_one_row(step):
    """One AdamW step of a part with a single query row; returns the next q·x and |x|².

    Gradient, moments, update and the next iteration's two sums are one pass over D.
    """
    n, dimensions = lane_count(step.x), step.x.shape[1]
    whole = dimensions - dimensions % n
    nothing = spread(step.x, step.x.dtype.type(0))
    sums = (nothing, nothing)
    for d in range(0, whole, n):
        sums = row_lanes(step, d, n, sums)
    if whole < dimensions:
        sums = row_lanes(step, whole, dimensions - whole, sums)
    return total(sums[0]), total(sums[1])


@compiled(inline=True)
def span_lanes(step, d, count, squares):
    """`step_span` for `count` coordinates from d on, added to the sum of their squares."""
    x, m = step.x, step.m
    position, slope = load(x, m, d, count), load(step.gradient, 0, d - step.lo, count)
    if step.optimizer == ADAMW:
        moved = adamw_lanes(step.moments, m, d, count, position, slope, step.pace)
    else:
        moved = multiply_add(slope, spread(x, x.dtype.type(-step.rate)), position)
    store(x, m, d, count, moved)
    return multiply_add(moved, moved, squares)


@compiled(inline=True)
def step_span(step):
    """One optimizer step of some coordinates of a part; returns their share of |x|²."""
    n = lane_count(step.x)
    whole = step.hi - (step.hi - step.lo) % n
    squares = spread(step.x, step.x.dtype.type(0))
    for d in range(step.lo, whole, n):
        squares = span_lanes(step, d, n, squares)
    if whole < step.hi:
        squares = span_lanes(step, whole, step.hi - whole, squares)
    return total(squares)


@compiled(inline=True)
def add_scaled(gradient, slopes, queries, row, lo, d, count):
    """Add `count` coordinates of ``slopes · q`` from d on to a gradient that begins at lo."""
    there = load(gradient, 0, d - lo, count)
    added = multiply_add(slopes, load(queries, row, d, count), there)
    store(gradient, 0, d - lo, count, added)


@compiled(inline=True)
def gradient_span(knobs, problem, workspace, m, lo, hi):
    """Fill ``workspace.gradient`` with coordinates ``lo:hi`` of part m's gradient."""
    x, original, rows, queries = problem.x, problem.original, problem.rows, problem.queries
    f, gradient, n = x.dtype.type, workspace.gradient, lane_count(x)
    own, pull = f(workspace.own[m] + knobs.anchor_weight), f(knobs.anchor_weight)
    if knobs.anchor_weight != 0.0:
        for d in range(lo, hi):
            gradient[0, d - lo] = own * x[m, d] - pull * original[m, d]
    else:
        for d in range(lo, hi):
            gradient[0, d - lo] = own * x[m, d]
    whole = hi - (hi - lo) % n
    for r in range(rows.shape[0]):
        slopes, row = spread(queries, f(workspace.slopes[r, m])), rows[r]
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
def step_one_row(problem, workspace, m, pace):
    """`step_part` for a single query row: the first step goes from `start` to `x`."""
    x, start, moments, queries = problem.x, problem.start, workspace.moments, problem.queries
    slope, own, row = workspace.slopes[0, m], workspace.own[m], problem.rows[0]
    if pace.fresh:
        sums = adamw_one_row(RowStep(x, start, m, moments, queries, row, slope, own, pace))
    else:
        sums = adamw_one_row(RowStep(x, x, m, moments, queries, row, slope, own, pace))
    workspace.raws[0, m], workspace.squared_norms[m] = sums


@compiled(inline=True)
def step_part(knobs, problem, workspace, m, pace):
    """One optimizer step of part m, with the sums that the next gradient is made of."""
    x, queries, rows, raws = problem.x, problem.queries, problem.rows, workspace.raws
    if takes_one_row(knobs, problem):
        step_one_row(problem, workspace, m, pace)
        return
    moments, gradient, rate = workspace.moments, workspace.gradient, workspace.rates[m]
    square = 0.0
    for r in range(rows.shape[0]):
        raws[r, m] = 0.0
    for lo in range(0, x.shape[1], CACHE_ROW):
        hi = min(lo + CACHE_ROW, x.shape[1])
        gradient_span(knobs, problem, workspace, m, lo, hi)
        square += step_span(SpanStep(x, m, moments, gradient, lo, hi, knobs.optimizer, rate, pace))
        for r in range(rows.shape[0]):
            raws[r, m] += raw_span(knobs.metric, queries, rows[r], x, m, lo, hi)
    workspace.squared_norms[m] = square
