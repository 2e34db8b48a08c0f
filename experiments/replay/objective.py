"""What a replay's rankings are scored by: chosen once, the same for search and sealed test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.linear import LINEAR_METRICS
from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig
from experiments.replay.position.impressions import Impressions
from experiments.replay.position_bias import (
    BiasRules,
    Choice,
    ClickEstimate,
    PositionBias,
    choose_estimator,
    weigh_clicks,
)
from experiments.replay.timeline import Timeline

FALLBACK = "ndcg_at_10"
"""Debiased in place of a metric that is not linear in the clicks (MRR, MAP)."""

PREFIXES = {"naive": "", "judged": "judged_"}
"""What an estimator puts before the metric's name; clicks weighted in any way put the other."""

DEBIASED = "debiased_"


@dataclass(frozen=True)
class Objective:
    """The figure that a study maximises and a verdict is about; made by `find_objective`.

    Args:
        key: Its name among the metrics of a replay: ``ndcg_at_10``, ``judged_ndcg_at_10``,
            ``debiased_ndcg_at_10``.
        metric: The metric that it is an estimate of: ``ndcg_at_10``.
        estimator: What tells relevance: ``judged``, ``logged``, ``file``, ``estimated`` or
            ``naive``.
        reason: Why, in one sentence.
        bias: How clicks are weighted; None where they are taken as they are, or not at all.
        clicks: What the clicks that it was chosen on say of their positions.
    """

    key: str
    metric: str
    estimator: str
    reason: str
    bias: PositionBias | None
    clicks: ClickEstimate

    @property
    def unidentified(self) -> str:
        """Why position and relevance cannot be told apart; "" where they can, or need not be."""
        if self.estimator != "naive":
            return ""
        if self.clicks.is_silent:
            return self.reason
        told = self.clicks.identifiability
        return "" if told.is_identified else told.reason


def find_objective(
    timeline: Timeline,
    config: ObjectiveConfig,
    score: NDArray[np.floating],
    *,
    seed: int,
    found: Objective | None = None,
) -> Objective:
    """Choose what tells relevance, and weigh the clicks of a replay's sessions.

    Chosen is by the sessions up to tune's end, whatever the window: the sealed test has no say in
    how it is scored.

    Args:
        timeline: The replay.
        config: What was asked for.
        score: Shape ``(n_impressions,)``: similarity with the originals.
        seed: Seed of the draws.
        found: The objective of another replay of this log: its estimator is taken, and its
            weights where they are of as many impressions.

    Raises:
        InputError: If what was asked for cannot be had.
    """
    if found is not None and (
        found.bias is None or len(found.bias.gains) == timeline.n_impressions
    ):
        return found
    rules = BiasRules(config.estimator, config.propensity_file, config.propensity_clip)
    log, n = timeline.log, timeline.n_impressions
    whole = ClickEstimate(impressions_of(timeline, timeline.n_sessions), score, seed)
    if found is None:
        clicks = _up_to_tune(timeline, whole)
        n_seen = len(clicks.log.object)
        choice = choose_estimator(
            rules,
            log.impression_relevance[:n_seen],
            log.impression_propensity[:n_seen],
            clicks,
        )
    else:
        clicks, choice = found.clicks, Choice(found.estimator, found.reason)
    weighted = choice.name not in PREFIXES
    metric = debiased_metric(config.metric) if weighted else config.metric
    return Objective(
        key=PREFIXES.get(choice.name, DEBIASED) + metric,
        metric=metric,
        estimator=choice.name,
        reason=choice.reason,
        bias=weigh_clicks(choice.name, rules, log.impression_propensity[:n], whole)
        if weighted
        else None,
        clicks=clicks,
    )


def plain_objective(config: ObjectiveConfig) -> Objective:
    """The objective of a log of which no one place sees all clicks: judgements, or plain clicks.

    Raises:
        InputError: If clicks are to be weighted by position.
    """
    if config.estimator not in PREFIXES:
        raise InputError(
            f"objective.estimator must be {' or '.join(PREFIXES)} where a log in partitions is "
            f"replayed, got {config.estimator}: weights by position are estimated from all clicks "
            "at once."
        )
    nothing, none = np.empty(0, np.int64), np.zeros(1, np.int64)
    clicks = Impressions(nothing, nothing, none, nothing, nothing, nothing.astype(np.bool_))
    return Objective(
        key=PREFIXES[config.estimator] + config.metric,
        metric=config.metric,
        estimator=config.estimator,
        reason=(
            f"objective.estimator is {config.estimator}, as was asked for; clicks of a log in "
            "partitions are not looked at for what they say of positions."
        ),
        bias=None,
        clicks=ClickEstimate(clicks),
    )


def _up_to_tune(timeline: Timeline, whole: ClickEstimate) -> ClickEstimate:
    """The estimate from the sessions up to tune's end: the whole one where there are no others."""
    n_sessions = min(timeline.tune_end, timeline.n_sessions)
    if n_sessions == timeline.n_sessions:
        return whole
    log = impressions_of(timeline, n_sessions)
    assert whole.score is not None
    return ClickEstimate(log, whole.score[: len(log.object)], whole.seed)


def impressions_of(timeline: Timeline, n_sessions: int) -> Impressions:
    """What a click model may read: the first so many sessions."""
    log, n = timeline.log, int(timeline.offsets[n_sessions])
    return Impressions(
        query=timeline.query[:n_sessions],
        user=log.session_person[:n_sessions],
        offsets=timeline.offsets[: n_sessions + 1],
        object=log.impression_object[:n],
        position=log.impression_position[:n],
        clicked=timeline.click_at[:n] < NEVER,
    )


def debiased_metric(metric: str) -> str:
    """The metric that is debiased for an objective.

    Example:
        >>> debiased_metric("mrr"), debiased_metric("ndcg_at_5")
        ('ndcg_at_10', 'ndcg_at_5')
    """
    return metric if metric in LINEAR_METRICS else FALLBACK
