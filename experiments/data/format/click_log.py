"""A click log in memory: the frozen `ClickLog` that the replay reads."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from adjuster.index import SearchIndexInfo


@dataclass(frozen=True)
class ClickLog:
    """A click log as flat arrays, sessions in order of (created_at, session_id).

    Ragged arrays use offsets: row ``i`` owns ``offsets[i]:offsets[i + 1]``. Indices count from 0;
    -1 stands for unknown.

    Args:
        name: Name of the data set.
        index: Dimensions, metric and pooling of the vectors.
        personalize_by: The data set's own default scope: ``user_id``, ``segment`` or ``none``.
        object_ids: Shape ``(n_objects,)`` str, sorted.
        object_offsets: Shape ``(n_objects + 1,)`` int64, into `object_vectors`.
        object_vectors: Shape ``(n_object_parts, D)`` float32.
        object_is_average: Shape ``(n_object_parts,)`` bool.
        object_titles: Shape ``(n_objects,)`` str, "" where unknown.
        query_ids: Shape ``(n_queries,)`` str, sorted.
        query_offsets: Shape ``(n_queries + 1,)`` int64, into `query_vectors`.
        query_vectors: Shape ``(n_query_parts, D)`` float32.
        query_texts: Shape ``(n_queries,)`` str, "" where unknown.
        user_ids: Shape ``(n_users,)`` str, sorted.
        segments: Shape ``(n_segments,)`` str, sorted.
        session_ids: Shape ``(n_sessions,)`` str.
        session_query: Shape ``(n_sessions,)`` int32.
        session_user: Shape ``(n_sessions,)`` int32, -1 unknown.
        session_segment: Shape ``(n_sessions,)`` int32, -1 unknown.
        session_created_at: Shape ``(n_sessions,)`` int64, UTC epoch seconds.
        session_is_irrelevant: Shape ``(n_sessions,)`` bool.
        impression_offsets: Shape ``(n_sessions + 1,)`` int64; a session's impressions stand in
            order of their logged position.
        impression_object: Shape ``(n_impressions,)`` int32.
        impression_position: Shape ``(n_impressions,)`` int32, 0-based.
        impression_relevance: Shape ``(n_impressions,)`` float32, NaN where not judged.
        impression_propensity: Shape ``(n_impressions,)`` float32, NaN where not logged.
        event_impression: Shape ``(n_events,)`` int64: the impression an event belongs to; events
            in order of (impression, time).
        event_created_at: Shape ``(n_events,)`` int64, UTC epoch seconds.
        fingerprint: SHA-256 (hex) of the content, independent of row order and compression.
        person: Who counts as a person: ``user``; ``session``: every session of unknown user too;
            or ``segment``, in place of the user.
    """

    name: str
    index: SearchIndexInfo
    personalize_by: str
    object_ids: NDArray[np.object_]
    object_offsets: NDArray[np.int64]
    object_vectors: NDArray[np.float32]
    object_is_average: NDArray[np.bool_]
    object_titles: NDArray[np.object_]
    query_ids: NDArray[np.object_]
    query_offsets: NDArray[np.int64]
    query_vectors: NDArray[np.float32]
    query_texts: NDArray[np.object_]
    user_ids: NDArray[np.object_]
    segments: NDArray[np.object_]
    session_ids: NDArray[np.object_]
    session_query: NDArray[np.int32]
    session_user: NDArray[np.int32]
    session_segment: NDArray[np.int32]
    session_created_at: NDArray[np.int64]
    session_is_irrelevant: NDArray[np.bool_]
    impression_offsets: NDArray[np.int64]
    impression_object: NDArray[np.int32]
    impression_position: NDArray[np.int32]
    impression_relevance: NDArray[np.float32]
    impression_propensity: NDArray[np.float32]
    event_impression: NDArray[np.int64]
    event_created_at: NDArray[np.int64]
    fingerprint: str
    person: str = "user"

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.session_ids)

    @property
    def n_users(self) -> int:
        """Number of known users."""
        return len(self.user_ids)

    @property
    def n_objects(self) -> int:
        """Number of objects in the index."""
        return len(self.object_ids)

    @property
    def n_impressions(self) -> int:
        """Number of shown results."""
        return len(self.impression_object)

    @cached_property
    def session_person(self) -> NDArray[np.int64]:
        """Number of the person in each session, -1 unknown, shape ``(n_sessions,)``."""
        if self.person == "segment":
            return self.session_segment.astype(np.int64)
        user = self.session_user.astype(np.int64)
        if self.person == "session":
            return np.where(user >= 0, user, self.n_users + np.arange(self.n_sessions))
        return user

    @cached_property
    def event_session(self) -> NDArray[np.int64]:
        """Session of each event, shape ``(n_events,)``."""
        return np.searchsorted(self.impression_offsets, self.event_impression, side="right") - 1

    @cached_property
    def session_top_click(self) -> NDArray[np.int64]:
        """Logged position of each session's highest click, 0-based; -1 without one.

        Shape ``(n_sessions,)``.
        """
        far = np.iinfo(np.int64).max
        positions = np.full(self.n_sessions, far)
        shown_at = self.impression_position[self.event_impression]
        np.minimum.at(positions, self.event_session, shown_at)
        positions[positions == far] = -1
        return positions

    def vectors_of_query(self, query: int) -> NDArray[np.float32]:
        """The parts of a query, shape ``(parts, D)``."""
        return self.query_vectors[self.query_offsets[query] : self.query_offsets[query + 1]]

    @cached_property
    def is_clicked(self) -> NDArray[np.bool_]:
        """Whether an impression has an event, whenever it came, shape ``(n_impressions,)``."""
        clicked = np.zeros(self.n_impressions, np.bool_)
        clicked[self.event_impression] = True
        return clicked
