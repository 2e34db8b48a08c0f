"""The compiled arithmetic of one (owner, object) problem: similarity, gradient, optimizer step.

Everything here works on one object's parts, ``x`` of shape ``(M, D)``, and the rows of the
queries that speak of it. Coefficients are float64 whatever the vectors are; only the loops over
D run in the vectors' own type. The formulas are those of `objective.py` and `similarity.py`,
with the gradient taken by hand; autograd is the test.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.jit import compiled
from adjuster.rocchio import RocchioWeights

COSINE, DOT, EUCLID = 0, 1, 2
MIN, AVG = 0, 1
CUBIC, LINEAR, LOGISTIC = 0, 1, 2
ADAMW, SGD, ROCCHIO = 0, 1, 2

BETA1, BETA2, EPSILON, WEIGHT_DECAY = 0.9, 0.999, 1e-8, 0.01
BLOCK = 256
"""Coordinates handled at a time: a block of gradient stays in the first-level cache."""


class Knobs(NamedTuple):
    """An `AdjusterConfig` as the kernel takes it: numbers only."""

    metric: int
    pooling: int
    loss: int
    optimizer: int
    rate: float
    num_iterations: int
    temperature: float
    non_clicked_weight: float
    anchor_weight: float
    mean_reduction: int
    logit_scale: float
    logit_bias: float
    min_cosine: float
    refit: int


class Room(NamedTuple):
    """Working memory of one thread: the kernel itself allocates nothing.

    Args:
        moments: Shape ``(2, max_parts, D)``: the optimizer's state.
        gradient: Shape ``(BLOCK,)``.
        raws: Shape ``(max_rows, max_parts)`` float64, as `sims` and `slopes`.
        inverse_norms: Shape ``(max_parts,)`` float64, as `own`.
        rows: Shape ``(max_rows,)`` int64: the query rows of an object's terms.
        term_rows: Shape ``(max_rows + 1,)`` int64: where each term's rows begin.
        clicked: Shape ``(max_rows,)`` float64: a term's weight, as `unclicked`.
    """

    moments: NDArray[np.floating]
    gradient: NDArray[np.floating]
    raws: NDArray[np.float64]
    sims: NDArray[np.float64]
    slopes: NDArray[np.float64]
    inverse_norms: NDArray[np.float64]
    own: NDArray[np.float64]
    rows: NDArray[np.int64]
    term_rows: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


def make_room(max_parts: int, max_rows: int, vectors: NDArray[np.floating]) -> Room:
    """Working memory for objects of so many parts and terms of so many query rows in all."""
    shape = (max_rows, max_parts)
    return Room(
        moments=np.empty((2, max_parts, vectors.shape[1]), vectors.dtype),
        gradient=np.empty(BLOCK, vectors.dtype),
        raws=np.empty(shape),
        sims=np.empty(shape),
        slopes=np.empty(shape),
        inverse_norms=np.empty(max_parts),
        own=np.empty(max_parts),
        rows=np.empty(max_rows, np.int64),
        term_rows=np.zeros(max_rows + 1, np.int64),
        clicked=np.empty(max_rows),
        unclicked=np.empty(max_rows),
    )


def make_knobs(index: SearchIndexInfo, config: AdjusterConfig) -> Knobs:
    """Translate a configuration for the kernel.

    Raises:
        ValueError: If a logistic loss has no number for its bias.
    """
    if config.loss == "logistic" and isinstance(config.logit_bias, str):
        raise ValueError(
            "adjuster.logit_bias must be a number here, got auto. "
            "Only a replay knows the warmup it is taken from: pass the number that it reported."
        )
    return Knobs(
        metric=[MetricType.COSINE, MetricType.DOT, MetricType.EUCLID].index(index.metric_type),
        pooling=MIN if index.metric_aggregation_type is MetricAggregationType.MIN else AVG,
        loss=["cubic", "linear", "logistic"].index(config.loss),
        optimizer=["adamw", "sgd"].index(config.optimizer),
        rate=float(config.adjustment_rate),
        num_iterations=int(config.num_iterations),
        temperature=float(config.softmin_temperature),
        non_clicked_weight=float(config.non_clicked_weight),
        anchor_weight=float(config.anchor_weight),
        mean_reduction=int(config.reduction == "mean"),
        logit_scale=float(config.logit_scale),
        logit_bias=0.0 if isinstance(config.logit_bias, str) else float(config.logit_bias),
        min_cosine=-2.0 if config.max_drift is None else 1.0 - config.max_drift,
        refit=int(config.memory == "refit"),
    )


def rocchio_knobs(index: SearchIndexInfo, weights: RocchioWeights) -> Knobs:
    """Rocchio's rule as the kernel takes it, from the original with all feedback so far."""
    plain = make_knobs(index, AdjusterConfig(num_iterations=1, memory="refit"))
    return plain._replace(
        optimizer=ROCCHIO,
        rate=weights.clicked,
        non_clicked_weight=weights.unclicked,
        anchor_weight=weights.original,
    )


@compiled(inline=True)
def dot_span(left, i, right, j, lo, hi):  # type: ignore[no-untyped-def]
    """Inner product of rows i and j over coordinates ``lo:hi``."""
    total = left.dtype.type(0)
    for d in range(lo, hi):
        total += left[i, d] * right[j, d]
    return total


@compiled(inline=True)
def raw_span(metric, queries, row, x, m, lo, hi):  # type: ignore[no-untyped-def]
    """What a similarity is made of, over ``lo:hi``: q·x, or |q - x|² under Euclid."""
    if metric != EUCLID:
        return dot_span(queries, row, x, m, lo, hi)
    total = x.dtype.type(0)
    for d in range(lo, hi):
        gap = queries[row, d] - x[m, d]
        total += gap * gap
    return total


@compiled(inline=True)
def similarity_of(metric, raw, inverse_norm):  # type: ignore[no-untyped-def]
    """Similarity from `raw_span`; a query's rows are unit length under cosine."""
    if metric == COSINE:
        return raw * inverse_norm
    if metric == DOT:
        return raw
    return -np.sqrt(max(raw, 0.0))


@compiled(inline=True)
def inverse_root(squared_norm):  # type: ignore[no-untyped-def]
    """1/|x|; 0 for a zero vector, which is similar to nothing."""
    return 1.0 / np.sqrt(squared_norm) if squared_norm > 0 else 0.0


@compiled(inline=True)
def loss_slope(knobs, pooled, clicked, unclicked):  # type: ignore[no-untyped-def]
    """Derivative of a term's loss by its pooled similarity."""
    pushed = knobs.non_clicked_weight * unclicked
    if knobs.loss == CUBIC:
        return 3.0 * pooled * pooled * (pushed - clicked)
    if knobs.loss == LINEAR:
        return pushed - clicked
    chance = 1.0 / (1.0 + np.exp(-knobs.logit_scale * (pooled - knobs.logit_bias)))
    return pushed * chance - clicked * (1.0 - chance)


@compiled(inline=True)
def mean_gradient(knobs, sims, slopes, n_parts, lo, hi, scale, clicked, unclicked):  # type: ignore[no-untyped-def]
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
def nearest_gradient(knobs, sims, slopes, n_parts, lo, hi, scale, clicked, unclicked):  # type: ignore[no-untyped-def]
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
def row_coefficients(metric, slopes, sims, n_rows, n_parts, inverse_norms, own):  # type: ignore[no-untyped-def]
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
def adamw_one_row(x, m, moments, queries, row, a, b, decay, step, root, fresh):  # type: ignore[no-untyped-def]
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
def adamw_block(x, m, moments, gradient, lo, hi, decay, step, root, fresh):  # type: ignore[no-untyped-def]
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
def sgd_block(x, m, gradient, lo, hi, rate):  # type: ignore[no-untyped-def]
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
def gradient_block(gradient, x, original, queries, rows, a, m, b, anchor, lo, hi):  # type: ignore[no-untyped-def]
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
def step_part(knobs, x, original, queries, rows, a, m, b, pace, raws, room):  # type: ignore[no-untyped-def]
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


@compiled(inline=True)
def bound_drift(x, m, original, min_cosine):  # type: ignore[no-untyped-def]
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
def rocchio_step(knobs, x, queries, rows, term_rows, clicked, unclicked):  # type: ignore[no-untyped-def]
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
def descend(knobs, x, original, queries, rows, term_rows, clicked, unclicked, room):  # type: ignore[no-untyped-def]
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
    n_parts, n_terms, n_rows = x.shape[0], clicked.shape[0], rows.shape[0]
    weight = 0.0
    for j in range(n_terms):
        weight += clicked[j] + knobs.non_clicked_weight * unclicked[j]
    if weight <= 0.0 or knobs.num_iterations == 0:
        return False
    if knobs.optimizer == ROCCHIO:
        rocchio_step(knobs, x, queries, rows, term_rows, clicked, unclicked)
        return True
    slope_scale = 1.0 / weight if knobs.mean_reduction else 1.0
    raws, sims, slopes = room.raws, room.sims, room.slopes
    inverse_norms, own = room.inverse_norms, room.own
    dimensions = x.shape[1]
    for m in range(n_parts):
        inverse_norms[m] = inverse_root(np.float64(dot_span(x, m, x, m, 0, dimensions)))
        for r in range(n_rows):
            raws[r, m] = raw_span(knobs.metric, queries, rows[r], x, m, 0, dimensions)
    decay, power1, power2 = 1.0 - knobs.rate * WEIGHT_DECAY, 1.0, 1.0
    for t in range(1, knobs.num_iterations + 1):
        for r in range(n_rows):
            for m in range(n_parts):
                sims[r, m] = similarity_of(knobs.metric, raws[r, m], inverse_norms[m])
        for j in range(n_terms):
            lo, hi, pull, push = term_rows[j], term_rows[j + 1], clicked[j], unclicked[j]
            if knobs.pooling == MIN:
                nearest_gradient(knobs, sims, slopes, n_parts, lo, hi, slope_scale, pull, push)
            else:
                mean_gradient(knobs, sims, slopes, n_parts, lo, hi, slope_scale, pull, push)
        row_coefficients(knobs.metric, slopes, sims, n_rows, n_parts, inverse_norms, own)
        power1 *= BETA1
        power2 *= BETA2
        pace = (decay, knobs.rate / (1.0 - power1), 1.0 / np.sqrt(1.0 - power2), t == 1)
        for m in range(n_parts):
            squared_norm = step_part(
                knobs, x, original, queries, rows, slopes, m, own[m], pace, raws, room
            )
            inverse_norms[m] = inverse_root(squared_norm)
    if knobs.min_cosine > -1.0:
        for m in range(n_parts):
            bound_drift(x, m, original, knobs.min_cosine)
    return True


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows scaled to unit length; a zero row stays zero.

    Example:
        >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, 1).astype(vectors.dtype)
    return scaled
