"""Copies in their place: against ranking all objects, however many copies and wherever they go."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adjuster.live.retrieval.personal_ranking as personal_ranking
from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.nearest import Nearest
from adjuster.live.retrieval.owner_copies import gather_copies
from adjuster.live.retrieval.personal_ranking import by_originals, near_enough, with_copies
from adjuster.live.retrieval.similarity import distances_of, similarities_of

NAMES = [f"o{number:02d}" for number in range(20)]
QUERY = np.array([[1.0, 0.2, -0.3]], np.float32)


def drawn(names, rng) -> dict:
    """Vectors of few values, so that many are equally close."""
    return {
        name: (rng.integers(-2, 3, (1, 3)) + np.array([0.1, 0, 0])).astype(np.float32)
        for name in names
    }


class Shelf:
    """An index in memory."""

    def __init__(self, metric, seed=0):
        rng = np.random.default_rng(seed)
        self.info = SearchIndexInfo(3, metric, "min")
        self.rows = {
            name: rng.integers(-2, 3, (1, 3)) + np.float32([[0.1, 0, 0]]) for name in NAMES
        }
        self.rows = {name: rows.astype(np.float32) for name, rows in self.rows.items()}

    def vectors(self, object_id):
        return self.rows[object_id]

    def nearest(self, query, k):
        scores = similarities_of(query, list(self.rows.values()), self.info)
        order = np.argsort(-scores, kind="stable")[:k]
        return Nearest([NAMES[i] for i in order], scores[order])


@given(
    st.sampled_from(["cosine", "dot", "euclid"]),
    st.sets(st.sampled_from(NAMES), max_size=15),
    st.integers(1, 20),
    st.integers(0, 9),
    st.sampled_from([0, 1, 200]),
)
def test_the_page_is_that_of_ranking_every_object(metric, copied, limit, seed, at_once):
    shelf, rng = Shelf(metric, seed), np.random.default_rng(seed)
    copies = drawn(sorted(copied), rng)
    gathered = gather_copies(copies, shelf)
    with patch.object(personal_ranking, "COPIES_AT_ONCE", at_once):
        near = near_enough(shelf, QUERY, limit, gathered)
    found = with_copies(near, QUERY, limit, gathered, shelf.info)
    scores = similarities_of(
        QUERY, [copies.get(name, shelf.rows[name]) for name in NAMES], shelf.info
    )
    before = similarities_of(QUERY, list(shelf.rows.values()), shelf.info)
    order = sorted(range(20), key=lambda i: (-scores[i], -before[i], NAMES[i]))[:limit]
    assert found.object_ids[:limit] == [NAMES[i] for i in order]
    assert found.distances[:limit].tolist() == distances_of(scores[order], shelf.info).tolist()
    # What stands first by the originals has its place too, for whoever mixes both.
    assert set(near.object_ids[:limit]) <= set(found.object_ids)
    assert (np.diff(found.distances) >= 0).all()


def test_where_most_have_a_copy_no_more_is_asked_for_than_it_takes():
    shelf, asked = Shelf("cosine"), []
    nearest = shelf.nearest

    def counted(query, k):
        asked.append(k)
        return nearest(query, k)

    shelf.nearest = counted
    first = nearest(QUERY, 20).object_ids
    gathered = gather_copies({name: shelf.rows[name] for name in first[3:]}, shelf)
    with patch.object(personal_ranking, "COPIES_AT_ONCE", 1):
        near_enough(shelf, QUERY, 2, gathered)
        assert asked == [3]
        near_enough(shelf, QUERY, 3, gathered)
        assert asked[1:] == [4]
        gathered = gather_copies({name: shelf.rows[name] for name in first[:6]}, shelf)
        near_enough(shelf, QUERY, 2, gathered)
    assert asked[2:] == [3, 8]


def test_without_copies_it_is_the_originals_ranking():
    shelf = Shelf("cosine")
    nothing = gather_copies({}, shelf)
    near = near_enough(shelf, QUERY, 5, nothing)
    assert with_copies(near, QUERY, 5, nothing, shelf.info).object_ids == near.object_ids


def test_what_is_further_away_is_left_out():
    shelf = Shelf("cosine")
    ranked = by_originals(shelf.nearest(QUERY, 20), shelf.info)
    most = float(ranked.distances[4])
    kept = ranked.within(most)
    assert kept.distances.max() <= most
    assert len(kept.object_ids) == np.count_nonzero(ranked.distances <= most)
    assert ranked.within(None) is ranked


@pytest.mark.parametrize(("metric", "wanted"), [("cosine", 0.0), ("dot", -4.0), ("euclid", 0.0)])
def test_distances_are_small_for_what_is_close(metric, wanted):
    info = SearchIndexInfo(1, metric)
    two = np.array([[2.0]])
    assert distances_of(similarities_of(two, [two], info), info).tolist() == [wanted]
