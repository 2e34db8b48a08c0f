"""Bodies as Embedding Studio's clients send them, over a socket, from the search to the copies."""

import time

import numpy as np
import pytest
import requests

from adjuster.live.http.http_guard import Access
from experiments.config.data import DatasetConfig
from experiments.config.serve import ServeConfig
from experiments.serving.processes import served
from experiments.serving.system import open_system
from tests.experiments.random_log import make_log

DIMENSIONS = 7
# A field that is not given may be sent as null.
SEARCH = {
    "search_query": {"text": "red shoes", "lang": "en"},
    "limit": 5,
    "offset": None,
    "max_distance": None,
    "filter": None,
    "create_session": True,
    "user_id": "ann",
    "session_id": "b5a7c6f0-3c1e-4df2-8f6e-0d9f3a5f1c11",
    "sort_by": None,
    "similarity_first": False,
    "meta_info": {"page": "home"},
}


class OneVector:
    def query_vectors(self, text):
        return np.ones((1, DIMENSIONS), np.float32)


@pytest.fixture
def system(tmp_path):
    dataset = DatasetConfig(path="made")
    config = ServeConfig(dataset=dataset, output_dir=str(tmp_path), personalize_by="user_id")
    return open_system(config, make_log(47, dimensions=DIMENSIONS))


@pytest.fixture
def server(system):
    with served(system.app(Access(), OneVector()), "127.0.0.1", 0) as address:
        yield f"{address}/api/v1"


def post(url, body):
    answer = requests.post(url, json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def events_on(*object_ids):
    """With and without what may be left out."""
    now = int(time.time())
    extras = [{}, {"event_type": "click", "created_at": None, "meta": None}, {"created_at": now}]
    return [
        {"event_id": f"event {number}", "object_id": name, **extras[number % 3]}
        for number, name in enumerate(object_ids)
    ]


def tell_of_search(server) -> str:
    """A search that the server writes down itself."""
    found = post(f"{server}/embeddings/similarity-search", SEARCH)
    assert found["session_id"] == SEARCH["session_id"]
    shown = [result["object_id"] for result in found["search_results"]]
    assert (len(shown), found["next_page_offset"]) == (5, 5)
    body = {"session_id": SEARCH["session_id"], "events": events_on(*shown[:3])}
    post(f"{server}/clickstream/session/events", body)
    return SEARCH["session_id"]


def tell_of_session(server, object_ids) -> str:
    """A search that the client has made elsewhere."""
    results = [{"object_id": object_ids[0], "rank": 0.12, "meta": {"file": "a.jpg", "size": 3}}]
    results += [{"object_id": object_ids[1], "rank": None, "meta": None}]
    results += [{"object_id": object_ids[2]}]
    body = {
        "session_id": "17",
        "search_query": {"text": "red shoes", "lang": "en"},
        "search_meta": {"text": "red shoes", "device": None},
        "search_results": results,
        "user_id": "bob",
        "created_at": None,
    }
    post(f"{server}/clickstream/session", body)
    post(
        f"{server}/clickstream/session/events",
        {"session_id": "17", "events": events_on(object_ids[1])},
    )
    return "17"


@pytest.mark.slow
def test_what_its_clients_send_is_learnt(system, server):
    names = list(system.index.object_ids)
    told = [tell_of_search(server), tell_of_session(server, names)]
    ignored = {"session_id": "18", "search_query": "q1", "search_results": [{"object_id": "o00"}]}
    post(f"{server}/clickstream/session", ignored | {"user_id": "bob", "search_meta": None})
    post(f"{server}/clickstream/session/irrelevant", {"session_id": "18"})
    for name in (*told, "18"):
        improve = f"{server}/clickstream/internal/session/use-for-improvement"
        assert post(improve, {"session_id": name})["status"] == "pending"
    store = system.opener()
    worker = system.worker(store)
    assert worker.tick(int(time.time()) + 1).counts["selected"] == 2
    found = requests.get(f"{server}/clickstream/session", {"session_id": "17"}, timeout=60).json()
    assert (found["status"], found["is_irrelevant"], len(found["events"])) == ("done", False, 1)
    assert [result["object_id"] for result in found["search_results"]] == names[:3]
    assert isinstance(found["created_at"], int)
    assert set(store.owner_copies(0, "bob")) == set(names[:3])
    assert len(store.owner_copies(0, "ann")) == 5
    store.close()
