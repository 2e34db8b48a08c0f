"""What the simulated shop's users do: when they search, what they are shown, what they click."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from experiments.config.data import SimulatedConfig
from experiments.data.made.orders import QueryScores, shuffle_rows, top
from experiments.data.made.refinding import draw_refinding
from experiments.data.made.shop import GRADE_BOUNDS, Shop, liking, relevance_of
from experiments.data.made.visitors import choose_bot_sessions, draw_bot_objects
from experiments.data.made.wants import SharedWants, flip_signs

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

    @cached_property
    def day(self) -> NDArray[np.int64]:
        """Days since the shop opened."""
        return (self.created_at - START) // DAY


@dataclass(frozen=True)
class Results:
    """What was shown and clicked; arrays of shape ``(n_sessions, n_shown)``, by position.

    Args:
        shown: Objects.
        relevance: Their true grades.
        clicked: Which were clicked.
        sought: Which are found wherever they stand, as the user or bot looks for them.
        by_bot: Shape ``(n_sessions,)``: sessions that a bot made.
    """

    shown: NDArray[np.int32]
    relevance: NDArray[np.int8]
    clicked: NDArray[np.bool_]
    sought: NDArray[np.bool_]
    by_bot: NDArray[np.bool_]


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
        created_at=START + _opened(np.sort(rng.integers(0, config.n_days * DAY, n)), config),
        is_irrelevant=rng.random(n) < config.irrelevant_share,
    )


def _opened(second: NDArray[np.int64], config: SimulatedConfig) -> NDArray[np.int64]:
    """Seconds since the start, each day's squeezed into its opening hours."""
    day, within = np.divmod(second, DAY)
    return day * DAY + (within * (config.open_hours / 24)).astype(np.int64)


def examination(config: SimulatedConfig) -> NDArray[np.float64]:
    """The chance that each position is looked at, shape ``(n_shown,)``.

    The position-based model of Richardson, Dominowska and Ragno (2007): a click needs a look,
    and a look depends on the position alone.
    """
    return np.asarray(np.arange(1.0, config.n_shown + 1) ** -config.examination_decay, np.float64)


def attraction(config: SimulatedConfig) -> NDArray[np.float64]:
    """The chance that a result of each grade is clicked once looked at, shape ``(4,)``.

    noise + (1 - noise) · (2^grade - 1) / (2^3 - 1), the gain of Chapelle et al. (2009). With
    `null` or re-finding, every grade has the same chance.
    """
    grades = np.arange(len(GRADE_BOUNDS) + 1)
    if config.followed != "relevance":
        return np.full(len(grades), NULL_ATTRACTION)
    gain = (np.exp2(grades) - 1) / (2 ** len(GRADE_BOUNDS) - 1)
    rates: NDArray[np.float64] = config.click_noise + (1 - config.click_noise) * gain
    return rates


def draw_results(
    shop: Shop, searches: Searches, config: SimulatedConfig, rng: np.random.Generator
) -> Results:
    """Rank the topic's objects for each search and draw clicks.

    Chance that only some options need comes from a generator of its own, so that the other
    draws stay as they are.
    """
    (options,) = rng.spawn(1)
    shape = (config.n_sessions, config.n_shown)
    results = Results(
        shown=np.empty(shape, np.int32),
        relevance=np.empty(shape, np.int8),
        clicked=np.zeros(shape, bool),
        sought=np.zeros(shape, bool),
        by_bot=np.zeros(config.n_sessions, bool),
    )
    _show(shop, searches, config, results, rng, options)
    if config.followed == "refinding":
        chance = (examination(config) * NULL_ATTRACTION).astype(np.float32)
        drawn = draw_refinding(searches.user, searches.day, results.shown, chance, rng)
        results.clicked[:], results.sought[:] = drawn
    elif config.shown_order != "past_clicks":
        results.clicked[:] = _draw_clicks(results.relevance, config, rng)
    return results if config.bot_share == 0 else _with_bot(results, config, options)


def _show(
    shop: Shop,
    searches: Searches,
    config: SimulatedConfig,
    results: Results,
    rng: np.random.Generator,
    options: np.random.Generator,
) -> None:
    """Fill in what is shown and how relevant it is; by past clicks, the clicks too."""
    shuffled = np.zeros(config.n_sessions, bool)
    if config.shuffled_share > 0:
        shuffled = options.random(config.n_sessions) < config.shuffled_share
    signs = flip_signs(config)
    wants = SharedWants(config, options)
    tally = QueryScores(config, options)
    for rows, objects in _by_topic(shop, searches, config):
        query = searches.query[rows]
        distinct, place = np.unique(query, return_inverse=True)
        similarity = _nearest(shop, objects, distinct)[place]
        noise = rng.standard_normal(similarity.shape, np.float32)
        scores = similarity + DISPLAY_NOISE * noise
        liked = liking(shop, config, objects, searches.user[rows], similarity)
        liked = wants.add_to(liked, objects, query, searches.day[rows])
        liked *= signs[rows, None]
        for wave in tally.rounds(query):
            ranked = tally.scores(query[wave], objects, scores[wave])
            best = shuffle_rows(top(ranked, config.n_shown), shuffled[rows[wave]], options)
            at = rows[wave]
            results.shown[at] = objects.start + best
            results.relevance[at] = relevance_of(np.take_along_axis(liked[wave], best, axis=1))
            if config.shown_order == "past_clicks":
                results.clicked[at] = _draw_clicks(results.relevance[at], config, rng)
                tally.add(query[wave], results.shown[at], results.clicked[at])


def _with_bot(results: Results, config: SimulatedConfig, rng: np.random.Generator) -> Results:
    """Hand sessions over to the bot: it clicks its own objects and judges nothing relevant."""
    its_clicks = draw_bot_objects(config.n_objects, rng)[results.shown]
    by_bot = choose_bot_sessions(
        results.clicked.sum(axis=1), its_clicks.sum(axis=1), config.bot_share, rng
    )
    mine = by_bot[:, None]
    return Results(
        shown=results.shown,
        relevance=np.where(mine, np.int8(0), results.relevance),
        clicked=np.where(mine, its_clicks, results.clicked),
        sought=results.sought | mine,
        by_bot=by_bot,
    )


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
