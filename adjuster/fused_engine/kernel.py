"""The compiled arithmetic of one (owner, object) problem: similarity, loss and gradient.

Everything here works on one object's parts, ``x`` of shape ``(M, D)``, and the rows of the
queries that speak of it. Coefficients are float64 whatever the vectors are; only the loops over
D run in the vectors' own type, and their sums in the fixed order of `lanes`. The formulas are
those of `torch_engine`, with the gradient taken by hand; autograd is the test.
"""

import numpy as np

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.knobs import COSINE, CUBIC, DOT, EUCLID, LINEAR, MIN
from adjuster.fused_engine.lanes import lane_count, load, multiply_add, spread, total


@compiled(inline=True)
def add_products(of_gap, left, i, right, j, d, count, sums):
    """Add the products of `count` coordinates from d on to `sums`; of_gap takes (left - right)²."""
    one, other = load(left, i, d, count), load(right, j, d, count)
    if of_gap:
        one = one - other
        other = one
    return multiply_add(one, other, sums)


@compiled(inline=True)
def sum_span(of_gap, left, i, right, j, lo, hi):
    """Σ left · right, or Σ (left - right)², of rows i and j over coordinates ``lo:hi``.

    Four sums at a time, since one alone would wait for its last addition.
    """
    n, d = lane_count(left), lo
    one = spread(left, left.dtype.type(0))
    two, three, four = one, one, one
    while d + 4 * n <= hi:
        one = add_products(of_gap, left, i, right, j, d, n, one)
        two = add_products(of_gap, left, i, right, j, d + n, n, two)
        three = add_products(of_gap, left, i, right, j, d + 2 * n, n, three)
        four = add_products(of_gap, left, i, right, j, d + 3 * n, n, four)
        d += 4 * n
    while d + n <= hi:
        one = add_products(of_gap, left, i, right, j, d, n, one)
        d += n
    if d < hi:
        two = add_products(of_gap, left, i, right, j, d, hi - d, two)
    return total((one + two) + (three + four))


@compiled(inline=True)
def dot_span(left, i, right, j, lo, hi):
    """Inner product of rows i and j over coordinates ``lo:hi``."""
    return sum_span(False, left, i, right, j, lo, hi)


@compiled(inline=True)
def copy_rows(target, source):
    """Overwrite one matrix with another of its shape."""
    for m in range(source.shape[0]):
        for d in range(source.shape[1]):
            target[m, d] = source[m, d]


@compiled(inline=True)
def raw_span(metric, queries, row, x, m, lo, hi):
    """What a similarity is made of, over ``lo:hi``: q·x, or |q - x|² under Euclid."""
    if metric != EUCLID:
        return dot_span(queries, row, x, m, lo, hi)
    return sum_span(True, queries, row, x, m, lo, hi)


@compiled(inline=True)
def similarity_of(metric, raw, inverse_norm):
    """Similarity from `raw_span`; a query's rows are unit length under cosine."""
    if metric == COSINE:
        return raw * inverse_norm
    if metric == DOT:
        return raw
    return -np.sqrt(max(raw, 0.0))


@compiled(inline=True)
def inverse_root(squared_norm):
    """1/|x|; 0 for a zero vector, which is similar to nothing."""
    return 1.0 / np.sqrt(squared_norm) if squared_norm > 0 else 0.0


@compiled(inline=True)
def loss_slope(knobs, pooled, clicked, unclicked):
    """Derivative of a term's loss by its pooled similarity."""
    pushed = knobs.non_clicked_weight * unclicked
    if knobs.loss == CUBIC:
        return 3.0 * pooled * pooled * (pushed - clicked)
    if knobs.loss == LINEAR:
        return pushed - clicked
    chance = 1.0 / (1.0 + np.exp(-knobs.logit_scale * (pooled - knobs.logit_bias)))
    return pushed * chance - clicked * (1.0 - chance)


@compiled(inline=True)
def add_row(knobs, room, r, m, slope):
    """Turn a slope by similarity into the gradient's coefficients of query row r and of x_m."""
    if knobs.metric == COSINE:
        slope *= room.inverse_norms[m]
        room.own[m] -= slope * room.sims[r, m] * room.inverse_norms[m]
    elif knobs.metric == EUCLID:
        slope = slope / -room.sims[r, m] if room.sims[r, m] < 0 else 0.0
        room.own[m] -= slope
    room.slopes[r, m] = slope


@compiled(inline=True)
def mean_gradient(knobs, room, n_parts, lo, hi, scale, clicked, unclicked):
    """Coefficients of one term whose similarities are pooled by their mean."""
    sims, count = room.sims, (hi - lo) * n_parts
    pooled = 0.0
    for r in range(lo, hi):
        for m in range(n_parts):
            sims[r, m] = similarity_of(knobs.metric, room.raws[r, m], room.inverse_norms[m])
            pooled += sims[r, m]
    slope = scale * loss_slope(knobs, pooled / count, clicked, unclicked) / count
    for r in range(lo, hi):
        for m in range(n_parts):
            add_row(knobs, room, r, m, slope)


@compiled(inline=True)
def nearest_gradient(knobs, room, n_parts, lo, hi, scale, clicked, unclicked):
    """Coefficients of one term whose similarities are pooled toward the nearest.

    With w = softmax(s / T) and S = Σ w·s, ∂S/∂s_j = w_j · (1 + (s_j - S) / T).
    """
    sims, slopes = room.sims, room.slopes
    top = -np.inf
    for r in range(lo, hi):
        for m in range(n_parts):
            sims[r, m] = similarity_of(knobs.metric, room.raws[r, m], room.inverse_norms[m])
            top = max(top, sims[r, m])
    weights, weighted, inverse = 0.0, 0.0, 1.0 / knobs.temperature
    for r in range(lo, hi):
        for m in range(n_parts):
            gap = sims[r, m] - top
            weight = 1.0 if gap == 0.0 else np.exp(gap * inverse)
            slopes[r, m] = weight
            weights += weight
            weighted += weight * sims[r, m]
    share = 1.0 / weights
    pooled = weighted * share
    slope = scale * loss_slope(knobs, pooled, clicked, unclicked) * share
    for r in range(lo, hi):
        for m in range(n_parts):
            weight = slopes[r, m] * (1.0 + (sims[r, m] - pooled) * inverse)
            add_row(knobs, room, r, m, slope * weight)


@compiled(inline=True)
def find_sums(knobs, problem, room):
    """Fill ``room.squared_norms`` and ``room.raws``: what the first similarities are made of."""
    x, rows = problem.start, problem.rows
    for m in range(x.shape[0]):
        room.squared_norms[m] = dot_span(x, m, x, m, 0, x.shape[1])
        for r in range(rows.shape[0]):
            room.raws[r, m] = raw_span(knobs.metric, problem.queries, rows[r], x, m, 0, x.shape[1])


@compiled(inline=True)
def find_gradient(knobs, problem, room, scale):
    """From ``room.raws`` and ``room.squared_norms`` to the gradient's coefficients.

    The gradient of part m is Σ_r slopes[r, m] · q_r + own[m] · x_m after this call.
    """
    n_parts, term_rows = problem.x.shape[0], problem.term_rows
    for m in range(n_parts):
        room.inverse_norms[m] = inverse_root(room.squared_norms[m])
        room.own[m] = 0.0
    for j in range(problem.clicked.shape[0]):
        lo, hi = term_rows[j], term_rows[j + 1]
        clicked, unclicked = problem.clicked[j], problem.unclicked[j]
        if knobs.pooling == MIN:
            nearest_gradient(knobs, room, n_parts, lo, hi, scale, clicked, unclicked)
        else:
            mean_gradient(knobs, room, n_parts, lo, hi, scale, clicked, unclicked)
