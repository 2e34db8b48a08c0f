"""The paths that clients call, with the bodies that Embedding Studio's clients send."""

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from adjuster.live.http.api import make_app
from adjuster.live.http.api_clickstream import ClickstreamPaths
from adjuster.live.http.clickstream import Clickstream
from adjuster.live.http.http_guard import Access
from adjuster.live.http.query_book import QueryBook
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.records import Status
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.live.storage.store import StoreUnavailable
from adjuster.live.storage.store_pool import StorePool
from tests.adjuster.live.small_shop import INDEX, QUERY, make_worker
from tests.live_place import Place

NOW = 1_700_000_000
SESSION = {
    "session_id": "b1f0",
    "search_query": "red shoes",
    "search_results": [
        {"object_id": "a", "rank": 0.12, "meta": {"price": 10}},
        {"object_id": "b", "rank": 0.34},
        {"object_id": "c"},
    ],
    "search_meta": {"device": "phone"},
    "user_id": "ann",
    "created_at": NOW - 60,
}
EVENTS = {
    "session_id": "b1f0",
    "events": [
        {"event_id": "e1", "object_id": "b", "created_at": NOW - 50, "meta": {"x": 1}},
        {"event_id": "e2", "object_id": "a", "event_type": "hover", "created_at": NOW - 40},
    ],
}
STREAM = "/api/v1/clickstream"


class OneDirection:
    """Every text but one is the same vector."""

    def query_vectors(self, text):
        if text == "???":
            raise ValueError("search_query '???' has no token that the model knows.")
        return QUERY.vectors


class Served:
    """A server in this process, its store, and its clock."""

    def __init__(self, place, *, encoder=None, scope="user_id"):
        self.now, self.counts = float(NOW), RequestCounts()
        self.pool = StorePool(place.open)
        stream = Clickstream(scope, lambda: self.now)
        self.writes = GroupCommit(place.open)
        book = QueryBook(INDEX, [QUERY], encoder)
        paths = ClickstreamPaths(self.pool, self.writes, stream, book)
        app = make_app([paths.router()], Access(), self.counts)
        self.client = TestClient(app, "http://127.0.0.1:8000", raise_server_exceptions=False)

    def close(self):
        self.writes.close()
        self.pool.close()

    def post(self, path, body):
        return self.client.post(STREAM + path, json=body)

    def get(self, session_id):
        return self.client.get(f"{STREAM}/session", params={"session_id": session_id})


@pytest.fixture
def place(tmp_path):
    return Place("sqlite", str(tmp_path / "live.db"))


@pytest.fixture
def served(place):
    made = Served(place, encoder=OneDirection())
    yield made
    made.close()


def test_a_search_its_events_and_its_mark_reach_the_worker(served, place):
    assert served.post("/session", SESSION).json() == {"session_id": "b1f0", "is_new": True}
    assert served.post("/session/events", EVENTS).json() == {"session_id": "b1f0", "n_new": 2}
    body = {"session_id": "b1f0"}
    marked = served.post("/internal/session/use-for-improvement", body)
    assert marked.json() == {"session_id": "b1f0", "status": "pending", "reason": ""}
    store = place.open()
    assert make_worker(store).tick(NOW).counts == {"selected": 1}
    found = served.get("b1f0").json()
    assert found == {
        "session_id": "b1f0",
        "search_query": "red shoes",
        "search_results": [{"object_id": name, "propensity": None, "team": None} for name in "abc"],
        "user_id": "ann",
        "created_at": NOW - 60,
        "is_irrelevant": False,
        "events": [
            {"event_id": "e1", "object_id": "b", "event_type": "click", "created_at": NOW - 50},
            {"event_id": "e2", "object_id": "a", "event_type": "hover", "created_at": NOW - 40},
        ],
        "status": "done",
        "reason": "selected",
        "marked_at": NOW,
    }
    assert set(store.owner_copies(0, "ann")) == set("abc")
    store.close()


def test_what_was_acknowledged_is_there_for_another_process(served, place):
    served.post("/session", SESSION)
    served.post("/session/events", EVENTS)
    other = place.open()
    assert len(other.session("b1f0").events) == 2
    other.close()


def test_a_session_can_be_marked_irrelevant(served):
    served.post("/session", SESSION)
    assert served.post("/session/irrelevant", {"session_id": "b1f0"}).status_code == 200
    assert served.get("b1f0").json()["is_irrelevant"] is True


def test_telling_the_same_again_is_once_whatever_the_clock_says(served):
    body = {key: value for key, value in SESSION.items() if key != "created_at"}
    events = {"session_id": "b1f0", "events": [{"event_id": "e", "object_id": "a"}]}
    assert served.post("/session", body).json()["is_new"] is True
    assert served.post("/session/events", events).json()["n_new"] == 1
    marked = served.post("/internal/session/use-for-improvement", {"session_id": "b1f0"})
    served.now += 100
    assert served.post("/session", body).json()["is_new"] is False
    assert served.post("/session/events", events).json()["n_new"] == 0
    again = served.post("/internal/session/use-for-improvement", {"session_id": "b1f0"})
    assert again.json() == marked.json()
    found = served.get("b1f0").json()
    assert (found["created_at"], found["marked_at"]) == (NOW, NOW)
    assert found["events"][0]["created_at"] == NOW


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/session/events", EVENTS, 404, "session 'b1f0' is not registered"),
        ("/session/irrelevant", {"session_id": "x"}, 404, "'x' is not registered"),
        ("/internal/session/use-for-improvement", {"session_id": "x"}, 404, "'x' is not"),
        ("/session", SESSION | {"search_query": "???"}, 422, "no token that the model knows"),
        ("/session", SESSION | {"session_id": ""}, 422, "session_id: String should have at least"),
        ("/session", SESSION | {"session_id": "a\0b"}, 422, "session_id: "),
        ("/session", SESSION | {"session_id": "x" * 1001}, 422, "session_id: String should have"),
        ("/session", SESSION | {"search_query": ""}, 422, "search_query: must be a text or JSON"),
        ("/session", SESSION | {"search_query": None}, 422, "search_query: must be a text"),
        ("/session", SESSION | {"created_at": "soon"}, 422, "created_at: must be epoch seconds"),
        ("/session", SESSION | {"created_at": -1}, 422, "created_at: must be epoch seconds"),
        ("/session", SESSION | {"search_results": [{"object_id": 7}]}, 422, "0.object_id: "),
        ("/session", SESSION | {"search_results": [{"rank": 1}]}, 422, "object_id: Field required"),
        (
            "/session",
            SESSION | {"search_results": [{"object_id": "a"}] * 2},
            422,
            "'a' must be shown once",
        ),
        (
            "/session",
            SESSION | {"search_results": [{"object_id": f"o{i}"} for i in range(1001)]},
            422,
            "search_results: List should have at most 1000 items",
        ),
        ("/session", SESSION | {"query_vector": [1.0, 2.0]}, 422, "3 numbers a part, got 2"),
        ("/session", SESSION | {"query_vector": [[1, 2, 3], [1]]}, 422, "parts of one length"),
        ("/session", SESSION | {"query_vector": [0, 0, 0]}, 422, "must not be zero under cosine"),
        ("/session/events", {"session_id": "b1f0", "events": []}, 422, "events: List should have"),
        ("/session", [], 422, "body: "),
    ],
)
def test_what_cannot_be_taken_is_one_sentence(served, path, body, status, told):
    answer = served.post(path, body)
    assert answer.status_code == status
    assert told in answer.json()["detail"]
    assert len(answer.json()["detail"].splitlines()) == 1
    assert served.get("b1f0").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"session_id": "\\ud800"}', b""])
def test_a_body_that_is_no_json_is_refused(served, body):
    headers = {"content-type": "application/json"}
    answer = served.client.post(f"{STREAM}/session", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"user_id": "bob"}, "registered already with another owner and user_id"),
        ({"created_at": NOW}, "registered already with another created_at"),
        ({"search_query": "blue shoes"}, "registered already with another query"),
    ],
)
def test_another_session_of_one_name_is_a_conflict(served, changed, told):
    served.post("/session", SESSION)
    answer = served.post("/session", SESSION | changed)
    assert answer.status_code == 409
    assert told in answer.json()["detail"]
    assert served.get("b1f0").json()["user_id"] == "ann"


def test_an_event_on_what_is_not_shown_is_refused_and_none_is_kept(served):
    served.post("/session", SESSION)
    events = [*EVENTS["events"], {"event_id": "e3", "object_id": "z"}]
    answer = served.post("/session/events", {"session_id": "b1f0", "events": events})
    assert (answer.status_code, "does not show object 'z'" in answer.text) == (422, True)
    assert served.get("b1f0").json()["events"] == []


def test_a_text_keeps_the_vectors_that_it_had_first(place):
    first = Served(place, encoder=OneDirection())
    first.post("/session", SESSION)
    first.close()

    class Newer:
        def query_vectors(self, text):
            return QUERY.vectors * 2

    second = Served(place, encoder=Newer())
    body = SESSION | {"session_id": "next"}
    assert second.post("/session", body).json()["is_new"] is True
    with second.pool.store() as store:
        found = store.session("next").session.query
    assert (found.text, found.vectors.tolist()) == ("red shoes", QUERY.vectors.tolist())
    second.close()


def test_without_an_encoder_a_new_text_needs_its_vector(place):
    served = Served(place)
    refused = served.post("/session", SESSION)
    assert (refused.status_code, "has no encoder" in refused.text) == (422, True)
    assert served.post("/session", SESSION | {"query_vector": [1, 0, 2]}).status_code == 200
    # One that is known by name goes by it.
    assert served.post("/session", SESSION | {"session_id": "k", "search_query": "q"}).is_success
    with served.pool.store() as store:
        np.testing.assert_array_equal(store.session("b1f0").session.query.vectors, [[1, 0, 2]])
        assert store.session("k").session.query.query_id == "q"
    served.close()


def test_data_can_be_asked_for(served):
    body = SESSION | {"search_query": {"text": "shoes", "color": "red"}}
    assert served.post("/session", body).json()["is_new"] is True
    assert json.loads(served.get("b1f0").json()["search_query"]) == body["search_query"]


@pytest.mark.parametrize(
    ("scope", "who", "owner"),
    [
        ("none", {}, "everyone"),
        ("user_id", {"user_id": "ann"}, "ann"),
        ("segment", {"user_id": "ann", "segment": "new"}, "new"),
        ("segment", {"user_id": "ann"}, None),
    ],
)
def test_whose_vectors_a_session_adjusts(place, scope, who, owner):
    served = Served(place, encoder=OneDirection(), scope=scope)
    rest = {key: value for key, value in SESSION.items() if key != "user_id"}
    served.post("/session", rest | who)
    with served.pool.store() as store:
        assert store.session("b1f0").session.owner == owner
    served.close()


def test_propensities_and_teams_are_kept_as_they_are_told(served):
    results = [{"object_id": "a", "propensity": 0.25, "team": "adjusted"}, {"object_id": "b"}]
    served.post("/session", SESSION | {"search_results": results})
    first, second = served.get("b1f0").json()["search_results"]
    assert (first["propensity"], first["team"]) == (0.25, "adjusted")
    assert (second["propensity"], second["team"]) == (None, None)


def test_a_store_that_does_not_answer_is_503(place):
    def gone():
        raise StoreUnavailable("The store cannot be used now: no disk.")

    served = Served(place, encoder=OneDirection())
    served.pool._open_store = gone
    answer = served.post("/session", SESSION)
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "The store cannot be used now: no disk.",
    )


def test_all_sessions_are_where_they_belong(served, place):
    for number in range(5):
        served.post("/session", SESSION | {"session_id": f"s{number}"})
    store = place.open()
    assert store.counts() == {Status.OPEN: 5}
    assert isinstance(store, SqliteStore)
    store.close()
