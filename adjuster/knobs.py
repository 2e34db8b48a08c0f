"""Settings and working memory as the compiled code takes them: numbers and arrays only."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.rocchio import RocchioWeights

COSINE, DOT, EUCLID = 0, 1, 2
MIN, AVG = 0, 1
CUBIC, LINEAR, LOGISTIC = 0, 1, 2
ADAMW, SGD, ROCCHIO = 0, 1, 2

BETA1, BETA2, EPSILON, WEIGHT_DECAY = 0.9, 0.999, 1e-8, 0.01
BLOCK = 256
"""Coordinates handled at a time: a block of gradient stays in the first-level cache."""

SPAN_ROWS = 64
"""Most query rows for which steps are taken in the span of the vectors."""


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
        inverse_norms: Shape ``(max_parts,)`` float64, as `own` and `start_norms`.
        gram: Shape ``(at most SPAN_ROWS, same)`` float64: products of query rows.
        cross: Shape ``(max_rows, max_parts)`` float64: their products with where x started.
        places: Shape ``(max_parts, max_rows + 1)`` float64: x by its coordinates in the span.
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
    start_norms: NDArray[np.float64]
    gram: NDArray[np.float64]
    cross: NDArray[np.float64]
    places: NDArray[np.float64]
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
        start_norms=np.empty(max_parts),
        gram=np.empty((min(max_rows, SPAN_ROWS),) * 2),
        cross=np.empty(shape),
        places=np.empty((max_parts, max_rows + 1)),
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


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows scaled to unit length; a zero row stays zero.

    Example:
        >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, 1).astype(vectors.dtype)
    return scaled
