"""How likely a result at each position is examined: from the log, or estimated from its clicks."""

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig
from experiments.replay.timeline import Timeline

N_ROUNDS = 100
PRIOR = 1.0
"""Pseudo-clicks and pseudo-skips of each (query, object), so that one click is not certainty."""

FLOOR = 1e-3


def propensities(timeline: Timeline, objective: ObjectiveConfig) -> NDArray[np.float64]:
    """The propensity of every replayed impression, in (0, 1].

    Args:
        timeline: The replay.
        objective: ``propensity`` is ``logged`` or ``estimated``.

    Raises:
        InputError: If logged ones are asked for and are missing or out of range.
    """
    if objective.propensity == "estimated":
        return estimate_by_position(timeline)[_positions(timeline)]
    logged = timeline.log.impression_propensity[: timeline.n_impressions].astype(np.float64)
    bad = ~((logged > 0) & (logged <= 1))
    if bad.any():
        raise InputError(
            f"objective.propensity=logged needs a propensity in (0, 1] on every impression, but "
            f"data set {timeline.log.name!r} has {int(bad.sum())} of {len(bad)} without. "
            "Use objective.propensity=estimated."
        )
    return logged


def estimate_by_position(timeline: Timeline) -> NDArray[np.float64]:
    """Examination by position, under the position-based click model.

    P(click) = θ(position) · γ(query, object), fitted by expectation maximisation (Wang,
    Golbandi, Bendersky, Metzler and Najork, "Position Bias Estimation for Unbiased Learning to
    Rank in Personal Search", WSDM 2018), with one γ a (query, object) pair in place of their
    regression and a uniform prior on it. It tells θ from γ by objects that one query shows at
    several positions; where an object keeps its place, the two cannot be told apart.

    Returns:
        Shape ``(n_positions,)``: θ, scaled so that the largest is 1, at least 0.001.
    """
    position = _positions(timeline)
    query = timeline.query[timeline.session_of].astype(np.int64)
    objects = timeline.log.impression_object[: timeline.n_impressions]
    _, pair = np.unique(query * timeline.log.n_objects + objects, return_inverse=True)
    clicked = timeline.click_at < NEVER
    n_position, n_pair = np.bincount(position), np.bincount(pair)
    shown = np.maximum(n_position, 1)
    theta = np.full(len(n_position), 0.5)
    gamma = np.full(len(n_pair), 0.5)
    for _ in range(N_ROUNDS):
        examined, relevant = theta[position], gamma[pair]
        missed = 1.0 - examined * relevant
        looked = np.where(clicked, 1.0, examined * (1.0 - relevant) / missed)
        liked = np.where(clicked, 1.0, relevant * (1.0 - examined) / missed)
        theta = np.clip(np.bincount(position, looked) / shown, FLOOR, 1.0 - 1e-9)
        gamma = (np.bincount(pair, liked) + PRIOR) / (n_pair + 2 * PRIOR)
    scaled: NDArray[np.float64] = theta / theta[n_position > 0].max()
    return np.maximum(scaled, FLOOR)


def _positions(timeline: Timeline) -> NDArray[np.int32]:
    return timeline.log.impression_position[: timeline.n_impressions]
