"""Click logs written out by hand, for tests whose right answer is counted on fingers."""

from dataclasses import dataclass, field

import numpy as np

from adjuster.index import SearchIndexInfo
from adjuster.ragged import offsets_of
from experiments.data.format.click_log import ClickLog


@dataclass(frozen=True)
class Search:
    """One session: who asks what when, what is shown, and (position, time) of each event."""

    at: int
    user: int
    query: int
    shown: list[int]
    events: list[tuple[int, int]] = field(default_factory=list)
    irrelevant: bool = False


def tiny_log(*searches: Search, n_objects: int = 4, n_queries: int = 3, n_users: int = 3):
    """A log of these searches, in order of time; object i is the direction i of a cube."""
    events = sorted(
        (row + position, at)
        for row, search in zip(
            offsets_of([len(one.shown) for one in searches]), searches, strict=False
        )
        for position, at in search.events
    )
    shown = [np.array(one.shown, np.int32) for one in searches]
    n_shown = sum(len(row) for row in shown)
    dimensions = max(n_objects, n_queries)
    return ClickLog(
        name="tiny",
        index=SearchIndexInfo(dimensions),
        personalize_by="user_id",
        object_ids=np.array([f"o{i}" for i in range(n_objects)], object),
        object_offsets=np.arange(n_objects + 1),
        object_vectors=np.eye(n_objects, dimensions, dtype=np.float32),
        object_is_average=np.zeros(n_objects, bool),
        object_titles=np.array([""] * n_objects, object),
        query_ids=np.array([f"q{i}" for i in range(n_queries)], object),
        query_offsets=np.arange(n_queries + 1),
        query_vectors=np.eye(n_queries, dimensions, dtype=np.float32) + np.float32(0.1),
        query_texts=np.array([""] * n_queries, object),
        user_ids=np.array([f"u{i}" for i in range(n_users)], object),
        segments=np.array(["all"], object),
        session_ids=np.array([f"s{i:03d}" for i in range(len(searches))], object),
        session_query=np.array([one.query for one in searches], np.int32),
        session_user=np.array([one.user for one in searches], np.int32),
        session_segment=np.zeros(len(searches), np.int32),
        session_created_at=np.array([one.at for one in searches], np.int64),
        session_is_irrelevant=np.array([one.irrelevant for one in searches], bool),
        impression_offsets=offsets_of([len(row) for row in shown]),
        impression_object=np.concatenate(shown),
        impression_position=np.concatenate([np.arange(len(row)) for row in shown]).astype(np.int32),
        impression_relevance=np.full(n_shown, np.nan, np.float32),
        impression_propensity=np.full(n_shown, np.nan, np.float32),
        event_impression=np.array([row for row, _ in events], np.int64),
        event_created_at=np.array([at for _, at in events], np.int64),
        fingerprint="tiny",
    )
