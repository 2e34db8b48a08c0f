"""Small click logs drawn at random, with everything ragged: parts, results, clicks, late events."""

import numpy as np

from adjuster.index import SearchIndexInfo
from adjuster.ragged import offsets_of
from experiments.data.format.click_log import ClickLog


def make_log(
    seed: int,
    *,
    n_sessions: int = 60,
    n_users: int = 4,
    n_objects: int = 12,
    n_queries: int = 5,
    dimensions: int = 7,
    metric: str = "cosine",
    pooling: str = "min",
    query_parts: int = 1,
    unknown_users: bool = True,
    span_seconds: int = 40_000,
) -> ClickLog:
    """A log whose clicks are drawn without regard to vectors."""
    rng = np.random.default_rng(seed)
    object_parts = rng.integers(1, 4, n_objects)
    n_query_parts = rng.integers(1, query_parts + 1, n_queries)
    created_at = np.sort(rng.integers(1_000_000, 1_000_000 + span_seconds, n_sessions))
    users = rng.integers(-1 if unknown_users else 0, n_users, n_sessions)
    shown = [rng.permutation(n_objects)[: rng.integers(0, 7)] for _ in range(n_sessions)]
    offsets = offsets_of([len(row) for row in shown])
    events = [
        (impression, created_at[session] + int(rng.choice([0, 30, 400, 9000])))
        for session in range(n_sessions)
        for impression in range(offsets[session], offsets[session + 1])
        for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.3, 0.1])))
    ]
    events.sort()
    n_shown = int(offsets[-1])
    vectors = rng.normal(size=(object_parts.sum(), dimensions)).astype(np.float32)
    return ClickLog(
        name="random",
        index=SearchIndexInfo(dimensions, metric, pooling),
        personalize_by="user_id",
        object_ids=np.array([f"o{i:02d}" for i in range(n_objects)], object),
        object_offsets=offsets_of(object_parts),
        object_vectors=vectors,
        object_is_average=np.zeros(len(vectors), bool),
        object_titles=np.array([""] * n_objects, object),
        query_ids=np.array([f"q{i}" for i in range(n_queries)], object),
        query_offsets=offsets_of(n_query_parts),
        query_vectors=rng.normal(size=(n_query_parts.sum(), dimensions)).astype(np.float32),
        query_texts=np.array([""] * n_queries, object),
        user_ids=np.array([f"u{i}" for i in range(n_users)], object),
        segments=np.array(["new", "old"], object),
        session_ids=np.array([f"s{i:03d}" for i in range(n_sessions)], object),
        session_query=rng.integers(0, n_queries, n_sessions).astype(np.int32),
        session_user=users.astype(np.int32),
        session_segment=rng.integers(0, 2, n_sessions).astype(np.int32),
        session_created_at=created_at.astype(np.int64),
        session_is_irrelevant=rng.random(n_sessions) < 0.1,
        impression_offsets=offsets,
        impression_object=np.concatenate(shown).astype(np.int32),
        impression_position=np.concatenate([np.arange(len(row)) for row in shown]).astype(np.int32),
        impression_relevance=rng.integers(0, 3, n_shown).astype(np.float32),
        impression_propensity=rng.uniform(0.1, 1, n_shown).astype(np.float32),
        event_impression=np.array([event[0] for event in events], np.int64),
        event_created_at=np.array([event[1] for event in events], np.int64),
        fingerprint=f"random-{seed}",
    )
