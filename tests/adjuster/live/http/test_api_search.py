"""The path of searches: what is asked, what is answered, and what is refused."""

import pytest
from starlette.testclient import TestClient

from adjuster.live.http.api import make_app
from adjuster.live.http.api_search import SearchPaths
from adjuster.live.http.clickstream import Clickstream
from adjuster.live.http.http_guard import Access
from adjuster.live.http.query_book import QueryBook
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.retrieval.search import Answer, Result
from adjuster.live.storage.store import StoreUnavailable
from adjuster.live.storage.store_pool import StorePool
from tests.adjuster.live.small_shop import INDEX, QUERY
from tests.live_place import Place


class Found:
    """Answers every search alike, and remembers what was asked."""

    def __init__(self):
        self.asked = []

    def search(self, store, request):
        self.asked.append(request)
        found = [Result("b", 0.25, True, 0.5, "adjusted"), Result("a", 0.5, False, 1.0)]
        return Answer(tuple(found[: request.limit]), "interleaved", 3)


class Served:
    def __init__(self, tmp_path):
        self.pool = StorePool(Place("sqlite", str(tmp_path / "live.db")).open)
        self.found, self.told, stream = Found(), [], Clickstream(clock=lambda: 1000.5)
        book = QueryBook(INDEX, [QUERY])
        paths = SearchPaths(self.pool, stream, book, self.found, 4, self._after)
        app = make_app([paths.router()], Access(), RequestCounts())
        self.client = TestClient(app, raise_server_exceptions=False)

    def _after(self, store):
        self.told.append(store)
        raise StoreUnavailable("The store cannot be used now: no room.")


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
    yield made
    made.pool.close()


def test_a_search_that_fails_tells_of_its_health_too(served, monkeypatch):
    def fails(store, request):
        raise OSError("no index")

    assert post_search(served).status_code == 200
    monkeypatch.setattr(served.found, "search", fails)
    assert post_search(served).status_code == 500
    assert len(served.told) == 2


SEARCH = {"search_query": "q", "limit": 2, "user_id": "ann", "meta_info": {"page": "home"}}


def post_search(served, **changed):
    return served.client.post("/api/v1/embeddings/similarity-search", json=SEARCH | changed)


def test_a_search_is_asked_and_answered_in_the_clients_words(served):
    found = post_search(served, create_session=True, session_id="mine", offset=4).json()
    assert found["session_id"] == "mine"
    assert found["search_results"] == [
        {
            "object_id": "b",
            "distance": 0.25,
            "payload": None,
            "meta": {"propensity": 0.5, "team": "adjusted", "is_adjusted": True},
        },
        {
            "object_id": "a",
            "distance": 0.5,
            "payload": None,
            "meta": {"propensity": 1.0, "team": None, "is_adjusted": False},
        },
    ]
    assert (found["next_page_offset"], found["total_count"]) == (6, 4)
    (asked,) = served.found.asked
    assert (asked.owner, asked.user_id, asked.limit, asked.offset) == ("ann", "ann", 2, 4)
    assert (asked.at, asked.is_registered, asked.query.query_id) == (1000, True, "q")


def test_a_search_without_a_name_gets_one_of_its_own(served):
    names = {post_search(served).json()["session_id"] for _ in range(2)}
    assert len(names) == 2
    assert post_search(served, limit=3).json()["next_page_offset"] is None
    assert not served.found.asked[0].is_registered


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"limit": 1001}, "limit: Input should be less than or equal to 1000"),
        ({"offset": -1}, "offset: "),
        ({"search_query": "new"}, "has no encoder"),
        ({"user_id": ""}, "user_id: "),
        ({"filter": {"query": {"term": {"field": "color", "value": "red"}}}}, "filter: must be nu"),
        ({"sort_by": {"field": "price"}}, "sort_by: must be null: objects have no payload"),
    ],
)
def test_a_search_that_cannot_be_made_is_one_sentence(served, changed, told):
    answer = post_search(served, **changed)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert served.found.asked == []
