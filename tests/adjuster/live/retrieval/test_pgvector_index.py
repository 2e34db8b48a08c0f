"""The originals behind pgvector: how many of the nearest are found, by many threads at a time."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from adjuster.live.retrieval.pgvector_index import load_originals
from adjuster.live.storage.store import StoreUnavailable
from tests.adjuster.live.retrieval.clustered_originals import (
    N_OBJECTS,
    K,
    exact_index,
    queries,
    recall,
)
from tests.postgres_server import started

pytestmark = pytest.mark.slow


@pytest.fixture
def schema():
    return f"v{uuid.uuid4().hex}"


def share_found(found, exact, asked) -> float:
    """The share of the true neighbours that is found."""
    pairs = [(found.nearest(q, K).object_ids, exact.nearest(q, K).object_ids) for q in asked]
    assert all(len(names) == len(set(names)) == K for names, _ in pairs)
    return recall(*zip(*pairs, strict=True))


@pytest.mark.parametrize("pooling", ["min", "avg"])
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_nearly_all_of_the_nearest_are_found(pgvector_url, schema, tmp_path, metric, pooling):
    exact = exact_index(tmp_path / "one", metric, pooling)
    found = load_originals(pgvector_url, schema, exact)
    assert (len(found), found.info) == (N_OBJECTS, exact.info)
    assert share_found(found, exact, queries(exact)) >= 0.98
    found.close()


@pytest.mark.parametrize(
    ("metric", "pooling"), [("cosine", "min"), ("cosine", "avg"), ("dot", "avg"), ("euclid", "avg")]
)
def test_objects_and_queries_of_several_parts_are_found(
    pgvector_url, schema, tmp_path, metric, pooling
):
    exact = exact_index(tmp_path / "many", metric, pooling, most_parts=4)
    found = load_originals(pgvector_url, schema, exact)
    assert share_found(found, exact, queries(exact, n_parts=2)) >= 0.95
    found.close()


def test_what_is_found_has_the_similarities_of_the_exact_index_to_the_bit(
    pgvector_url, schema, tmp_path
):
    exact = exact_index(tmp_path / "one", most_parts=3)
    found = load_originals(pgvector_url, schema, exact)
    (query,) = queries(exact, n=1)
    everything = exact.nearest(query, N_OBJECTS)
    known = dict(zip(everything.object_ids, everything.similarities.tolist(), strict=True))
    mine = found.nearest(query, K)
    assert [known[name] for name in mine.object_ids] == mine.similarities.tolist()
    assert mine.similarities.tolist() == sorted(mine.similarities.tolist(), reverse=True)
    assert found.vectors("o7").tobytes() == exact.vectors("o7").tobytes()
    with pytest.raises(KeyError, match="nothing"):
        found.vectors("nothing")
    with pytest.raises(ValueError, match="must not be zero under cosine"):
        found.nearest(0 * query, K)
    found.close()


def test_many_threads_find_what_one_finds(pgvector_url, schema, tmp_path):
    exact = exact_index(tmp_path / "one")
    found = load_originals(pgvector_url, schema, exact)
    asked = list(queries(exact, n=200))
    alone = [found.nearest(query, K).object_ids for query in asked]
    with ThreadPoolExecutor(20) as threads:
        together = list(threads.map(lambda query: found.nearest(query, K).object_ids, asked))
    assert together == alone
    found.close()


def test_more_may_be_asked_for_than_there_are(pgvector_url, schema, tmp_path):
    exact = exact_index(tmp_path / "few", n_objects=60, most_parts=3)
    found = load_originals(pgvector_url, schema, exact)
    (query,) = queries(exact, n=1)
    assert found.nearest(query, 500).object_ids == exact.nearest(query, 500).object_ids
    found.close()


def test_a_server_that_restarts_is_searched_again(schema, tmp_path, pgvector_url):
    with started() as server:
        url = server.url.replace("+psycopg", "")
        exact = exact_index(tmp_path / "one", n_objects=200)
        found = load_originals(url, schema, exact)
        (query,) = queries(exact, n=1)
        before = found.nearest(query, K).object_ids
        server.stop("immediate")
        with pytest.raises(StoreUnavailable, match="The store cannot be used now: "):
            found.nearest(query, K)
        server.start()
        assert found.nearest(query, K).object_ids == before
        found.close()
