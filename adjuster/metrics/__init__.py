"""Ranking quality, position-debiased quality, and drift, over ragged sessions."""

from adjuster.metrics.debiased import (
    SelfNormalised,
    WeightedJudgements,
    judge_debiased,
    self_normalised_mean,
)
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
    "SelfNormalised",
    "WeightedJudgements",
    "drift",
    "judge",
    "judge_debiased",
    "part_drift",
    "rank_order",
    "score_sessions",
    "self_normalised_mean",
]
