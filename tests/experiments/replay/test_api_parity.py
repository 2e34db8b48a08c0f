"""A log driven through the HTTP interface ends with the replay's copies and scores, to the bit."""

import numpy as np
import pytest
import requests
from starlette.testclient import TestClient

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.live.http.api import make_app
from adjuster.live.http.api_clickstream import ClickstreamPaths
from adjuster.live.http.clickstream import Clickstream
from adjuster.live.http.http_guard import Access
from adjuster.live.http.query_book import QueryBook
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.retrieval.similarity import similarities_of
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.records import Query
from adjuster.live.storage.store_pool import StorePool
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import make_plan
from experiments.replay.settings import Settings
from experiments.serving.processes import served
from tests.experiments.random_log import make_log
from tests.experiments.replay.live_driver import (
    ApiStore,
    copies_in,
    drive,
    make_worker,
    owner_names,
)
from tests.experiments.replay.test_live_parity import assert_equal_to_the_bit, replayed_copies
from tests.experiments.worker_replay import LogIndex

INTERVAL = 3600
slow = pytest.mark.slow


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Ranking(ApiStore):
    """Scores what each search shows with its owner's vectors, just before it is told."""

    def __init__(self, post, clock, store, log) -> None:
        super().__init__(post, clock)
        self.store, self.index, self.log, self.scores = store, LogIndex(log), log, {}

    def register(self, sessions) -> None:
        for session in sessions:
            mine = self.store.owner_copies(0, session.owner) if session.owner else {}
            rows = [
                mine.get(shown.object_id, self.index.vectors(shown.object_id))
                for shown in session.shown
            ]
            found = similarities_of(session.query.vectors, rows, self.log.index)
            self.scores[session.session_id] = found
        super().register(sessions)


def replayed_scores(layout, settings):
    """The scores of all that was shown, as the replay ranks it."""
    adjuster = settings.adjuster
    plan = make_plan(layout, settings.selection, adjuster.interval_seconds, adjuster.term_weight)
    streams = PairStreams(layout, plan.lessons, make_knobs(layout.log.index, adjuster))
    scores, adjusted = layout.before.copy(), np.zeros(len(layout.before), bool)
    for block in layout.blocks:
        streams.advance(block.span, scores, adjusted)
    assert 0 < adjusted.sum() < len(adjusted)
    return scores


def app_over(store_place, log, scope, clock):
    queries = [
        Query(str(name), log.vectors_of_query(row), f"text of {name}")
        for row, name in enumerate(log.query_ids)
    ]
    pool = StorePool(store_place.open)
    book = QueryBook(log.index, queries)
    writes = GroupCommit(store_place.open)
    paths = ClickstreamPaths(pool, writes, Clickstream(scope, clock), book)

    def close():
        writes.close()
        pool.close()

    return make_app([paths.router()], Access(), RequestCounts()), close


def assert_parity(post, clock, live_store, log, scope, memory) -> None:
    config = ReplayConfig(personalize_by=scope, batch_size=4)
    values = {"adjustment_rate": 0.01, "num_iterations": 3, "memory": memory}
    settings = Settings(
        AdjusterConfig(**values, interval_seconds=INTERVAL), SelectionConfig(max_clicks=4)
    )
    layout = lay_out(log, config, ObjectiveConfig(estimator="naive"), "all")
    worker = make_worker(live_store, log, settings, memory, batch_size=config.batch_size)
    api = Ranking(post, clock, live_store, log)
    drive(api, worker, log, config, scope, INTERVAL)
    wanted = replayed_copies(layout, settings)
    assert_equal_to_the_bit(copies_in(live_store, {pair[0] for pair in wanted}), wanted)
    found = np.concatenate([api.scores[str(name)] for name in log.session_ids])
    scores = replayed_scores(layout, settings)
    assert found.dtype == scores.dtype
    assert found.tobytes() == scores.tobytes()
    assert set(owner_names(log, scope)) - {None} >= {pair[0] for pair in wanted}


@pytest.mark.parametrize("live_place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("memory", "scope"), [("restart", "user_id"), ("refit", "none")])
def test_the_interface_and_the_worker_end_as_the_replay(live_place, live_store, memory, scope):
    log, clock = make_log(30, n_sessions=40), Clock()
    app, close = app_over(live_place, log, scope, clock)
    with TestClient(app) as client:

        def post(path, body):
            return client.post(path, json=body).status_code

        assert_parity(post, clock, live_store, log, scope, memory)
    close()


@slow
@pytest.mark.parametrize("scope", ["user_id", "none"])
@pytest.mark.parametrize("memory", ["carry", "restart", "refit"])
def test_a_real_client_and_server_end_as_the_replay(live_place, live_store, memory, scope):
    log, clock = make_log(31, n_sessions=90, query_parts=3, metric="dot"), Clock()
    app, close = app_over(live_place, log, scope, clock)
    with served(app, "127.0.0.1", 0) as address, requests.Session() as client:

        def post(path, body):
            return client.post(address + path, json=body, timeout=60).status_code

        assert_parity(post, clock, live_store, log, scope, memory)
    close()
