"""Ranking quality, plain and debiased against position, and drift, over ragged sessions."""

from adjuster.metrics.drift import drift, part_drift
from adjuster.metrics.ranking import (
    METRIC_NAMES,
    Judgements,
    judge,
    rank_order,
    score_sessions,
)

__all__ = [
    "METRIC_NAMES",
    "Judgements",
    "drift",
    "judge",
    "part_drift",
    "rank_order",
    "score_sessions",
]
