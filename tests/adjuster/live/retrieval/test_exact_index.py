"""The memory-mapped index: against scoring everything, its ties, and what it refuses."""

import itertools
import json

import numpy as np
import pytest

import adjuster.live.retrieval.exact_index as exact_index
from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.live.retrieval.similarity import similarities_of
from adjuster.ragged import offsets_of

N, D = 300, 9


def content(dtype=np.float32, most_parts=3, seed=0):
    rng = np.random.default_rng(seed)
    offsets = offsets_of(rng.integers(1, most_parts + 1, N))
    vectors = rng.normal(size=(offsets[-1], D)).astype(dtype)
    ids = [f"o{number}" for number in rng.permutation(N)]
    return ids, vectors, offsets


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pooling", ["min", "avg"])
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_it_finds_what_scoring_everything_finds_to_the_bit(
    tmp_path, monkeypatch, metric, pooling, dtype
):
    monkeypatch.setattr(exact_index, "ROWS_AT_ONCE", 50)
    ids, vectors, offsets = content(dtype)
    vectors[7] = vectors[40]
    info = SearchIndexInfo(D, metric, pooling)
    write_index(tmp_path / "index", ids, vectors, offsets, info)
    index = ExactIndex(tmp_path / "index")
    parts = [vectors[lo:hi] for lo, hi in itertools.pairwise(offsets)]
    for n_parts, k in ((1, 1), (2, 20), (3, N + 5)):
        query = np.random.default_rng(n_parts).normal(size=(n_parts, D)).astype(dtype)
        scores = similarities_of(query, parts, info)
        order = sorted(range(N), key=lambda i: (-scores[i], ids[i]))[:k]
        found = index.nearest(query, k)
        assert found.object_ids == [ids[i] for i in order]
        assert found.similarities.tobytes() == scores[order].tobytes()


def test_what_the_matrix_product_cannot_tell_apart_is_told_apart(tmp_path):
    """Thousands of objects within a product's rounding of each other are ranked exactly."""
    rng = np.random.default_rng(1)
    base = rng.normal(size=64)
    vectors = (base + 1e-6 * rng.normal(size=(3000, 64))).astype(np.float32)
    ids = [f"{number:04d}" for number in range(3000)]
    info = SearchIndexInfo(64, "cosine", "min")
    write_index(tmp_path / "index", ids, vectors, np.arange(3001), info)
    query = base[None].astype(np.float32)
    scores = similarities_of(query, list(vectors[:, None]), info)
    found = ExactIndex(tmp_path / "index").nearest(query, 30)
    assert found.object_ids == [ids[i] for i in np.argsort(-scores, kind="stable")[:30]]


def test_equals_are_ranked_by_name(tmp_path):
    vectors = np.ones((5, 2), np.float32)
    write_index(
        tmp_path / "i", ["d", "b", "ä", "a", "c"], vectors, np.arange(6), SearchIndexInfo(2)
    )
    index = ExactIndex(tmp_path / "i")
    assert index.nearest(vectors[:1], 3).object_ids == ["a", "b", "c"]
    assert list(index.object_ids) == ["a", "b", "c", "d", "ä"]


def test_vectors_come_back_and_cannot_be_written_to(tmp_path):
    ids, vectors, offsets = content()
    write_index(tmp_path / "index", ids, vectors, offsets, SearchIndexInfo(D))
    index = ExactIndex(tmp_path / "index")
    assert len(index) == N
    for row in (0, 5, N - 1):
        mine = index.vectors(ids[row])
        assert mine.tobytes() == vectors[offsets[row] : offsets[row + 1]].tobytes()
        with pytest.raises(ValueError, match="read-only"):
            mine[0, 0] = 1
    with pytest.raises(KeyError):
        index.vectors("nothing")


def test_extreme_lengths_are_found_under_cosine(tmp_path):
    vectors = np.array([[3e30, 4e30], [1e-30, 0], [1, -1]], np.float32)
    write_index(tmp_path / "i", ["a", "b", "c"], vectors, np.arange(4), SearchIndexInfo(2))
    found = ExactIndex(tmp_path / "i").nearest(np.array([[0.6, 0.8]], np.float32), 3)
    assert found.object_ids == ["a", "b", "c"]
    assert found.similarities[0] == pytest.approx(1)


def test_an_index_may_be_empty(tmp_path):
    nothing = np.empty((0, 2), np.float32)
    write_index(tmp_path / "i", [], nothing, np.zeros(1, np.int64), SearchIndexInfo(2))
    assert ExactIndex(tmp_path / "i").nearest(np.ones((1, 2), np.float32), 5).object_ids == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"object_ids": ["a", "a"]}, "object_ids must differ"),
        ({"object_ids": ["a", ""]}, "object_id must be a text"),
        ({"vectors": np.ones((2, 3), np.float32)}, r"vectors must have shape \(parts, 2\)"),
        ({"vectors": np.ones((2, 2), np.int32)}, "float32 or float64"),
        (
            {"vectors": np.array([[1, 1], [np.nan, 1]], np.float32)},
            "'b': its vector must be finite",
        ),
        ({"vectors": np.array([[1, 1], [0, 0]], np.float32)}, "'b': its vector must not be zero"),
        ({"offsets": np.array([0, 0, 2])}, "at least one part"),
    ],
)
def test_what_cannot_be_searched_is_refused_and_nothing_is_left(tmp_path, change, sentence):
    given = {
        "object_ids": ["a", "b"],
        "vectors": np.ones((2, 2), np.float32),
        "offsets": np.arange(3),
    }
    with pytest.raises(ValueError, match=sentence):
        write_index(tmp_path / "i", **(given | change), info=SearchIndexInfo(2))
    assert list(tmp_path.iterdir()) == []


def test_queries_and_folders_that_are_none_are_refused(tmp_path):
    write_index(
        tmp_path / "i", ["a"], np.ones((1, 2), np.float32), np.arange(2), SearchIndexInfo(2)
    )
    index = ExactIndex(tmp_path / "i")
    for query, sentence in (
        (np.ones((1, 3)), r"shape \(parts, 2\)"),
        (np.full((1, 2), np.inf), "must be finite"),
        (np.zeros((1, 2)), "must not be zero under cosine"),
    ):
        with pytest.raises(ValueError, match=sentence):
            index.nearest(query, 1)
    with pytest.raises(FileExistsError, match="is there already"):
        write_index(tmp_path / "i", [], np.ones((0, 2)), np.arange(1), SearchIndexInfo(2))
    with pytest.raises(ValueError, match="must be the folder of an index"):
        ExactIndex(tmp_path)
    described = json.loads((tmp_path / "i" / "index.json").read_text())
    described["object_ids"].append("b")
    (tmp_path / "i" / "index.json").write_text(json.dumps(described))
    with pytest.raises(ValueError, match="not of one index"):
        ExactIndex(tmp_path / "i")
