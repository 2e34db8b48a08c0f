"""What the simulated shop's users do: when they search, what they are shown, what they click."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.config.data import SimulatedConfig
from experiments.data.made.shop import GRADE_BOUNDS, Shop, liking, relevance_of

START = 1_735_689_600
"""1 January 2025, UTC epoch seconds: the day the shop opens."""

DAY, HOUR = 86_400, 3_600
DISPLAY_NOISE = 0.15
"""Spread of what the shop's ranking adds to a similarity."""

NULL_ATTRACTION = 0.12
"""Chance of a click on whatever is looked at, where clicks carry no signal."""

SECONDS_A_RESULT = 4.0
CHUNK_SESSIONS = 20_000


@dataclass(frozen=True)
class Searches:
    """Who searched what when, in order of time; arrays of shape ``(n_sessions,)``."""

    user: NDArray[np.int64]
    query: NDArray[np.int64]
    created_at: NDArray[np.int64]
    is_irrelevant: NDArray[np.bool_]


@dataclass(frozen=True)
class Results:
    """What was shown and clicked; arrays of shape ``(n_sessions, n_shown)``, by position."""

    shown: NDArray[np.int32]
    relevance: NDArray[np.int8]
    clicked: NDArray[np.bool_]


def draw_searches(shop: Shop, config: SimulatedConfig, rng: np.random.Generator) -> Searches:
    """Draw the searches.

    A user searches a few topics. A search repeats, with the chance `repeat_share`, one of the
    user's two habitual queries on the topic; else it takes any query of the topic.
    """
    n = config.n_sessions
    user = rng.choice(config.n_users, n, p=shop.user_activity)
    interest = rng.integers(0, shop.user_topics.shape[1], n)
    topic = shop.user_topics[user, interest]
    first = np.searchsorted(shop.query_topic, np.arange(config.n_topics + 1))
    n_queries = np.diff(first)[topic]
    habit = rng.random((config.n_users, shop.user_topics.shape[1], 2))[
        user, interest, rng.integers(0, 2, n)
    ]
    draw = np.where(rng.random(n) < config.repeat_share, habit, rng.random(n))
    return Searches(
        user=user,
        query=first[topic] + (draw * n_queries).astype(np.int64),
        created_at=START + np.sort(rng.integers(0, config.n_days * DAY, n)),
        is_irrelevant=rng.random(n) < config.irrelevant_share,
    )


def examination(config: SimulatedConfig) -> NDArray[np.float64]:
    """The chance that each position is looked at, shape ``(n_shown,)``.

    The position-based model of Richardson, Dominowska and Ragno (2007): a click needs a look,
    and a look depends on the position alone.
    """
    return np.asarray(np.arange(1, config.n_shown + 1) ** -config.examination_decay, np.float64)


def attraction(config: SimulatedConfig) -> NDArray[np.float64]:
    """The chance that a result of each grade is clicked once looked at, shape ``(4,)``.

    noise + (1 - noise) · (2^grade - 1) / (2^3 - 1), the gain of Chapelle et al. (2009). With
    `null`, every grade has the same chance.
    """
    grades = np.arange(len(GRADE_BOUNDS) + 1)
    if config.null:
        return np.full(len(grades), NULL_ATTRACTION)
    gain = (np.exp2(grades) - 1) / (2 ** len(GRADE_BOUNDS) - 1)
    return config.click_noise + (1 - config.click_noise) * gain


def draw_results(
    shop: Shop, searches: Searches, config: SimulatedConfig, rng: np.random.Generator
) -> Results:
    """Rank the topic's objects for each search by similarity and some noise, and draw clicks."""
    shape = (config.n_sessions, config.n_shown)
    shown, relevance = np.empty(shape, np.int32), np.empty(shape, np.int8)
    for rows, objects in _by_topic(shop, searches, config):
        query = searches.query[rows]
        distinct, place = np.unique(query, return_inverse=True)
        similarity = _nearest(shop, objects, distinct)[place]
        noise = rng.standard_normal(similarity.shape, np.float32)
        best = _top(similarity + DISPLAY_NOISE * noise, config.n_shown)
        liked = liking(shop, objects, searches.user[rows], similarity)
        shown[rows] = objects.start + best
        relevance[rows] = relevance_of(np.take_along_axis(liked, best, axis=1))
    return Results(shown, relevance, _draw_clicks(relevance, config, rng))


def _draw_clicks(
    relevance: NDArray[np.int8], config: SimulatedConfig, rng: np.random.Generator
) -> NDArray[np.bool_]:
    look, click = examination(config).astype(np.float32), attraction(config).astype(np.float32)
    clicked = np.empty(relevance.shape, bool)
    for start in range(0, len(relevance), CHUNK_SESSIONS):
        part = relevance[start : start + CHUNK_SESSIONS]
        clicked[start : start + len(part)] = rng.random(part.shape, np.float32) < look * click[part]
    return clicked


def _by_topic(
    shop: Shop, searches: Searches, config: SimulatedConfig
) -> Iterator[tuple[NDArray[np.int64], slice]]:
    """Sessions of one topic at a time, with the topic's objects."""
    topic = shop.query_topic[searches.query]
    order = np.argsort(topic, kind="stable")
    bounds = np.searchsorted(topic[order], np.arange(config.n_topics + 1))
    first = np.searchsorted(shop.object_topic, np.arange(config.n_topics + 1))
    for number in range(config.n_topics):
        objects = slice(int(first[number]), int(first[number + 1]))
        for start in range(bounds[number], bounds[number + 1], CHUNK_SESSIONS):
            yield order[start : min(start + CHUNK_SESSIONS, bounds[number + 1])], objects


def _nearest(shop: Shop, objects: slice, queries: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cosine of each query to the nearest part of each object, ``(n_queries, n_objects)``."""
    offsets = shop.object_offsets[objects.start : objects.stop + 1]
    parts = shop.object_vectors[offsets[0] : offsets[-1]]
    cosines = shop.query_vectors[queries] @ parts.T
    return np.maximum.reduceat(cosines, offsets[:-1] - offsets[0], axis=1)


def _top(scores: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Columns of the `n` best scores of each row, best first."""
    if n < scores.shape[1]:
        best = np.argpartition(-scores, n, axis=1)[:, :n]
    else:
        best = np.broadcast_to(np.arange(n), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def click_times(
    created_at: NDArray[np.int64],
    position: NDArray[np.int64],
    config: SimulatedConfig,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """When clicks arrive: a few seconds a result after the search, some of them hours later.

    Args:
        created_at: Shape ``(n_clicks,)``: when its session began.
        position: Shape ``(n_clicks,)``.
        config: The share of late clicks.
        rng: Chance.
    """
    n = len(created_at)
    seconds = 1 + rng.gamma(2.0, SECONDS_A_RESULT / 2, n) * (position + 1)
    late = rng.random(n) < config.late_share
    return created_at + seconds.astype(np.int64) + late * rng.integers(HOUR, DAY, n)
