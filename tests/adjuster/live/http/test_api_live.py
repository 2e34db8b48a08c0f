"""The operator's paths, and the path of searches."""

import re

import pytest
from starlette.testclient import TestClient

from adjuster import AdjusterConfig, SelectionConfig
from adjuster.live.http.api import make_app
from adjuster.live.http.api_live import LivePaths
from adjuster.live.http.api_search import SearchPaths
from adjuster.live.http.clickstream import Clickstream
from adjuster.live.http.http_guard import Access
from adjuster.live.http.metrics_page import page, store_metrics
from adjuster.live.http.query_book import QueryBook
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.learning.following import FollowingWorker
from adjuster.live.learning.generations import Champion
from adjuster.live.learning.worker import WorkerSettings
from adjuster.live.monitoring.modes import MODE
from adjuster.live.retrieval.search import Answer, Result
from adjuster.live.storage.records import Status
from adjuster.live.storage.store import StoreUnavailable
from adjuster.live.storage.store_pool import StorePool
from tests.adjuster.live.small_shop import INDEX, QUERY, Shelf, fill, search
from tests.live_place import Place


class Originals(Shelf):
    info = INDEX


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
        self.place = Place("sqlite", str(tmp_path / "live.db"))
        self.pool, self.counts, self.found = StorePool(self.place.open), RequestCounts(), Found()
        stream = Clickstream(clock=lambda: 1000.5)
        operator = LivePaths(self.pool, self.counts, stream.clock)
        searches = SearchPaths(self.pool, stream, QueryBook(INDEX, [QUERY]), self.found, 4)
        app = make_app([operator.router(), searches.router()], Access(), self.counts)
        self.client = TestClient(app, raise_server_exceptions=False)

    def mode(self, mode, **more):
        return self.client.post("/live/mode", json={"mode": mode, **more})


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
    yield made
    made.pool.close()


def test_a_new_system_is_off(served):
    found = served.client.get("/live/status").json()
    assert (found["mode"], found["ticks"], found["interleaving"]) == ("off", [], None)
    assert set(found["sessions"].values()) == {0}
    assert found["generations"] == {
        "shown": 0,
        "previous": None,
        "champion": None,
        "building": None,
    }


def test_the_mode_goes_up_by_one_step_and_says_why(served):
    assert served.mode("shadow", reason="A first look.").json()["why"] == "A first look."
    found = served.client.get("/live/mode").json()
    assert (found["mode"], found["since"], len(found["history"])) == ("shadow", 1000, 1)
    assert served.mode("shadow").json() == found
    refused = served.mode("on")
    assert (refused.status_code, "got on. Go one step" in refused.json()["detail"]) == (422, True)
    assert "one of off, shadow, interleave, on, got 'x'" in served.mode("x").json()["detail"]
    assert served.client.get("/live/mode").json() == found


def test_a_mode_that_changed_meanwhile_is_a_conflict(served, monkeypatch):
    with served.pool.store() as store:
        other = served.place.open()
        before = store.state

        def late(name):
            found = before(name)
            if name == MODE and not other.state(MODE):
                other.set_state(MODE, "x")
            return found

        monkeypatch.setattr(store, "state", late)
    answer = served.mode("shadow")
    assert (answer.status_code, "just been changed" in answer.text) == (409, True)
    other.close()


def test_a_generation_is_returned_from(served):
    assert served.client.post("/live/rollback").status_code == 409
    store = served.place.open()
    fill(store, search("s"))
    for name in ("old", "new"):
        champion = Champion(name, AdjusterConfig(), SelectionConfig())
        worker = FollowingWorker(store, Originals(), champion, WorkerSettings())
        worker.tick(0)
        while worker.build(0):
            pass
    found = served.client.get("/live/status").json()["generations"]
    assert (found["shown"], found["previous"], found["champion"]["name"]) == (1, 0, "new")
    assert served.client.post("/live/rollback").json() == {"generation": 0, "refused": "new"}
    assert served.client.get("/live/status").json()["generations"]["shown"] == 0
    store.close()


LINE = re.compile(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+$')


def test_the_numbers_are_in_prometheus_words(served):
    with served.pool.store() as store:
        fill(store, search("s"), search("t"))
        store.register([search("u")])
    served.client.get("/healthz")
    answer = served.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for wanted in (
        'live_sessions{status="pending"} 2',
        'live_sessions{status="open"} 1',
        'live_mode{mode="off"} 1',
        "live_generation 0",
        'live_http_requests_total{path="/healthz",status="200"} 1',
        'live_http_request_seconds_count{path="/healthz"} 1',
        'live_http_request_seconds_bucket{path="/healthz",le="+Inf"} 1',
    ):
        assert wanted in lines
    assert all(LINE.match(line) for line in lines if not line.startswith("#"))
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    named = {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in named} == typed


def test_the_last_tick_is_told():
    text = page(store_metrics({Status.DONE: 3}, {60: {"selected": 2}, 0: {"failed": 1}}))
    assert "live_last_tick_timestamp_seconds 60\n" in text
    assert 'live_last_tick_sessions{reason="selected"} 2\n' in text
    assert "failed" not in text.partition("live_last_tick")[2]


def test_a_store_that_is_gone_is_unhealthy(served):
    assert served.client.get("/healthz").json() == {"status": "ok"}

    class Gone:
        def state(self, name):
            raise StoreUnavailable("The store cannot be used now: gone.")

    served.pool._idle.put(Gone())
    answer = served.client.get("/healthz")
    assert (answer.status_code, "gone" in answer.json()["detail"]) == (503, True)
    served.pool._idle.get()


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
    ],
)
def test_a_search_that_cannot_be_made_is_one_sentence(served, changed, told):
    answer = post_search(served, **changed)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert served.found.asked == []
