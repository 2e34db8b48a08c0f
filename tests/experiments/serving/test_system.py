"""A system put together from its configuration, over HTTP from the first search to the last."""

import numpy as np
import pytest
from starlette.testclient import TestClient

from adjuster.config import AdjusterConfig
from adjuster.live.http.http_guard import Access
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.live.retrieval.similarity import distances_of, similarities_of
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.data import DatasetConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.config.serve import LiveConfig, ServeConfig
from experiments.replay.layout import lay_out
from experiments.replay.settings import Settings
from experiments.serving.system import open_system
from tests.experiments.random_log import make_log
from tests.experiments.replay.live_driver import ApiStore, copies_in, drive
from tests.experiments.replay.test_live_parity import assert_equal_to_the_bit, replayed_copies
from tests.experiments.worker_replay import LogIndex

INTERVAL = 3600
ADJUSTER = AdjusterConfig(adjustment_rate=0.05, num_iterations=3, interval_seconds=INTERVAL)


class Clock:
    now = 0.0


def config_of(tmp_path, **options):
    settings = {"adjuster": ADJUSTER, "personalize_by": "user_id", **options}
    dataset = DatasetConfig(path="made")
    search = SearchConfig(kept_share=0.0)
    return ServeConfig(dataset=dataset, output_dir=str(tmp_path), search=search, **settings)


def asker(client):
    def post(path, body):
        return client.post(path, json=body)

    return post


def test_searches_rank_by_the_copies_of_the_replay(tmp_path):
    log, clock = make_log(40, n_sessions=50), Clock()
    system = open_system(config_of(tmp_path), log)
    store = system.opener()
    worker = system.worker(store)
    with TestClient(system.app(Access(), None)) as client:
        post = asker(client)
        api = ApiStore(lambda path, body: post(path, body).status_code, clock)
        # The interface marks by the wall clock; the replay's marks are the store's own.
        api.mark = store.mark
        replay = ReplayConfig(personalize_by="user_id")
        drive(api, worker, log, replay, "user_id", INTERVAL)
        layout = lay_out(log, replay, ObjectiveConfig(estimator="naive"), "all")
        wanted = replayed_copies(layout, Settings(ADJUSTER, SelectionConfig()))
        assert_equal_to_the_bit(copies_in(store, {pair[0] for pair in wanted}), wanted)
        for mode in ("shadow", "interleave", "on"):
            assert post("/live/mode", {"mode": mode}).status_code == 200
        n_moved = 0
        for owner in log.user_ids:
            for row, name in enumerate(log.query_ids):
                body = {"search_query": str(name), "user_id": str(owner), "limit": 12}
                found = post("/api/v1/embeddings/similarity-search", body).json()
                assert found["shows"] == "adjusted"
                best, distances = ranking(log, log.vectors_of_query(row), str(owner), wanted)
                results = found["search_results"]
                assert [result["object_id"] for result in results] == best
                assert [result["distance"] for result in results] == distances
                n_moved += sum(result["meta"]["is_adjusted"] for result in results)
        assert n_moved > 20
        health = client.get("/live/status").json()["searches"]
        assert (health["errors"], health["n"]) == (0, len(log.user_ids) * len(log.query_ids))
    store.close()


def ranking(log, query, owner, copies):
    """All objects by the owner's copies, where there are any, and their distances."""
    index, names = LogIndex(log), log.object_ids.tolist()
    rows = [copies.get((owner, name), index.vectors(name)) for name in names]
    distances = distances_of(similarities_of(query, rows, log.index), log.index)
    order = np.lexsort((names, distances))
    return [names[row] for row in order], distances[order].tolist()


def test_a_search_that_is_written_down_is_what_its_clicks_belong_to(tmp_path):
    log = make_log(41)
    system = open_system(config_of(tmp_path), log)
    with TestClient(system.app(Access(), None)) as client:
        post = asker(client)
        body = {"search_query": "q1", "user_id": "u0", "limit": 3, "create_session": True}
        found = post("/api/v1/embeddings/similarity-search", body).json()
        session = {"session_id": found["session_id"]}
        clicked = found["search_results"][1]["object_id"]
        events = {**session, "events": [{"event_id": "e", "object_id": clicked}]}
        assert post("/api/v1/clickstream/session/events", events).json()["n_new"] == 1
        stored = client.get("/api/v1/clickstream/session", params=session).json()
        assert [one["propensity"] for one in stored["search_results"]] == [1.0] * 3
        assert stored["user_id"] == "u0"


@pytest.mark.parametrize("semantics", ["documented", "published"])
def test_warming_up_compiles_and_leaves_nothing_behind(tmp_path, semantics):
    adjuster = AdjusterConfig(semantics=semantics, num_iterations=1)
    system = open_system(config_of(tmp_path, adjuster=adjuster), make_log(41))
    before = system.index.vectors(system.index.object_ids[0]).copy()
    system.warm_up()
    np.testing.assert_array_equal(system.index.vectors(system.index.object_ids[0]), before)
    store = system.opener()
    assert store.counts() == {}
    assert store.owner_copies(0, "nobody's") == {}
    store.close()


def test_the_index_is_written_once_a_data_set(tmp_path):
    log = make_log(42)
    first = open_system(config_of(tmp_path), log).index.folder
    written = (first / "vectors.npy").stat().st_mtime_ns
    assert open_system(config_of(tmp_path), log).index.folder == first
    assert (first / "vectors.npy").stat().st_mtime_ns == written
    assert open_system(config_of(tmp_path), make_log(43)).index.folder != first


def test_what_is_left_to_the_log_is_a_number_before_anything_is_learnt(tmp_path):
    adjuster = AdjusterConfig(loss="logistic")
    champion = open_system(config_of(tmp_path, adjuster=adjuster), make_log(44)).champion
    assert isinstance(champion.adjuster.logit_bias, float)
    again = open_system(config_of(tmp_path, adjuster=adjuster), make_log(44)).champion
    other = open_system(config_of(tmp_path), make_log(44)).champion
    assert champion.name == again.name != other.name


def test_a_store_can_be_named_or_stand_in_a_variable(tmp_path, monkeypatch):
    log = make_log(45)
    live = LiveConfig(store=str(tmp_path / "elsewhere.db"))
    assert open_system(config_of(tmp_path, serve=live), log).place.endswith("elsewhere.db")
    monkeypatch.setenv("SHOP_STORE", "postgresql://bob:secret@db/live")
    place = open_system(config_of(tmp_path, serve=LiveConfig(store_env="SHOP_STORE")), log).place
    assert "secret" not in place
    assert "@" not in place
    monkeypatch.delenv("SHOP_STORE")
    with pytest.raises(InputError, match="SHOP_STORE, which is not set"):
        open_system(config_of(tmp_path, serve=LiveConfig(store_env="SHOP_STORE")), log)
