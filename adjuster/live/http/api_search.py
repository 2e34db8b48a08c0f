"""The path of personalized searches."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from fastapi import APIRouter

from adjuster.live.http.api_models import SearchBody
from adjuster.live.http.clickstream import Clickstream, Searcher
from adjuster.live.http.query_book import QueryBook
from adjuster.live.retrieval.search import Answer, Result, SearchRequest
from adjuster.live.storage.store import Store, StoreUnavailable
from adjuster.live.storage.store_pool import StorePool


class Searching(Protocol):
    """Whatever answers searches."""

    def search(self, store: Store, request: SearchRequest) -> Answer:
        """What a search shows; written down where that is asked for.

        Raises:
            ValueError: If it cannot be searched for.
        """


@dataclass(frozen=True)
class SearchPaths:
    """What the path does.

    Args:
        stores: Where copies are read, and sessions written.
        clickstream: Whose copies.
        queries: What was asked.
        searching: What answers.
        n_objects: How many objects may be found.
        after: Called after each search, failed ones too, with the store that it used.
    """

    stores: StorePool[Store]
    clickstream: Clickstream
    queries: QueryBook
    searching: Searching
    n_objects: int
    after: Callable[[Store], None] = lambda _: None

    def router(self) -> APIRouter:
        """The path."""
        router = APIRouter(prefix="/api/v1/embeddings")
        router.add_api_route("/similarity-search", self.search, methods=["POST"])
        return router

    def search(self, body: SearchBody) -> dict[str, Any]:
        """The results of a search for its user."""
        searcher = Searcher(body.user_id, body.segment)
        with self.stores.store() as store:
            request = SearchRequest(
                session_id=body.session_id or uuid4().hex,
                at=int(self.clickstream.clock()),
                query=self.queries.find(store, body.search_query, body.vectors()),
                owner=self.clickstream.owner(searcher),
                user_id=searcher.user_id,
                limit=body.limit,
                offset=body.offset,
                max_distance=body.max_distance,
                is_registered=body.create_session,
            )
            answer = self._answer(store, request)
        n_found = len(answer.results)
        return {
            "session_id": request.session_id,
            "search_results": [_result_body(result) for result in answer.results],
            "next_page_offset": body.offset + n_found if n_found == body.limit else None,
            "total_count": self.n_objects,
            "shows": answer.shows,
            "generation": answer.generation,
        }

    def _answer(self, store: Store, request: SearchRequest) -> Answer:
        try:
            return self.searching.search(store, request)
        finally:
            # One that failed says something, too; what cannot be kept now is kept for later.
            with suppress(StoreUnavailable):
                self.after(store)


def _result_body(result: Result) -> dict[str, Any]:
    return {
        "object_id": result.object_id,
        "distance": result.distance,
        "payload": None,
        "meta": {
            "propensity": result.propensity,
            "team": result.team,
            "is_adjusted": result.is_adjusted,
        },
    }
