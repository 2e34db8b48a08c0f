"""What a click model reads of a log: who was shown what where, and what was clicked."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MAX_POSITIONS = 100
"""Deeper positions share one examination: few logs show enough of them to tell more."""


@dataclass(frozen=True)
class Impressions:
    """The impressions of a log's sessions, in order of time.

    Args:
        query: Shape ``(n_sessions,)``: query of each session.
        user: Shape ``(n_sessions,)``: user of each session, -1 unknown.
        offsets: Shape ``(n_sessions + 1,)``: impressions of each session.
        object: Shape ``(n_impressions,)``.
        position: Shape ``(n_impressions,)``: 0-based.
        clicked: Shape ``(n_impressions,)`` bool.
    """

    query: NDArray[np.integer]
    user: NDArray[np.integer]
    offsets: NDArray[np.int64]
    object: NDArray[np.integer]
    position: NDArray[np.integer]
    clicked: NDArray[np.bool_]

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.query)

    @cached_property
    def session(self) -> NDArray[np.int64]:
        """Session of each impression."""
        return np.repeat(np.arange(self.n_sessions), np.diff(self.offsets))

    @cached_property
    def depth(self) -> NDArray[np.int64]:
        """Position of each impression as the click model counts it: at most the deepest."""
        return np.asarray(np.minimum(self.position, MAX_POSITIONS - 1), np.int64)

    @cached_property
    def pair(self) -> NDArray[np.int64]:
        """Number of each impression's (query, object) pair, from 0 without gaps."""
        n_objects = int(self.object.max(initial=0)) + 1
        key = self.query.astype(np.int64)[self.session] * n_objects + self.object
        return np.unique(key, return_inverse=True)[1].astype(np.int64)

    @cached_property
    def cluster(self) -> NDArray[np.int64]:
        """Who made each session: a known user, or the session itself; numbered without gaps."""
        own = np.where(
            self.user >= 0, self.user, self.user.max(initial=0) + 1 + np.arange(self.n_sessions)
        )
        return np.unique(own, return_inverse=True)[1].astype(np.int64)
