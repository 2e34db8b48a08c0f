"""Guardrails of a system that is served: it turns itself off, and says why."""

import time

import numpy as np
import pytest
from starlette.testclient import TestClient

from adjuster.live.http.http_guard import Access
from adjuster.live.monitoring import health_keeper
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.records import Copy
from adjuster.live.storage.store import Outcome
from experiments.config.data import DatasetConfig
from experiments.config.serve import ServeConfig
from experiments.serving.system import open_system
from tests.experiments.random_log import make_log

N_SEARCHES = 12


class Originals:
    """Those of the system, found by way of something that may fail."""

    def __init__(self, index, disturb):
        self.index, self.disturb, self.info = index, disturb, index.info

    def __len__(self):
        return len(self.index)

    def vectors(self, object_id):
        return self.index.vectors(object_id)

    def nearest(self, query, k):
        return self.disturb(self.index.nearest(query, k))


def as_it_is(near):
    return near


def fails(near):
    raise OSError("the disk is gone")


def takes_long(near):
    time.sleep(0.03)
    return near


def rounds_otherwise(near):
    return near._replace(similarities=near.similarities - np.float32(1e-6))


@pytest.mark.parametrize("mode", [Mode.INTERLEAVE, Mode.ON])
@pytest.mark.parametrize(
    ("disturb", "moved", "why"),
    [
        (fails, 0.0, "Failed searches 1, at most 0.01 allowed"),
        (takes_long, 0.0, "Searches over 0.02 s 1, at most 0.01 allowed"),
        (rounds_otherwise, 0.0, "answers otherwise than its own vectors do 1, at most 0 allowed"),
        (as_it_is, -2.0, "Mean drift of adjusted results 2, at most 0.2 allowed"),
        (as_it_is, 0.0, None),
    ],
)
def test_a_broken_guardrail_turns_it_off(tmp_path, monkeypatch, mode, disturb, moved, why):
    monkeypatch.setattr(health_keeper, "SECONDS", 0)
    # A loaded machine takes long for every search.
    latency = 0.02 if disturb is takes_long else 60.0
    config = ServeConfig(
        dataset=DatasetConfig(path="made"),
        monitor=MonitorConfig(health_searches=N_SEARCHES, max_latency_seconds=latency),
        search=SearchConfig(checked_share=1.0),
        output_dir=str(tmp_path),
        personalize_by="user_id",
    )
    log = make_log(46)
    system = open_system(config, log)
    store = system.opener()
    names = system.index.object_ids
    copies = [Copy("ann", name, (1 + moved) * system.index.vectors(name)) for name in names]
    store.finish(new_lease(0, 1), Outcome(0, 0, copies=copies))
    since = int(time.time()) - 120  # what is of the minute of a change does not count
    store.set_state(MODE, ModeRow(mode, since, "For this test.").to_text())
    app = system.app(Access(), None, Originals(system.index, disturb))
    with TestClient(app, raise_server_exceptions=False) as client:
        for _ in range(N_SEARCHES):
            body = {"search_query": str(log.query_ids[0]), "user_id": "ann"}
            client.post("/api/v1/embeddings/similarity-search", json=body)
        system.worker(store).tick(int(time.time()))
        found = client.get("/live/status").json()
    if why is None:
        assert found["mode"] == mode.value
    else:
        assert found["mode"] == "off"
        assert found["why"].startswith("A guardrail is broken. ")
        assert why in found["why"]
        assert found["history"][-1]["why"] == found["why"]
    store.close()
