"""Logs clicked by a position-based model, their results shown in orders of every kind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.replay.position.impressions import Impressions

N_SHOWN, N_POOL = 20, 30
NULL_ATTRACTION = 0.12


@dataclass(frozen=True)
class MadeLog:
    """A log and its truth: examination by position, attraction and score by impression."""

    log: Impressions
    theta: NDArray[np.float64]
    attraction: NDArray[np.float64]
    score: NDArray[np.float64]


def made_log(
    order: str,
    decay: float | NDArray[np.float64],
    *,
    null: bool = False,
    seed: int = 0,
    n_sessions: int = 2000,
    n_queries: int = 40,
) -> MadeLog:
    """A log of `n_sessions` searches of 20 results each.

    Args:
        order: ``fixed``; ``fifth`` (fixed, a fifth of the sessions shuffled); ``noisy`` (by a
            score that tells of attraction, and noise); ``sorted`` (by earlier clicks, then by a
            fixed order); ``random``.
        decay: A result at position p is looked at with chance (p + 1)^-decay; or the chances.
        null: Everything is equally attractive.
        seed: Seed.
        n_sessions: Sessions.
        n_queries: Queries, each with 30 objects of its own.
    """
    rng = np.random.default_rng(seed)
    theta = decay if isinstance(decay, np.ndarray) else np.arange(1.0, N_SHOWN + 1) ** -decay
    attraction = 0.03 + 0.97 * rng.beta(0.5, 3, (n_queries, N_POOL))
    score = np.log(attraction) + rng.normal(size=attraction.shape)
    if null:
        attraction[:] = NULL_ATTRACTION
    query = rng.integers(0, n_queries, n_sessions)
    shown = np.empty((n_sessions, N_SHOWN), np.int64)
    clicked = np.empty(shown.shape, bool)
    clicks = np.zeros(attraction.shape)
    for i, asked in enumerate(query):
        noise = rng.normal(size=N_POOL)
        by = {
            "fixed": score[asked],
            "fifth": noise if rng.random() < 0.2 else score[asked],
            "noisy": score[asked] + 0.5 * noise,
            "sorted": clicks[asked] + 1e-3 * score[asked],
            "random": noise,
        }[order]
        shown[i] = np.argsort(-by)[:N_SHOWN]
        clicked[i] = rng.random(N_SHOWN) < theta * attraction[asked, shown[i]]
        clicks[asked, shown[i]] += clicked[i]
    log = Impressions(
        query=query,
        user=rng.integers(0, 200, n_sessions),
        offsets=np.arange(n_sessions + 1) * N_SHOWN,
        object=(query[:, None] * N_POOL + shown).ravel(),
        position=np.tile(np.arange(N_SHOWN), n_sessions),
        clicked=clicked.ravel(),
    )
    place = query[:, None], shown
    return MadeLog(log, theta, attraction[place].ravel(), score[place].ravel())
