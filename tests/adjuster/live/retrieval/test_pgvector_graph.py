"""Originals in PostgreSQL: loaded once, found by way of the graph, and what is refused."""

import uuid

import numpy as np
import psycopg
import pytest

from adjuster import SearchIndexInfo
from adjuster.live.retrieval import pgvector_graph
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.live.retrieval.pgvector_graph import PgvectorGraph, fingerprint_of, load
from tests.adjuster.live.retrieval.clustered_originals import K, exact_index, queries

pytestmark = pytest.mark.slow


@pytest.fixture
def schema():
    return f"v{uuid.uuid4().hex}"


def loaded(url, schema, exact) -> PgvectorGraph:
    fingerprint = fingerprint_of(exact)
    load(url, schema, exact, fingerprint)
    return PgvectorGraph(url, schema, fingerprint)


@pytest.mark.parametrize("pooling", ["min", "avg"])
def test_a_search_walks_the_graph(pgvector_url, schema, tmp_path, pooling, monkeypatch):
    exact = exact_index(tmp_path / "one", pooling=pooling)
    found = loaded(pgvector_url, schema, exact)
    (query,) = queries(exact, n=1)
    # The plan of the very statement, under the very settings, that a search runs with.
    whole = found.statement()
    monkeypatch.setattr(found, "statement", lambda: f"EXPLAIN (ANALYZE) {whole}")
    plan = "\n".join(row[0] for row in found._walk(query[0], 100))
    assert f"Index Scan using originals_{found.fingerprint}_vector_idx" in plan, plan
    assert "Seq Scan" not in plan
    (kind,) = found.connection.execute(
        "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
        [f"originals_{found.fingerprint}_vector_idx"],
    ).fetchone()
    assert "USING hnsw" in kind
    found.close()


def test_originals_are_loaded_once_and_others_beside_them(pgvector_url, schema, tmp_path):
    first, second = exact_index(tmp_path / "a"), exact_index(tmp_path / "b", n_objects=200)
    (query,) = queries(second, n=1)
    assert fingerprint_of(first) != fingerprint_of(second)
    opened = [loaded(pgvector_url, schema, index) for index in (first, first, second)]
    rows = opened[0].connection.execute("SELECT fingerprint, objects FROM originals").fetchall()
    assert sorted(rows) == sorted([(fingerprint_of(first), 3000), (fingerprint_of(second), 200)])
    again = opened[2].another()
    assert again.candidates(query, K) == opened[2].candidates(query, K)
    for graph in (*opened, again):
        graph.close()


def test_an_empty_index_has_no_candidates(pgvector_url, schema, tmp_path):
    info = SearchIndexInfo(2, "cosine", "min")
    write_index(tmp_path / "empty", [], np.empty((0, 2), np.float32), np.array([0]), info)
    found = loaded(pgvector_url, schema, ExactIndex(tmp_path / "empty"))
    assert found.candidates(np.ones((1, 2), np.float32), 5) == []
    found.close()


def test_what_breaks_while_loading_leaves_nothing(pgvector_url, schema, tmp_path, monkeypatch):
    exact = exact_index(tmp_path / "a", n_objects=200)
    whole, fingerprint = exact.vectors, fingerprint_of(exact)

    def breaking(object_id):
        if object_id == "o99":
            raise OSError("disk")
        return whole(object_id)

    monkeypatch.setattr(exact, "vectors", breaking)
    with pytest.raises(OSError, match="disk"):
        load(pgvector_url, schema, exact, fingerprint)
    with pytest.raises(ValueError, match="are not in schema"):
        PgvectorGraph(pgvector_url, schema, fingerprint)
    monkeypatch.undo()
    found = loaded(pgvector_url, schema, exact)
    assert len(found.candidates(whole("o1"), 200)) == 200
    found.close()


def test_what_pgvector_cannot_hold_is_refused(pgvector_url, schema, tmp_path):
    wide = SearchIndexInfo(2001, "cosine", "min")
    write_index(tmp_path / "wide", ["a"], np.ones((1, 2001), np.float32), np.array([0, 1]), wide)
    with pytest.raises(ValueError, match="at most 2000 dimensions, got 2001"):
        loaded(pgvector_url, schema, ExactIndex(tmp_path / "wide"))
    info = SearchIndexInfo(2, "cosine", "min")
    write_index(tmp_path / "double", ["a"], np.ones((1, 2)), np.array([0, 1]), info)
    with pytest.raises(ValueError, match="keeps float32, got originals in float64"):
        loaded(pgvector_url, schema, ExactIndex(tmp_path / "double"))


@pytest.fixture
def database(pgvector_url):
    """A database of its own, without the extension, and a user who may make schemas in it."""
    name = f"d{uuid.uuid4().hex}"
    with psycopg.connect(pgvector_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"CREATE ROLE {name} LOGIN")
        with psycopg.connect(pgvector_url, dbname=name, autocommit=True) as inside:
            inside.execute(f"GRANT CREATE ON DATABASE {name} TO {name}")
        yield name, pgvector_url.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"DROP ROLE {name}")


def test_an_extension_that_cannot_be_used_is_one_sentence(database, tmp_path, monkeypatch):
    name, url = database
    exact = exact_index(tmp_path / "a", n_objects=60)
    plain = url.replace("postgres@", f"{name}@")
    with monkeypatch.context() as untrusted:
        only_owners = pgvector_graph.AVAILABLE.replace("trusted", "false")
        untrusted.setattr(pgvector_graph, "AVAILABLE", only_owners)
        with pytest.raises(ValueError, match="this user may not create it"):
            loaded(plain, "mine", exact)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA aside")
        owner.execute("CREATE EXTENSION vector SCHEMA aside")
        with pytest.raises(ValueError, match="must be in schema public or live, got aside"):
            loaded(url, "live", exact)
        owner.execute("ALTER EXTENSION vector SET SCHEMA public")
    monkeypatch.setattr(pgvector_graph, "LEAST_VERSION", (99, 1))
    with pytest.raises(ValueError, match=r"pgvector must be 99\.1 or newer, got 0\."):
        loaded(url, "live", exact)
    monkeypatch.undo()
    loaded(url, "live", exact).close()


def test_a_server_without_pgvector_is_one_sentence(pgvector_url, schema, tmp_path, monkeypatch):
    none = pgvector_graph.AVAILABLE.replace("'vector'", "'not there'")
    monkeypatch.setattr(pgvector_graph, "AVAILABLE", none)
    monkeypatch.setattr(pgvector_graph, "EXTENSION", f"{pgvector_graph.EXTENSION} AND false")
    with pytest.raises(ValueError, match="this PostgreSQL has no pgvector"):
        loaded(pgvector_url, schema, exact_index(tmp_path / "a", n_objects=60))
