"""What finds the originals of a system: chosen by name, and asked by real clients."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest
import requests

from adjuster.live.http.http_guard import Access
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow
from adjuster.live.retrieval import pgvector_graph
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.records import Copy
from adjuster.live.storage.store import Outcome
from experiments.common.errors import InputError
from experiments.config.data import DatasetConfig
from experiments.config.serve import LiveConfig, ServeConfig
from experiments.serving.originals import searched_originals
from experiments.serving.processes import served
from experiments.serving.system import open_system
from tests.adjuster.live.retrieval.clustered_originals import K, exact_index, recall
from tests.experiments.random_log import make_log


def test_the_exact_index_is_the_default(tmp_path):
    index = exact_index(tmp_path / "index", n_objects=20)
    with searched_originals(LiveConfig(), index) as originals:
        assert originals is index


@pytest.mark.parametrize("store", [None, "shop.db"])
def test_pgvector_needs_a_store_in_postgresql(tmp_path, store):
    live = LiveConfig(store=store, index="pgvector")
    index = exact_index(tmp_path / "index", n_objects=20)
    wanted = "serve.index must be exact where the store is a SQLite file, got pgvector"
    with pytest.raises(InputError, match=wanted), searched_originals(live, index):
        pass


def test_what_is_no_index_is_refused():
    with pytest.raises(ValueError, match=r"serve\.index must be one of exact, pgvector, got ann"):
        LiveConfig(index="ann")


@pytest.fixture
def live(pgvector_url):
    return LiveConfig(store=pgvector_url, schema=f"s{uuid.uuid4().hex}", index="pgvector")


@pytest.fixture
def system(tmp_path, live):
    """A system in PostgreSQL that shows ann her copies; its originals are worth a graph."""
    config = ServeConfig(
        dataset=DatasetConfig(path="made"),
        search=SearchConfig(kept_share=0.0, checked_share=1.0),
        output_dir=str(tmp_path),
        personalize_by="user_id",
        serve=live,
    )
    made = open_system(config, make_log(3, n_sessions=5, n_objects=2000, dimensions=24))
    store = made.opener()
    moved = [Copy("ann", name, made.index.vectors(name) + 1) for name in made.index.object_ids[:50]]
    store.finish(new_lease(0, 1), Outcome(0, 0, copies=moved))
    store.set_state(MODE, ModeRow(Mode.ON, 0, "For this test.").to_text())
    store.close()
    return made


def ask(address, vectors):
    """Search for each vector, some clients at a time, each over a connection of its own."""

    def one(vector):
        body = {"search_query": "new", "query_vector": vector.tolist(), "limit": K}
        path = f"{address}/api/v1/embeddings/similarity-search"
        answer = requests.post(path, json=body | {"user_id": "ann"}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()["search_results"]

    with ThreadPoolExecutor(8) as clients:
        return list(clients.map(one, vectors))


def names_in(pages):
    return [[result["object_id"] for result in page] for page in pages]


def scans(live, system) -> tuple[int, int]:
    """How often the table's rows were read one after the other, and how often its graph walked."""
    table = f"originals_{pgvector_graph.fingerprint_of(system.index)}"
    with psycopg.connect(live.store) as connection:
        return connection.execute(
            "SELECT seq_scan, i.idx_scan FROM pg_stat_user_tables t JOIN pg_stat_user_indexes i "
            "USING (schemaname, relname) WHERE schemaname = %s AND relname = %s "
            "AND indexrelname = %s",
            [live.schema, table, f"{table}_vector_idx"],
        ).fetchone()


def scans_once_told(live, system, n_walks) -> tuple[int, int]:
    """`scans`, once so many walks are told of: a connection tells its own when it has ended."""
    patience = time.monotonic() + 20
    while (found := scans(live, system))[1] < n_walks and time.monotonic() < patience:
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_clients_of_pgvector_find_what_those_of_the_exact_index_find(system, live):
    vectors = np.random.default_rng(7).normal(size=(100, 24)).astype(np.float32)
    with served(system.app(Access(), None), "127.0.0.1", 0) as address:
        exact = ask(address, vectors)
    with searched_originals(live, system.index):
        pass  # loaded, and closed again
    before = scans(live, system)
    with (
        searched_originals(live, system.index) as originals,
        served(system.app(Access(), None, originals), "127.0.0.1", 0) as address,
    ):
        found = ask(address, vectors)
        health = requests.get(f"{address}/live/status", timeout=60).json()["searches"]
    after = scans_once_told(live, system, before[1] + len(vectors))
    # Each search walked the graph, once or more, and none read the table.
    assert (after[0], after[1] >= before[1] + len(vectors)) == (before[0], True)
    names = [
        [[result["object_id"] for result in page] for page in pages] for pages in (found, exact)
    ]
    assert recall(*names) >= 0.98
    assert any(result["meta"]["is_adjusted"] for page in found for result in page)
    for mine, theirs in zip(found, exact, strict=True):
        known = {result["object_id"]: result for result in theirs}
        both = [result for result in mine if result["object_id"] in known]
        assert both == [known[result["object_id"]] for result in both]
    assert (health["n"], health["errors"], health["parity"]) == (len(vectors), 0, 1.0)


@pytest.mark.slow
def test_a_database_without_pgvector_is_one_sentence(system, live, monkeypatch):
    none = pgvector_graph.AVAILABLE.replace("'vector'", "'not there'")
    monkeypatch.setattr(pgvector_graph, "AVAILABLE", none)
    monkeypatch.setattr(pgvector_graph, "EXTENSION", f"{pgvector_graph.EXTENSION} AND false")
    wanted = "serve.index cannot be pgvector: this PostgreSQL has no pgvector. Install it there"
    with pytest.raises(InputError, match=wanted), searched_originals(live, system.index):
        pass
