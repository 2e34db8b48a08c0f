"""Settings as the compiled code takes them: numbers only."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.losses import check_bias, curvature
from adjuster.rocchio import RocchioWeights
from adjuster.scale import in_range

COSINE, DOT, EUCLID = 0, 1, 2
MIN, AVG = 0, 1
CUBIC, LINEAR = 0, 1
ADAMW, SGD, NEWTON, ROCCHIO = 0, 1, 2, 3
CARRY, RESTART, REFIT = 0, 1, 2

BETA1, BETA2, EPSILON, WEIGHT_DECAY = 0.9, 0.999, 1e-8, 0.01


class Knobs(NamedTuple):
    """An `AdjusterConfig` as the kernel takes it: numbers only."""

    metric: int
    pooling: int
    loss: int
    optimizer: int
    rate: float
    curvature: float
    num_iterations: int
    temperature: float
    non_clicked_weight: float
    anchor_weight: float
    mean_reduction: int
    logit_scale: float
    logit_bias: float
    min_cosine: float
    memory: int


def make_knobs(index: SearchIndexInfo, config: AdjusterConfig) -> Knobs:
    """Translate a configuration for the kernel.

    Raises:
        ValueError: If a logistic loss has no number for its bias.
    """
    check_bias(config)
    return Knobs(
        metric=[MetricType.COSINE, MetricType.DOT, MetricType.EUCLID].index(index.metric_type),
        pooling=MIN if index.metric_aggregation_type is MetricAggregationType.MIN else AVG,
        loss=["cubic", "linear", "logistic"].index(config.loss),
        optimizer=["adamw", "sgd", "newton"].index(config.optimizer),
        rate=float(config.adjustment_rate),
        curvature=curvature(config),
        num_iterations=int(config.num_iterations),
        temperature=float(config.softmin_temperature),
        non_clicked_weight=float(config.non_clicked_weight),
        anchor_weight=float(config.anchor_weight),
        mean_reduction=int(config.reduction == "mean"),
        logit_scale=float(config.logit_scale),
        logit_bias=0.0 if isinstance(config.logit_bias, str) else float(config.logit_bias),
        min_cosine=-2.0 if config.max_drift is None else 1.0 - config.max_drift,
        memory=["carry", "restart", "refit"].index(config.memory),
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
    vectors = in_range(vectors, MetricType.COSINE)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, 1).astype(vectors.dtype)
    return scaled
