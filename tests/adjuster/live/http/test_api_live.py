"""The operator's paths."""

import re

import pytest
from starlette.testclient import TestClient

from adjuster import AdjusterConfig, SelectionConfig
from adjuster.live.http.api import make_app
from adjuster.live.http.api_live import LivePaths
from adjuster.live.http.http_guard import Access
from adjuster.live.http.metrics_page import page, store_metrics
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.learning.following import FollowingWorker
from adjuster.live.learning.generations import Champion
from adjuster.live.learning.worker import WorkerSettings
from adjuster.live.monitoring.modes import MODE
from adjuster.live.storage.records import Status
from adjuster.live.storage.store import StoreUnavailable
from adjuster.live.storage.store_pool import StorePool
from tests.adjuster.live.small_shop import INDEX, Shelf, fill, search
from tests.live_place import Place


class Originals(Shelf):
    info = INDEX


class Served:
    def __init__(self, tmp_path):
        self.place = Place("sqlite", str(tmp_path / "live.db"))
        self.pool, self.counts = StorePool(self.place.open), RequestCounts()
        operator = LivePaths(self.pool, self.counts, lambda: 1000.5)
        app = make_app([operator.router()], Access(), self.counts)
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
