"""The compiled arithmetic of one (owner, object) problem: similarity, gradient, optimizer step.

Everything here works on one object's parts, ``x`` of shape ``(M, D)``, and the rows of the
queries that speak of it. Coefficients are float64 whatever the vectors are; only the loops over
D run in the vectors' own type. The formulas are those of `objective.py` and `similarity.py`,
with the gradient taken by hand; autograd is the test.
"""

import numpy as np

from adjuster.jit import compiled
from adjuster.knobs import (
    ADAMW,
    BETA1,
    BETA2,
    BLOCK,
    COSINE,
    CUBIC,
    DOT,
    EPSILON,
    EUCLID,
    LINEAR,
)


@compiled(inline=True)
def dot_span(left, i, right, j, lo, hi):
    """Inner product of rows i and j over coordinates ``lo:hi``."""
    total = left.dtype.type(0)
    for d in range(lo, hi):
        total += left[i, d] * right[j, d]
    return total


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
    total = x.dtype.type(0)
    for d in range(lo, hi):
        gap = queries[row, d] - x[m, d]
        total += gap * gap
    return total


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
def mean_gradient(knobs, sims, slopes, n_parts, lo, hi, scale, clicked, unclicked):
    """Derivative of one term's loss by each of its similarities, pooled by their mean."""
    count = (hi - lo) * n_parts
    pooled = 0.0
    for r in range(lo, hi):
        for m in range(n_parts):
            pooled += sims[r, m]
    slope = scale * loss_slope(knobs, pooled / count, clicked, unclicked) / count
    for r in range(lo, hi):
        for m in range(n_parts):
            slopes[r, m] = slope


@compiled(inline=True)
def nearest_gradient(knobs, sims, slopes, n_parts, lo, hi, scale, clicked, unclicked):
    """Derivative of one term's loss by each of its similarities, pooled toward the nearest.

    With w = softmax(s / T) and S = Σ w·s, ∂S/∂s_j = w_j · (1 + (s_j - S) / T).
    """
    top = -np.inf
    for r in range(lo, hi):
        for m in range(n_parts):
            top = max(top, sims[r, m])
    total, weighted, inverse = 0.0, 0.0, 1.0 / knobs.temperature
    for r in range(lo, hi):
        for m in range(n_parts):
            gap = sims[r, m] - top
            weight = 1.0 if gap == 0.0 else np.exp(gap * inverse)
            slopes[r, m] = weight
            total += weight
            weighted += weight * sims[r, m]
    pooled = weighted / total
    slope = scale * loss_slope(knobs, pooled, clicked, unclicked) / total
    for r in range(lo, hi):
        for m in range(n_parts):
            slopes[r, m] *= slope * (1.0 + (sims[r, m] - pooled) * inverse)


@compiled(inline=True)
def row_coefficients(metric, slopes, sims, n_rows, n_parts, inverse_norms, own):
    """Turn slopes by similarity into the gradient's coefficients.

    The gradient of part m is Σ_r slopes[r, m] · q_r + own[m] · x_m after this call.
    """
    for m in range(n_parts):
        total = 0.0
        if metric == COSINE:
            inverse = inverse_norms[m]
            for r in range(n_rows):
                slopes[r, m] *= inverse
                total -= slopes[r, m] * sims[r, m]
            total *= inverse
        elif metric == EUCLID:
            for r in range(n_rows):
                slopes[r, m] = slopes[r, m] / -sims[r, m] if sims[r, m] < 0 else 0.0
                total -= slopes[r, m]
        own[m] = total


@compiled(inline=True)
def adamw_one_row(x, m, moments, queries, row, a, b, decay, step, root, fresh):
    """One AdamW step of part m with a single query row; returns the next q·x and |x|².

    Gradient, moments, update and the next iteration's two sums are one pass over D. A fresh
    state is not read: it may hold another object's.
    """
    f = x.dtype.type
    a, b, decay, step, root = f(a), f(b), f(decay), f(step), f(root)
    keep1, new1, keep2, new2 = f(BETA1), f(1 - BETA1), f(BETA2), f(1 - BETA2)
    epsilon = f(EPSILON)
    raw, squared_norm = f(0), f(0)
    if fresh:
        for d in range(x.shape[1]):
            query = queries[row, d]
            gradient = a * query + b * x[m, d]
            one = new1 * gradient
            two = new2 * gradient * gradient
            moved = x[m, d] * decay - step * one / (np.sqrt(two) * root + epsilon)
            moments[0, m, d] = one
            moments[1, m, d] = two
            x[m, d] = moved
            raw += query * moved
            squared_norm += moved * moved
        return raw, squared_norm
    for d in range(x.shape[1]):
        query = queries[row, d]
        gradient = a * query + b * x[m, d]
        one = keep1 * moments[0, m, d] + new1 * gradient
        two = keep2 * moments[1, m, d] + new2 * gradient * gradient
        moved = x[m, d] * decay - step * one / (np.sqrt(two) * root + epsilon)
        moments[0, m, d] = one
        moments[1, m, d] = two
        x[m, d] = moved
        raw += query * moved
        squared_norm += moved * moved
    return raw, squared_norm


@compiled(inline=True)
def adamw_block(x, m, moments, gradient, lo, hi, decay, step, root, fresh):
    """One AdamW step of coordinates ``lo:hi`` of part m; returns their share of the next |x|²."""
    f = x.dtype.type
    decay, step, root = f(decay), f(step), f(root)
    keep1, new1, keep2, new2 = f(BETA1), f(1 - BETA1), f(BETA2), f(1 - BETA2)
    epsilon = f(EPSILON)
    squared_norm = f(0)
    if fresh:
        for d in range(lo, hi):
            one = new1 * gradient[d - lo]
            two = new2 * gradient[d - lo] * gradient[d - lo]
            moved = x[m, d] * decay - step * one / (np.sqrt(two) * root + epsilon)
            moments[0, m, d] = one
            moments[1, m, d] = two
            x[m, d] = moved
            squared_norm += moved * moved
        return squared_norm
    for d in range(lo, hi):
        one = keep1 * moments[0, m, d] + new1 * gradient[d - lo]
        two = keep2 * moments[1, m, d] + new2 * gradient[d - lo] * gradient[d - lo]
        moved = x[m, d] * decay - step * one / (np.sqrt(two) * root + epsilon)
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
def gradient_block(gradient, x, original, queries, rows, a, m, b, anchor, lo, hi):
    """Gradient of coordinates ``lo:hi`` of part m."""
    f = x.dtype.type
    own, pull = f(b + anchor), f(anchor)
    if anchor != 0.0:
        for d in range(lo, hi):
            gradient[d - lo] = own * x[m, d] - pull * original[m, d]
    else:
        for d in range(lo, hi):
            gradient[d - lo] = own * x[m, d]
    for r in range(rows.shape[0]):
        slope, row = f(a[r, m]), rows[r]
        for d in range(lo, hi):
            gradient[d - lo] += slope * queries[row, d]


@compiled(inline=True)
def step_part(knobs, x, original, queries, rows, a, m, b, pace, raws, room):
    """One optimizer step of part m; fills ``raws[:, m]`` for the next iteration, returns |x|²."""
    decay, step, root, fresh = pace
    moments, gradient = room.moments, room.gradient
    plain = rows.shape[0] == 1 and knobs.anchor_weight == 0.0
    if plain and knobs.optimizer == ADAMW and knobs.metric != EUCLID:
        raw, squared_norm = adamw_one_row(
            x, m, moments, queries, rows[0], a[0, m], b, decay, step, root, fresh
        )
        raws[0, m] = raw
        return np.float64(squared_norm)
    total = 0.0
    for r in range(rows.shape[0]):
        raws[r, m] = 0.0
    for lo in range(0, x.shape[1], BLOCK):
        hi = min(lo + BLOCK, x.shape[1])
        gradient_block(gradient, x, original, queries, rows, a, m, b, knobs.anchor_weight, lo, hi)
        if knobs.optimizer == ADAMW:
            total += adamw_block(x, m, moments, gradient, lo, hi, decay, step, root, fresh)
        else:
            total += sgd_block(x, m, gradient, lo, hi, knobs.rate)
        for r in range(rows.shape[0]):
            raws[r, m] += raw_span(knobs.metric, queries, rows[r], x, m, lo, hi)
    return total
