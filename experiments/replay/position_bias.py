"""Position bias of a log: which labels and weights its rankings are scored with, and why.

Clicks tell relevance only once it is known how likely each position was looked at. Chosen is,
unless told otherwise, the first of these that the log allows: its judgements, the propensities
it logged, propensities estimated from results that moved among positions, and, where none of
these exists, the clicks as they are, said to be so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.linear import (
    doubly_robust_gains,
    effective_count,
    inverse_propensity_gains,
)
from experiments.common.errors import InputError
from experiments.replay.position.attraction import earlier_attraction
from experiments.replay.position.click_counts import count_clicks
from experiments.replay.position.click_information import draw_theta
from experiments.replay.position.click_model import fit_click_model
from experiments.replay.position.identifiability import Identifiability, identify
from experiments.replay.position.impressions import Impressions
from experiments.replay.position.propensity_file import read_propensities

ESTIMATORS = ("auto", "judged", "logged", "file", "estimated", "naive")

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
        seed: Seed of the draws.
    """

    estimator: str = "auto"
    propensity_file: str | None = None
    clip: float = 20.0
    seed: int = 0


@dataclass(frozen=True)
class Choice:
    """Which estimator is used: one of `ESTIMATORS` but ``auto``, and why, in one sentence."""

    name: str
    reason: str


@dataclass(frozen=True)
class ClickEstimate:
    """What a log's clicks say of its positions; made by `estimate_positions`.

    Args:
        theta: Shape ``(n_positions,)``: chance of a look, the largest 1.
        draws: Shape ``(n_draws, n_positions)``: the same from other people's clicks, scaled so
            that clicks carry the same weight in sum.
        attraction: Shape ``(n_impressions,)``: chance of a click once looked at, as earlier
            sessions tell it.
        identifiability: Whether to believe it.
    """

    theta: NDArray[np.float64]
    draws: NDArray[np.float64]
    attraction: NDArray[np.float64]
    identifiability: Identifiability


@dataclass(frozen=True)
class PositionBias:
    """The weights that a log's clicks are scored with; made by `find_position_bias`.

    Args:
        chosen: One of `ESTIMATORS` but ``auto``.
        reason: Why, in one sentence.
        propensity: Shape ``(n_impressions,)``: chance of a look, in (0, 1]; 1 where clicks are
            taken as they are or labels are judged.
        draws: Shape ``(n_draws, n_positions)``: the estimate's uncertainty; no draws where the
            propensities are given.
        theta: Shape ``(n_positions,)``: what the draws vary about.
        gains: Shape ``(n_impressions,)``: click / propensity, at most `clip` of it, the rest
            from the click model.
        plain_gains: Shape ``(n_impressions,)``: click / propensity, whatever the weight.
        identifiability: Of the log's clicks, whatever was chosen.
        effective_clicks: How many equally weighted clicks these are worth.
        clipped_share: Share of the clicks whose weight was clipped, in [0, 1].
    """

    chosen: str
    reason: str
    propensity: NDArray[np.float64]
    draws: NDArray[np.float64]
    theta: NDArray[np.float64]
    gains: NDArray[np.float64]
    plain_gains: NDArray[np.float64]
    identifiability: Identifiability
    effective_clicks: float
    clipped_share: float

    @property
    def is_debiased(self) -> bool:
        """Whether position was taken out: False where clicks are taken as they are."""
        return self.chosen != "naive"


def estimate_positions(
    log: Impressions, score: NDArray[np.floating] | None = None, *, seed: int = 0
) -> ClickEstimate:
    """Estimate examination by position from clicks, its uncertainty, and whether it is told.

    Args:
        log: The impressions of all sessions that may be looked at, in order of time.
        score: Shape ``(n_impressions,)``: similarity of query and object with the originals.
        seed: Seed of the draws.

    Raises:
        InputError: If nothing was clicked.
    """
    if not log.clicked.any():
        raise InputError("Nothing was clicked, so nothing tells how position sways clicks.")
    counts = count_clicks(log, score)
    model = fit_click_model(counts)
    # The model's attraction is the chance of a click at its reference; theta is 1 at the largest.
    attraction = earlier_attraction(log, counts, model) * np.exp(model.log_theta.max())
    return ClickEstimate(
        theta=model.theta,
        draws=draw_theta(log, counts, model, seed=seed),
        attraction=np.minimum(attraction, 1.0),
        identifiability=identify(log, counts, model.theta, score),
    )


def find_position_bias(
    log: Impressions,
    rules: BiasRules,
    *,
    relevance: NDArray[np.floating],
    logged: NDArray[np.floating],
    score: NDArray[np.floating] | None = None,
) -> PositionBias:
    """Choose an estimator and weigh the clicks.

    Args:
        log: The impressions of all sessions that may be looked at, in order of time.
        rules: What was asked for.
        relevance: Shape ``(n_impressions,)``: judgements, NaN where not judged.
        logged: Shape ``(n_impressions,)``: logged propensities, NaN where there is none.
        score: Shape ``(n_impressions,)``: similarity of query and object with the originals.

    Raises:
        InputError: If what was asked for cannot be had.
    """
    estimate = estimate_positions(log, score, seed=rules.seed)
    choice = choose_estimator(rules, relevance, logged, estimate.identifiability)
    propensity = _propensity(choice, log, rules, logged, estimate)
    plain = inverse_propensity_gains(log.clicked, propensity)
    estimated = choice.name == "estimated"
    weight = plain[log.clicked]
    return PositionBias(
        chosen=choice.name,
        reason=choice.reason,
        propensity=propensity,
        draws=estimate.draws if estimated else estimate.draws[:0],
        theta=estimate.theta,
        gains=doubly_robust_gains(
            log.clicked, propensity, _on_scale(estimate, log, propensity), clip=rules.clip
        ),
        plain_gains=plain,
        identifiability=estimate.identifiability,
        effective_clicks=effective_count(weight),
        clipped_share=float((weight > rules.clip * (1 + 1e-9)).mean()),
    )


def _on_scale(
    estimate: ClickEstimate, log: Impressions, propensity: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Attraction such that the clicks expected under given propensities are as many."""
    expected = float(estimate.theta[log.depth] @ estimate.attraction)
    return np.minimum(
        estimate.attraction * (expected / float(propensity @ estimate.attraction)), 1.0
    )


def choose_estimator(
    rules: BiasRules,
    relevance: NDArray[np.floating],
    logged: NDArray[np.floating],
    identifiability: Identifiability,
) -> Choice:
    """What a log's rankings are scored with, and why.

    Raises:
        InputError: If the one asked for cannot be had.
    """
    judged = float(np.mean(~np.isnan(relevance)))
    n_logged = int(((logged > 0) & (logged <= 1)).sum())
    if rules.estimator == "auto":
        if rules.propensity_file:
            return Choice("file", f"The propensities of {rules.propensity_file} are used.")
        if judged >= JUDGED_SHARE:
            return Choice("judged", f"{judged:.0%} of the impressions are judged.")
        if n_logged == len(logged):
            return Choice("logged", "Every impression has a logged propensity in (0, 1].")
        name = "estimated" if identifiability.is_identified else "naive"
        return Choice(name, identifiability.reason)
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


def _propensity(
    choice: Choice,
    log: Impressions,
    rules: BiasRules,
    logged: NDArray[np.floating],
    estimate: ClickEstimate,
) -> NDArray[np.float64]:
    """The propensity of each impression under an estimator."""
    makers: dict[str, Callable[[], NDArray[np.float64]]] = {
        "judged": lambda: np.ones(len(log.position)),
        "naive": lambda: np.ones(len(log.position)),
        "logged": lambda: logged.astype(np.float64),
        "estimated": lambda: estimate.theta[log.depth],
        "file": lambda: read_propensities(
            rules.propensity_file or "", int(log.position.max(initial=-1)) + 1
        )[log.position],
    }
    return makers[choice.name]()


def gains_over_draws(
    bias: PositionBias,
    depth: NDArray[np.integer],
    change: NDArray[np.float64],
    attainable: float,
) -> NDArray[np.float64]:
    """The debiased gain under each draw of the propensities.

    The gain is linear in the inverse propensities, so sums by position are all it takes.

    Args:
        bias: With its draws.
        depth: Shape ``(n_rows,)``: `Impressions.depth` of the scored rows.
        change: Shape ``(n_rows,)``: each row's gain times (discount after less before), times
            the weight of its session in the users' mean.
        attainable: Users' mean of the attainable value.

    Returns:
        Shape ``(n_draws,)``; its spread is the part of the gain's standard error that is the
        propensities'. Empty where they are given.
    """
    by_position = np.bincount(depth, change, len(bias.theta))
    return np.asarray((by_position * bias.theta / bias.draws).sum(axis=1) / attainable)
