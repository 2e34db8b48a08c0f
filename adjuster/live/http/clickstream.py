"""What clients tell a live system: searches, events, marks; each is kept before it is answered."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adjuster.live.storage.records import CLICK, Event, Impression, Query, Session, StoredSession
from adjuster.live.storage.store import Store, UnknownSession

EVERYONE = "everyone"
"""The owner of all sessions where vectors are shared."""

SCOPES = ("user_id", "segment", "none")


class Searcher(NamedTuple):
    """Who searched, as far as the client says."""

    user_id: str | None = None
    segment: str | None = None


class Told(NamedTuple):
    """An event as a client tells it; without a time it happened now."""

    event_id: str
    object_id: str
    created_at: int | None = None
    event_type: str = CLICK


@dataclass(frozen=True)
class Clickstream:
    """The clients' paths over a store.

    A client that does not know whether it was heard may tell the same again: without a time of its
    own, what is there already keeps the time that it was given first.

    Args:
        personalize_by: Whose vectors a session reads and adjusts, one of `SCOPES`.
        clock: Epoch seconds.
    """

    personalize_by: str = SCOPES[0]
    clock: Callable[[], float] = time.time

    def owner(self, searcher: Searcher) -> str | None:
        """Whose vectors a search reads; None where that is nobody.

        Example:
            >>> Clickstream("none").owner(Searcher()), Clickstream().owner(Searcher("ann"))
            ('everyone', 'ann')
        """
        if self.personalize_by == "none":
            return EVERYONE
        owner: str | None = getattr(searcher, self.personalize_by)
        return owner

    def register(
        self,
        store: Store,
        session_id: str,
        query: Query,
        shown: Sequence[Impression],
        searcher: Searcher,
        created_at: int | None = None,
    ) -> bool:
        """Write a search down.

        Args:
            store: Where.
            session_id: Its name.
            query: What was asked.
            shown: The results in the order in which they were shown.
            searcher: Who searched.
            created_at: When, in epoch seconds; None is now.

        Returns:
            Whether it was new.

        Raises:
            Conflict: If one of this name is there and differs.
            ValueError: If it cannot be written down.
        """
        if created_at is None:
            created_at = self._known_time(store, session_id)
        owner, user = self.owner(searcher), searcher.user_id
        session = Session(session_id, created_at, query, tuple(shown), owner, user)
        return bool(store.register([session]))

    def _known_time(self, store: Store, session_id: str) -> int:
        try:
            return store.session(session_id).session.created_at
        except UnknownSession:
            return int(self.clock())

    def add_events(self, store: Store, session_id: str, events: Sequence[Told]) -> int:
        """Write events of a session down; how many were new.

        Raises:
            UnknownSession: If the session is not registered.
            Conflict: If an event of one of these names is there and differs.
            ValueError: If an event cannot be written down.
        """
        known: dict[str, int] = {}
        if any(event.created_at is None for event in events):
            found = store.session(session_id).events
            known = {event.event_id: event.created_at for event in found}
        now = int(self.clock())
        return store.add_events(
            [
                Event(
                    event.event_id,
                    session_id,
                    event.object_id,
                    known.get(event.event_id, now)
                    if event.created_at is None
                    else event.created_at,
                    event.event_type,
                )
                for event in events
            ]
        )

    def mark(self, store: Store, session_id: str) -> StoredSession:
        """Mark a session for improvement, and say where it stands.

        Raises:
            UnknownSession: If it is not registered.
        """
        store.mark([session_id], int(self.clock()))
        return store.session(session_id)
