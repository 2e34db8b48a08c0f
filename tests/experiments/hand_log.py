"""Click logs written by hand, a line a session, for what can be counted on paper."""

from typing import NamedTuple

import numpy as np

from adjuster.feedback import offsets_of
from adjuster.index import SearchIndexInfo
from experiments.data.format.click_log import ClickLog


class Session(NamedTuple):
    """One search.

    Args:
        at: Its time.
        shown: The objects shown, from the top.
        clicks: (object, time) of each click, in any order.
        user: Who searched; -1 is unknown.
        query: What for.
        irrelevant: Marked by the user as irrelevant.
    """

    at: int
    shown: tuple[int, ...]
    clicks: tuple[tuple[int, int], ...] = ()
    user: int = 0
    query: int = 0
    irrelevant: bool = False


def write_log(
    *sessions: Session, objects: np.ndarray | None = None, queries: np.ndarray | None = None
) -> ClickLog:
    """A log of these sessions, which are in order of time.

    Args:
        sessions: The searches.
        objects: A vector a row; by default object i is the i-th axis of 6.
        queries: A vector a row; by default query i is the i-th axis of 6.
    """
    objects = np.eye(6, dtype=np.float32) if objects is None else objects.astype(np.float32)
    queries = np.eye(6, dtype=np.float32) if queries is None else queries.astype(np.float32)
    offsets = offsets_of([len(session.shown) for session in sessions])
    events = sorted(
        (int(offsets[i]) + session.shown.index(thing), at)
        for i, session in enumerate(sessions)
        for thing, at in session.clicks
    )
    n_users = max(session.user for session in sessions) + 1
    shown = [thing for session in sessions for thing in session.shown]
    positions = [place for session in sessions for place in range(len(session.shown))]
    return ClickLog(
        name="by hand",
        index=SearchIndexInfo(objects.shape[1], "cosine", "min"),
        personalize_by="user_id",
        object_ids=np.array([f"o{i}" for i in range(len(objects))], object),
        object_offsets=np.arange(len(objects) + 1),
        object_vectors=objects,
        object_is_average=np.zeros(len(objects), bool),
        object_titles=np.array([""] * len(objects), object),
        query_ids=np.array([f"q{i}" for i in range(len(queries))], object),
        query_offsets=np.arange(len(queries) + 1),
        query_vectors=queries,
        query_texts=np.array([""] * len(queries), object),
        user_ids=np.array([f"u{i}" for i in range(n_users)], object),
        segments=np.array([], object),
        session_ids=np.array([f"s{i}" for i in range(len(sessions))], object),
        session_query=np.array([session.query for session in sessions], np.int32),
        session_user=np.array([session.user for session in sessions], np.int32),
        session_segment=np.full(len(sessions), -1, np.int32),
        session_created_at=np.array([session.at for session in sessions], np.int64),
        session_is_irrelevant=np.array([session.irrelevant for session in sessions]),
        impression_offsets=offsets,
        impression_object=np.array(shown, np.int32),
        impression_position=np.array(positions, np.int32),
        impression_relevance=np.full(len(shown), np.nan, np.float32),
        impression_propensity=np.full(len(shown), np.nan, np.float32),
        event_impression=np.array([event[0] for event in events], np.int64),
        event_created_at=np.array([event[1] for event in events], np.int64),
        fingerprint="by hand",
    )
