"""The click stream's paths: sessions, events, marks."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from adjuster.live.http.api_models import NamedSession, NewEvents, NewSession
from adjuster.live.http.clickstream import Clickstream, Searcher
from adjuster.live.http.query_book import QueryBook
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.records import StoredSession
from adjuster.live.storage.store import Store
from adjuster.live.storage.store_pool import StorePool

CLICKSTREAM = "/api/v1/clickstream"


@dataclass(frozen=True)
class ClickstreamPaths:
    """What each path does.

    Args:
        stores: Where it is read.
        writes: Writes it down, many threads' requests together.
        clickstream: How.
        queries: What was asked.
    """

    stores: StorePool[Store]
    writes: GroupCommit
    clickstream: Clickstream
    queries: QueryBook

    def router(self) -> APIRouter:
        """The paths."""
        router = APIRouter(prefix=CLICKSTREAM)
        router.add_api_route("/session", self.register, methods=["POST"])
        router.add_api_route("/session", self.read, methods=["GET"])
        router.add_api_route("/session/events", self.add_events, methods=["POST"])
        router.add_api_route("/session/irrelevant", self.mark_irrelevant, methods=["POST"])
        improve = "/internal/session/use-for-improvement"
        router.add_api_route(improve, self.mark, methods=["POST"])
        return router

    def register(self, body: NewSession) -> dict[str, Any]:
        """Write a search down."""
        shown = [result.impression() for result in body.search_results]
        searcher = Searcher(body.user_id, body.segment)
        with self.stores.store() as store:
            # A new text is encoded here, not while others wait for the store.
            query = self.queries.find(store, body.search_query, body.vectors())
        is_new = self.writes.run(
            lambda store: self.clickstream.register(
                store, body.session_id, query, shown, searcher, body.created_at
            )
        )
        return {"session_id": body.session_id, "is_new": is_new}

    def read(self, session_id: str) -> dict[str, Any]:
        """A session with its events, and where it stands."""
        with self.stores.store() as store:
            return session_body(store.session(session_id))

    def add_events(self, body: NewEvents) -> dict[str, Any]:
        """Write events down."""
        events = [event.told() for event in body.events]
        n_new = self.writes.run(
            lambda store: self.clickstream.add_events(store, body.session_id, events)
        )
        return {"session_id": body.session_id, "n_new": n_new}

    def mark_irrelevant(self, body: NamedSession) -> dict[str, Any]:
        """Note that its user finds a session irrelevant."""
        self.writes.run(lambda store: store.mark_irrelevant(body.session_id))
        return {"session_id": body.session_id, "is_irrelevant": True}

    def mark(self, body: NamedSession) -> dict[str, Any]:
        """Mark a session for improvement."""
        found = self.writes.run(lambda store: self.clickstream.mark(store, body.session_id))
        return {"session_id": body.session_id, "status": found.status, "reason": found.reason}


def session_body(stored: StoredSession) -> dict[str, Any]:
    """A session as clients read it."""
    session = stored.session
    return {
        "session_id": session.session_id,
        "search_query": session.query.text,
        "search_results": [
            {"object_id": shown.object_id, "propensity": shown.propensity, "team": shown.team}
            for shown in session.shown
        ],
        "user_id": session.user_id,
        "created_at": session.created_at,
        "is_irrelevant": stored.is_irrelevant,
        "events": [
            {
                "event_id": event.event_id,
                "object_id": event.object_id,
                "event_type": event.event_type,
                "created_at": event.created_at,
            }
            for event in stored.events
        ],
        "status": stored.status,
        "reason": stored.reason,
        "marked_at": stored.marked_at,
    }
