"""The planted truth of the simulated shop: what its objects, queries and users are like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.config.data import SimulatedConfig

N_STYLES = 8
"""Dimensions of style and taste."""

N_SEGMENTS = 5
N_INTERESTS = 3
"""Topics that a user searches."""

VECTOR_NOISE = 1.0
"""Length of an object's or query's own direction beside its topic's, which has length 1."""

GRADE_BOUNDS = (0.6, 1.2, 1.8)
"""Likings, in standard deviations, from which an object is of relevance 1, 2, 3."""


@dataclass(frozen=True)
class Shop:
    """What is true of the shop, whatever its users do.

    Args:
        object_topic: Shape ``(n_objects,)``, ascending.
        object_offsets: Shape ``(n_objects + 1,)``, into `object_vectors`.
        object_vectors: Shape ``(n_parts, D)`` float32, unit length.
        object_style: Shape ``(n_objects, N_STYLES)``: what tastes can like in it.
        object_quality: Shape ``(n_objects,)``: how much everyone likes it.
        query_topic: Shape ``(n_queries,)``, ascending.
        query_vectors: Shape ``(n_queries, D)`` float32, unit length.
        user_segment: Shape ``(n_users,)``.
        user_taste: Shape ``(n_users, N_STYLES)``, unit length.
        user_topics: Shape ``(n_users, N_INTERESTS)``: the topics that a user searches.
        user_activity: Shape ``(n_users,)``: share of the sessions.
    """

    object_topic: NDArray[np.int64]
    object_offsets: NDArray[np.int64]
    object_vectors: NDArray[np.float32]
    object_style: NDArray[np.float32]
    object_quality: NDArray[np.float32]
    query_topic: NDArray[np.int64]
    query_vectors: NDArray[np.float32]
    user_segment: NDArray[np.int64]
    user_taste: NDArray[np.float32]
    user_topics: NDArray[np.int64]
    user_activity: NDArray[np.float64]


def build_shop(config: SimulatedConfig, rng: np.random.Generator) -> Shop:
    """Draw a shop.

    Objects and queries lie around the centre of their topic. What makes an object liked, its
    quality and its style, does not show in its vectors: only clicks tell.

    Args:
        config: The sizes.
        rng: Where all chance comes from.
    """
    centres = _unit(rng.standard_normal((config.n_topics, config.dimensions), np.float32))
    object_topic = _spread(config.n_objects, config.n_topics)
    query_topic = _spread(config.n_queries, config.n_topics)
    n_parts = rng.integers(1, config.max_parts + 1, config.n_objects)
    segment = rng.integers(0, N_SEGMENTS, config.n_users)
    segment_taste = _unit(rng.standard_normal((N_SEGMENTS, N_STYLES), np.float32))
    own_taste = _unit(rng.standard_normal((config.n_users, N_STYLES), np.float32))
    activity = rng.gamma(2.0, size=config.n_users)
    return Shop(
        object_topic=object_topic,
        object_offsets=np.concatenate([[0], np.cumsum(n_parts)]),
        object_vectors=_around(centres, np.repeat(object_topic, n_parts), rng),
        object_style=rng.standard_normal((config.n_objects, N_STYLES), np.float32),
        object_quality=rng.standard_normal(config.n_objects, np.float32),
        query_topic=query_topic,
        query_vectors=_around(centres, query_topic, rng),
        user_segment=segment,
        user_taste=_unit(0.7 * segment_taste[segment] + own_taste),
        user_topics=rng.integers(0, config.n_topics, (config.n_users, N_INTERESTS)),
        user_activity=activity / activity.sum() if config.user_tail == 0 else _tail(config),
    )


def liking(
    shop: Shop,
    config: SimulatedConfig,
    topic_objects: slice,
    users: NDArray[np.int64],
    similarity: NDArray[np.float32],
) -> NDArray[np.float32]:
    """How much each user likes each object of a topic for their query, in standard deviations.

    Args:
        shop: The truth.
        config: The weights of what a liking is made of.
        topic_objects: The topic's objects.
        users: Shape ``(n_sessions,)``.
        similarity: Shape ``(n_sessions, n_topic_objects)``: of the query to the nearest part.

    Returns:
        Shape ``(n_sessions, n_topic_objects)``.
    """
    taste = shop.user_taste[users] @ shop.object_style[topic_objects].T
    spread = max(float(similarity.std()), 1e-6)
    standard = (similarity - similarity.mean()) / spread
    crowd = shop.object_quality[topic_objects]
    liked: NDArray[np.float32] = (
        config.similarity_weight * standard
        + config.crowd_weight * crowd
        + config.taste_weight * taste
    )
    return liked


def relevance_of(liked: NDArray[np.float32]) -> NDArray[np.int64]:
    """The grade 0, 1, 2 or 3 of a liking.

    Example:
        >>> relevance_of(np.array([0.0, 0.7, 5.0], np.float32)).tolist()
        [0, 1, 3]
    """
    return np.digitize(liked, GRADE_BOUNDS)


def _tail(config: SimulatedConfig) -> NDArray[np.float64]:
    """Shares of sessions that fall with the user's rank, the first user's the largest."""
    weight = np.arange(1.0, config.n_users + 1) ** -config.user_tail
    share: NDArray[np.float64] = weight / weight.sum()
    return share


def _spread(n: int, n_topics: int) -> NDArray[np.int64]:
    """Divide things evenly among topics, in order."""
    return np.arange(n) * n_topics // n


def _around(
    centres: NDArray[np.float32], topic: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float32]:
    own = _unit(rng.standard_normal((len(topic), centres.shape[1]), np.float32))
    return _unit(centres[topic] + np.float32(VECTOR_NOISE) * own)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
