"""Made-up traffic of a live system whose truth is planted: users, queries, two rankings, clicks."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.live.ranking.interleaving import ADJUSTED, ORIGINALS, TEAMS, team_draft_sessions
from adjuster.metrics.ranking import judge, score_sessions

N_QUERIES = 400
N_RESULTS = 10
QUERIES_PER_USER = 3
SESSIONS_PER_USER = 4.0
"""Mean; drawn geometrically, so that a few users search a great deal."""

NOISE = 0.5
"""Spread of what the originals' ranking errs by, of which a better ranking errs by less."""


@dataclass(frozen=True)
class World:
    """Queries with their results, ranked twice.

    Args:
        attraction: Shape ``(n_queries, K)``: chance of a click on a result that is looked at.
        originals: Shape ``(n_queries, K)``: results, best first.
        adjusted: Shape ``(n_queries, K)``.
        gain: Mean over queries of NDCG@10, adjusted less originals', by attraction.
    """

    attraction: NDArray[np.float64]
    originals: NDArray[np.int64]
    adjusted: NDArray[np.int64]
    gain: float


def make_world(kind: str, gain: float, rng: np.random.Generator) -> World:
    """A world in which the adjusted ranking is better, equal or worse.

    ``equal`` is exact, for every metric and all clicks: each query has a twin with the same
    results, whose two rankings are the other way round.

    Args:
        kind: ``better``, ``equal`` or ``worse``.
        gain: By how much NDCG@10 differs, > 0.
        rng: Draws it.
    """
    # Most results draw few clicks, some draw many.
    attraction = rng.beta(0.5, 2.0, (N_QUERIES, N_RESULTS))
    first = _ranked(attraction, NOISE, rng)
    if kind == "equal":
        half = N_QUERIES // 2
        attraction[half:] = attraction[:half]
        second = _ranked(attraction, NOISE, rng)
        first[half:], second[half:] = second[:half], first[:half]
        return World(attraction, first, second, 0.0)
    # Every query is ranked anew: as many of them well as the gain takes, the others as before.
    second, better = _ranked(attraction, NOISE, rng), _ranked(attraction, 0.2 * NOISE, rng)
    base, change = ndcg(attraction, second), ndcg(attraction, better) - ndcg(attraction, second)
    lift = (base - ndcg(attraction, first)).sum() + np.cumsum(change)
    enough = int(np.argmax(lift >= gain * N_QUERIES)) + 1
    second[:enough] = better[:enough]
    found = float((ndcg(attraction, second) - ndcg(attraction, first)).mean())
    if kind == "worse":
        return World(attraction, second, first, -found)
    return World(attraction, first, second, found)


def _ranked(
    attraction: NDArray[np.float64], noise: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    seen = attraction + noise * rng.normal(size=attraction.shape)
    return np.argsort(-seen, axis=1, kind="stable")


def ndcg(attraction: NDArray[np.float64], ranking: NDArray[np.int64]) -> NDArray[np.float64]:
    """NDCG@10 of each query, with attraction as the gain of a result."""
    n, k = ranking.shape
    judged = judge(attraction.ravel(), np.arange(n + 1) * k)
    rows = (ranking + k * np.arange(n)[:, None]).ravel()
    return score_sessions(judged, rows)["ndcg_at_10"]


class Visits(NamedTuple):
    """Searches in the order in which they come.

    Args:
        user: Shape ``(n_sessions,)``.
        query: Shape ``(n_sessions,)``.
    """

    user: NDArray[np.int64]
    query: NDArray[np.int64]


def make_visits(n_sessions: int, rng: np.random.Generator) -> Visits:
    """Searches of users who come back, each with a few queries that are their own.

    Args:
        n_sessions: How many.
        rng: Draws them.
    """
    counts = rng.geometric(1 / SESSIONS_PER_USER, n_sessions)
    user = rng.permutation(np.repeat(np.arange(n_sessions), counts)[:n_sessions])
    own = rng.integers(0, N_QUERIES, (int(user.max()) + 1, QUERIES_PER_USER))
    return Visits(user, own[user, rng.integers(0, QUERIES_PER_USER, n_sessions)])


def looks(decay: float) -> NDArray[np.float64]:
    """Chance of a look at each rank r: r to the power of -decay, shape ``(K,)``."""
    return np.arange(1.0, N_RESULTS + 1) ** -decay


def clicked_share(world: World, decay: float) -> float:
    """Share of the searches with a click where the originals' ranking is shown alone.

    Args:
        world: What is searched.
        decay: Position bias, >= 0.
    """
    attraction = np.take_along_axis(world.attraction, world.originals, axis=1)
    return float(1 - np.prod(1 - looks(decay) * attraction, axis=1).mean())


def interleaved_clicks(
    world: World, query: NDArray[np.int64], decay: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Clicks on each team's results in interleaved searches.

    Args:
        world: What is searched.
        query: Shape ``(n_sessions,)``.
        decay: Position bias, >= 0.
        rng: Draws coins and clicks.

    Returns:
        Of the adjusted ranking's team and of the originals', shape ``(n_sessions,)`` each.
    """
    coins = rng.random((len(query), (N_RESULTS + 1) // 2)) < 0.5
    shown, teams = team_draft_sessions(world.adjusted[query], world.originals[query], coins)
    clicked = rng.random(shown.shape) < looks(decay) * world.attraction[query[:, None], shown]
    adjusted, originals = (
        np.count_nonzero(clicked & (teams == TEAMS.index(side)), axis=1)
        for side in (ADJUSTED, ORIGINALS)
    )
    return adjusted, originals
