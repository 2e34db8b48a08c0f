"""The compiled arithmetic of one (owner, object) problem: similarity, loss and gradient.

Everything here works on one object's parts, ``x`` of shape ``(M, D)``, and the rows of the
queries that speak of it. Coefficients are float64 whatever the vectors are; only the loops over
D run in the vectors' own type, and their sums in the fixed order of `lanes`. The formulas are
those of `torch_engine`, with the gradient taken by hand; autograd is the test.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.knobs import COSINE, CUBIC, DOT, EUCLID, LINEAR, MIN
from adjuster.fused_engine.lanes import lane_count, load, multiply_add, spread, total


class RowPair(NamedTuple):
    """Row i of one matrix beside row j of another."""

    left: NDArray[np.floating]
    i: int
    right: NDArray[np.floating]
    j: int


class Term(NamedTuple):
    """One query's term of an object's loss: its rows in the workspace, and its weights."""

    first: int
    last: int
    clicked: float
    unclicked: float


@compiled(inline=True)
def add_products(of_gap, rows, d, count, sums):
    """Add the products of `count` coordinates from d on to `sums`; of_gap takes (left - right)²."""
    one, other = load(rows.left, rows.i, d, count), load(rows.right, rows.j, d, count)
    if of_gap:
        one = one - other
        other = one
    return multiply_add(one, other, sums)


@compiled(inline=True)
def sum_span(of_gap, rows, lo, hi):
    """Σ left · right, or Σ (left - right)², of two rows over coordinates ``lo:hi``.

    Four sums at a time, since one alone would wait for its last addition.
    """
    n, d = lane_count(rows.left), lo
    one = spread(rows.left, rows.left.dtype.type(0))
    two, three, four = one, one, one
    while d + 4 * n <= hi:
        one = add_products(of_gap, rows, d, n, one)
        two = add_products(of_gap, rows, d + n, n, two)
        three = add_products(of_gap, rows, d + 2 * n, n, three)
        four = add_products(of_gap, rows, d + 3 * n, n, four)
        d += 4 * n
    while d + n <= hi:
        one = add_products(of_gap, rows, d, n, one)
        d += n
    if d < hi:
        two = add_products(of_gap, rows, d, hi - d, two)
    return total((one + two) + (three + four))


@compiled(inline=True)
def dot_span(left, i, right, j, lo, hi):
    """Inner product of rows i and j over coordinates ``lo:hi``."""
    return sum_span(False, RowPair(left, i, right, j), lo, hi)


@compiled(inline=True)
def squared_norm(x, m):
    """|x_m|², as float64."""
    return np.float64(dot_span(x, m, x, m, 0, x.shape[1]))


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
    return sum_span(True, RowPair(queries, row, x, m), lo, hi)


@compiled(inline=True)
def similarity_of(metric, raw, inverse_norm):
    """Similarity from `raw_span`; a query's rows are unit length under cosine."""
    if metric == COSINE:
        return raw * inverse_norm
    if metric == DOT:
        return raw
    return -np.sqrt(max(raw, 0.0))


@compiled(inline=True)
def find_similarity(knobs, workspace, r, m):
    """Similarity of query row r to part m, kept in the workspace."""
    raw, inverse = workspace.raws[r, m], workspace.inverse_norms[m]
    workspace.sims[r, m] = similarity_of(knobs.metric, raw, inverse)
    return workspace.sims[r, m]


@compiled(inline=True)
def inverse_root(square):
    """1/|x|; 0 for a zero vector, which is similar to nothing."""
    return 1.0 / np.sqrt(square) if square > 0 else 0.0


@compiled(inline=True)
def loss_slope(knobs, pooled, term):
    """Derivative of a term's loss by its pooled similarity."""
    clicked, pushed = term.clicked, knobs.non_clicked_weight * term.unclicked
    if knobs.loss == CUBIC:
        return 3.0 * pooled * pooled * (pushed - clicked)
    if knobs.loss == LINEAR:
        return pushed - clicked
    chance = 1.0 / (1.0 + np.exp(-knobs.logit_scale * (pooled - knobs.logit_bias)))
    return pushed * chance - clicked * (1.0 - chance)


@compiled(inline=True)
def add_row(knobs, workspace, r, m, slope):
    """Turn a slope by similarity into the gradient's coefficients of query row r and of x_m."""
    if knobs.metric == COSINE:
        slope *= workspace.inverse_norms[m]
        workspace.own[m] -= slope * workspace.sims[r, m] * workspace.inverse_norms[m]
    elif knobs.metric == EUCLID:
        slope = slope / -workspace.sims[r, m] if workspace.sims[r, m] < 0 else 0.0
        workspace.own[m] -= slope
    workspace.slopes[r, m] = slope


@compiled(inline=True)
def mean_pooled(knobs, workspace, n_parts, term):
    """Pooled similarity of a term whose similarities are pooled by their mean."""
    pooled, count = 0.0, (term.last - term.first) * n_parts
    for r in range(term.first, term.last):
        for m in range(n_parts):
            pooled += find_similarity(knobs, workspace, r, m)
    return pooled / count


@compiled(inline=True)
def add_mean(knobs, workspace, n_parts, term, slope):
    """Coefficients of `slope` times the gradient of `mean_pooled`."""
    slope = slope / ((term.last - term.first) * n_parts)
    for r in range(term.first, term.last):
        for m in range(n_parts):
            add_row(knobs, workspace, r, m, slope)


@compiled(inline=True)
def nearest_pooled(knobs, workspace, n_parts, term):
    """Pooled similarity of a term whose similarities are pooled toward the nearest.

    Returns:
        The pooled similarity, and the share of a weight that was left in ``workspace.slopes``.
    """
    sims, slopes = workspace.sims, workspace.slopes
    top = -np.inf
    for r in range(term.first, term.last):
        for m in range(n_parts):
            top = max(top, find_similarity(knobs, workspace, r, m))
    weights, weighted, inverse = 0.0, 0.0, 1.0 / knobs.temperature
    for r in range(term.first, term.last):
        for m in range(n_parts):
            gap = sims[r, m] - top
            weight = 1.0 if gap == 0.0 else np.exp(gap * inverse)
            slopes[r, m] = weight
            weights += weight
            weighted += weight * sims[r, m]
    share = 1.0 / weights
    return weighted * share, share


@compiled(inline=True)
def add_nearest(knobs, workspace, n_parts, term, pooled, slope):
    """Coefficients of `slope` times the gradient of `nearest_pooled`, whose weights are there.

    With w = softmax(s / T) and S = Σ w·s, ∂S/∂s_j = w_j · (1 + (s_j - S) / T).
    """
    sims, slopes, inverse = workspace.sims, workspace.slopes, 1.0 / knobs.temperature
    for r in range(term.first, term.last):
        for m in range(n_parts):
            weight = slopes[r, m] * (1.0 + (sims[r, m] - pooled) * inverse)
            add_row(knobs, workspace, r, m, slope * weight)


@compiled(inline=True)
def find_pooled(knobs, workspace, n_parts, term):
    """A term's pooled similarity, and what `add_pooled` needs besides."""
    if knobs.pooling == MIN:
        return nearest_pooled(knobs, workspace, n_parts, term)
    return mean_pooled(knobs, workspace, n_parts, term), 1.0


@compiled(inline=True)
def add_pooled(knobs, workspace, n_parts, term, pooled, slope):
    """Coefficients of `slope` times the gradient of what `find_pooled` found."""
    if knobs.pooling == MIN:
        add_nearest(knobs, workspace, n_parts, term, pooled[0], slope * pooled[1])
    else:
        add_mean(knobs, workspace, n_parts, term, slope)


@compiled(inline=True)
def find_sums(knobs, problem, workspace, x):
    """Fill ``squared_norms`` and ``raws``: what the similarities of x are made of."""
    rows, queries = problem.rows, problem.queries
    for m in range(x.shape[0]):
        workspace.squared_norms[m] = squared_norm(x, m)
        for r in range(rows.shape[0]):
            raw = raw_span(knobs.metric, queries, rows[r], x, m, 0, x.shape[1])
            workspace.raws[r, m] = raw


@compiled(inline=True)
def invert_norms(workspace, n_parts):
    """Fill ``inverse_norms`` from ``squared_norms``."""
    for m in range(n_parts):
        workspace.inverse_norms[m] = inverse_root(workspace.squared_norms[m])


@compiled(inline=True)
def find_gradient(knobs, problem, workspace, scale):
    """From ``workspace.raws`` and ``workspace.squared_norms`` to the gradient's coefficients.

    The gradient of part m is Σ_r slopes[r, m] · q_r + own[m] · x_m after this call.
    """
    n_parts, term_rows = problem.x.shape[0], problem.term_rows
    invert_norms(workspace, n_parts)
    for m in range(n_parts):
        workspace.own[m] = 0.0
    for j in range(problem.clicked.shape[0]):
        clicked, unclicked = problem.clicked[j], problem.unclicked[j]
        term = Term(term_rows[j], term_rows[j + 1], clicked, unclicked)
        pooled = find_pooled(knobs, workspace, n_parts, term)
        slope = scale * loss_slope(knobs, pooled[0], term)
        add_pooled(knobs, workspace, n_parts, term, pooled, slope)
