"""Made-up traffic of a live system whose truth is planted: users, queries, two rankings, clicks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.live.interleaving import ADJUSTED, ORIGINALS, TEAMS, team_draft_sessions
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
    better = _ranked(attraction, 0.2 * NOISE, rng)
    lifts = ndcg(attraction, better) - ndcg(attraction, first)
    # As many queries are ranked better as the gain takes; the others are ranked as they were.
    enough = int(np.argmax(np.cumsum(lifts) / N_QUERIES >= gain)) + 1
    second = first.copy()
    second[:enough] = better[:enough]
    found = float(lifts[:enough].sum()) / N_QUERIES
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


@dataclass(frozen=True)
class Traffic:
    """Interleaved searches in the order in which they come.

    Args:
        user: Shape ``(n_sessions,)``.
        adjusted_clicks: Shape ``(n_sessions,)``: clicked results of its team.
        originals_clicks: Shape ``(n_sessions,)``: of the other.
    """

    user: NDArray[np.int64]
    adjusted_clicks: NDArray[np.int64]
    originals_clicks: NDArray[np.int64]


def make_traffic(
    world: World, n_sessions: int, decay: float, rng: np.random.Generator
) -> Traffic:
    """Searches of users who come back, with few favourite queries each.

    A result at rank r is looked at with chance r to the power of -decay.

    Args:
        world: What is searched.
        n_sessions: How many.
        decay: Position bias, >= 0.
        rng: Draws them.
    """
    user = _users(n_sessions, rng)
    favourites = rng.integers(0, N_QUERIES, (int(user.max()) + 1, QUERIES_PER_USER))
    query = favourites[user, rng.integers(0, QUERIES_PER_USER, n_sessions)]
    coins = rng.random((n_sessions, (N_RESULTS + 1) // 2)) < 0.5
    shown, teams = team_draft_sessions(world.adjusted[query], world.originals[query], coins)
    look = np.arange(1, N_RESULTS + 1) ** -decay
    clicked = rng.random(shown.shape) < look * world.attraction[query[:, None], shown]
    sides = (np.count_nonzero(clicked & (teams == TEAMS.index(side)), axis=1) for side in (ADJUSTED, ORIGINALS))
    return Traffic(user, *sides)


def _users(n_sessions: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Who searches: each user a number of times, all in a random order."""
    counts = rng.geometric(1 / SESSIONS_PER_USER, n_sessions)
    user = np.repeat(np.arange(n_sessions), counts)[:n_sessions]
    return rng.permutation(user)
