"""Position bias of a log: which labels and weights its rankings are scored with, and why.

Clicks tell relevance only once it is known how likely each position was looked at. Chosen is,
unless told otherwise, the first of these that the log allows: its judgements, the propensities
it logged, propensities estimated from results that moved among positions, and, where none of
these exists, the clicks as they are, said to be so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.linear import (
    doubly_robust_gains,
    effective_count,
    inverse_propensity_gains,
)
from experiments.common.errors import InputError
from experiments.config.replay import ESTIMATORS
from experiments.replay.position.attraction import earlier_attraction
from experiments.replay.position.click_counts import ClickCounts, count_clicks
from experiments.replay.position.click_information import draw_theta
from experiments.replay.position.click_model import ClickModel, fit_click_model
from experiments.replay.position.identifiability import Identifiability, identify
from experiments.replay.position.impressions import Impressions
from experiments.replay.position.propensity_file import read_propensities

JUDGED_SHARE = 0.9
"""Judgements replace clicks, unasked, where so many impressions have one. An unjudged result
counts as worthless, and what an adjuster lifts is what people had not pooled for judging."""


@dataclass(frozen=True)
class BiasRules:
    """What was asked for.

    Args:
        estimator: One of `ESTIMATORS`.
        propensity_file: Propensities by position, or None.
        clip: Largest weight of a click, >= 1.
    """

    estimator: str = "auto"
    propensity_file: str | None = None
    clip: float = 20.0


@dataclass(frozen=True)
class Choice:
    """Which estimator is used: one of `ESTIMATORS` but ``auto``, and why, in one sentence."""

    name: str
    reason: str


@dataclass(frozen=True)
class ClickEstimate:
    """What a log's clicks say of its positions; each part is worked out when it is first read.

    Args:
        log: The impressions of all sessions that may be looked at, in order of time.
        score: Shape ``(n_impressions,)``: similarity of query and object with the originals.
        seed: Seed of the draws.
        share: About which share of the queries these are, drawn by hash, in (0, 1].
    """

    log: Impressions
    score: NDArray[np.floating] | None = None
    seed: int = 0
    share: float = 1.0

    @property
    def is_silent(self) -> bool:
        """Whether nothing was clicked, so that there is nothing to estimate from."""
        return not self.log.clicked.any()

    @cached_property
    def counts(self) -> ClickCounts:
        """Shows and clicks.

        Raises:
            InputError: If nothing was clicked.
        """
        if self.is_silent:
            raise InputError("Nothing was clicked, so nothing tells how position sways clicks.")
        return count_clicks(self.log, self.score)

    @cached_property
    def model(self) -> ClickModel:
        """The fitted click model."""
        return fit_click_model(self.counts)

    @property
    def theta(self) -> NDArray[np.float64]:
        """Shape ``(n_positions,)``: chance of a look, the largest 1."""
        return self.model.theta

    @cached_property
    def draws(self) -> NDArray[np.float64]:
        """Shape ``(n_draws, n_positions)``: `theta` from other people's clicks, scaled so that
        clicks carry the same weight in sum."""
        return draw_theta(self.log, self.counts, self.model, seed=self.seed)

    @cached_property
    def attraction(self) -> NDArray[np.float64]:
        """Shape ``(n_impressions,)``: chance of a click once looked at, as earlier sessions tell
        it."""
        model = self.model
        # The model's is the chance of a click at its reference; theta is 1 at the largest.
        found = earlier_attraction(self.log, self.counts, model) * np.exp(model.log_theta.max())
        return np.asarray(np.minimum(found, 1.0))

    @cached_property
    def identifiability(self) -> Identifiability:
        """Whether to believe it."""
        told = identify(self.log, self.counts, self.theta, self.score)
        if self.share == 1:
            return told
        # What is told of some queries is told of all, and better; what is not may be.
        remark = f"Counted on {self.share:.2%} of the queries, as the log is large."
        return replace(told, reason=f"{told.reason} {remark}")


@dataclass(frozen=True)
class PositionBias:
    """The weights that a log's clicks are scored with; made by `weigh_clicks`.

    Args:
        propensity: Shape ``(n_impressions,)``: chance of a look, in (0, 1].
        depth: Shape ``(n_impressions,)``: position as the click model counts it.
        theta: Shape ``(n_positions,)``: what the draws vary about; empty where the propensities
            are given.
        draws: Shape ``(n_draws, n_positions)``: the estimate's uncertainty; no draws where the
            propensities are given.
        gains: Shape ``(n_impressions,)``: click / propensity, at most `clip` of it, the rest
            from the click model.
        plain_gains: Shape ``(n_impressions,)``: click / propensity, whatever the weight.
        effective_clicks: How many equally weighted clicks these are worth.
        clipped_share: Share of the clicks whose weight was clipped, in [0, 1].
    """

    propensity: NDArray[np.float64]
    depth: NDArray[np.int64]
    theta: NDArray[np.float64]
    draws: NDArray[np.float64]
    gains: NDArray[np.float64]
    plain_gains: NDArray[np.float64]
    effective_clicks: float
    clipped_share: float


def choose_estimator(
    rules: BiasRules,
    relevance: NDArray[np.floating],
    logged: NDArray[np.floating],
    estimate: ClickEstimate,
) -> Choice:
    """What a log's rankings are scored with, and why.

    Args:
        rules: What was asked for.
        relevance: Shape ``(n_impressions,)``: judgements, NaN where not judged.
        logged: Shape ``(n_impressions,)``: logged propensities, NaN where there is none.
        estimate: Of the same impressions; read only where nothing else is to be had.

    Raises:
        InputError: If the one asked for cannot be had.
    """
    judged = float(np.mean(~np.isnan(relevance))) if len(relevance) else 0.0
    n_logged = int(((logged > 0) & (logged <= 1)).sum())
    if rules.estimator == "auto":
        if rules.propensity_file:
            return Choice("file", f"The propensities of {rules.propensity_file} are used.")
        if judged >= JUDGED_SHARE:
            return Choice("judged", f"{judged:.0%} of the impressions are judged.")
        if n_logged == len(logged) > 0:
            return Choice("logged", "Every impression has a logged propensity in (0, 1].")
        if estimate.is_silent:
            return Choice("naive", "Nothing was clicked, so nothing can be estimated.")
        told = estimate.identifiability
        return Choice("estimated" if told.is_identified else "naive", told.reason)
    _refuse(rules, judged, n_logged, len(logged))
    return Choice(rules.estimator, f"objective.estimator={rules.estimator} was asked for.")


def _refuse(rules: BiasRules, judged: float, n_logged: int, n: int) -> None:
    """Complain where the log or the rules lack what the estimator needs."""
    if rules.estimator not in ESTIMATORS:
        raise InputError(
            f"objective.estimator must be one of {', '.join(ESTIMATORS)}, got {rules.estimator!r}."
        )
    if rules.estimator == "judged" and judged == 0:
        raise InputError(
            "objective.estimator=judged needs a relevance on impressions, but the log has none. "
            "Use objective.estimator=auto."
        )
    if rules.estimator == "logged" and n_logged < n:
        raise InputError(
            "objective.estimator=logged needs a propensity in (0, 1] on every impression, but "
            f"{n - n_logged} of {n} are without. Use objective.estimator=estimated."
        )
    if rules.estimator == "file" and not rules.propensity_file:
        raise InputError("objective.estimator=file needs objective.propensity_file.")


def weigh_clicks(
    estimator: str, rules: BiasRules, logged: NDArray[np.floating], estimate: ClickEstimate
) -> PositionBias:
    """Weigh the clicks of a log against its position bias.

    Args:
        estimator: ``logged``, ``file`` or ``estimated``.
        rules: File and clipping.
        logged: Shape ``(n_impressions,)``: logged propensities.
        estimate: Of the same impressions; read where its own propensities are used, or where a
            weight is clipped and its click model stands in.

    Raises:
        InputError: If a propensity is missing.
    """
    log = estimate.log
    propensity = _propensity(estimator, rules, logged, estimate)
    plain = inverse_propensity_gains(log.clicked, propensity)
    weight = plain[log.clicked]
    estimated = estimator == "estimated"
    return PositionBias(
        propensity=propensity,
        depth=log.depth,
        theta=estimate.theta if estimated else np.empty(0),
        draws=estimate.draws if estimated else np.empty((0, 0)),
        gains=_clipped_gains(propensity, plain, rules.clip, estimate),
        plain_gains=plain,
        effective_clicks=effective_count(weight),
        clipped_share=float((weight > rules.clip * (1 + 1e-9)).mean()) if len(weight) else 0.0,
    )


def _clipped_gains(
    propensity: NDArray[np.float64],
    plain: NDArray[np.float64],
    clip: float,
    estimate: ClickEstimate,
) -> NDArray[np.float64]:
    """Doubly robust gains; those of inverse propensities themselves where none is clipped."""
    if (propensity * clip >= 1).all():
        return plain
    # Attraction such that the clicks expected under these propensities are as many.
    expected = float(estimate.theta[estimate.log.depth] @ estimate.attraction)
    scale = expected / float(propensity @ estimate.attraction)
    attraction = np.minimum(estimate.attraction * scale, 1.0)
    return doubly_robust_gains(estimate.log.clicked, propensity, attraction, clip=clip)


def _propensity(
    estimator: str, rules: BiasRules, logged: NDArray[np.floating], estimate: ClickEstimate
) -> NDArray[np.float64]:
    """The propensity of each impression under an estimator."""
    position = estimate.log.position
    makers: dict[str, Callable[[], NDArray[np.float64]]] = {
        "logged": lambda: logged.astype(np.float64),
        "estimated": lambda: estimate.theta[estimate.log.depth],
        "file": lambda: read_propensities(
            rules.propensity_file or "", int(position.max(initial=-1)) + 1
        )[position],
    }
    return makers[estimator]()
