"""Copies in memory: beside their originals, as new as the store, and not without bound."""

import numpy as np
import pytest

from adjuster.live.retrieval.owner_copies import CopyCache, gather_copies


class Shelf:
    def vectors(self, object_id):
        return {"a": np.eye(2, dtype=np.float32), "b": np.ones((1, 2), np.float32)}[object_id]


class Store:
    """One copy an owner, and how often each was read."""

    def __init__(self):
        self.n_read = 0

    def owner_copies(self, generation, owner):
        self.n_read += 1
        return {"b": np.array([[generation, 1]], np.float32)}


def test_copies_stand_beside_their_originals_with_their_drift():
    copies = {"b": np.array([[1, 0]], np.float32), "a": np.eye(2, dtype=np.float32)}
    found = gather_copies(copies | {"gone": np.ones((1, 2))}, Shelf())
    assert found.object_ids == ("a", "b")
    assert found.offsets.tolist() == [0, 2, 3]
    assert found.drift == pytest.approx([0, 1 - np.sqrt(0.5)])
    assert found.originals[2].tolist() == [1, 1]
    assert len(gather_copies({}, Shelf())) == 0


def test_a_copy_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="object 'a': a copy must have its original's shape"):
        gather_copies({"a": np.ones((1, 2), np.float32)}, Shelf())


def test_copies_are_read_again_when_the_version_changes():
    cache, store = CopyCache(Shelf()), Store()
    for version, n_read in (("1", 1), ("1", 1), ("2", 2), ("2", 2)):
        cache.get(store, 0, version, "ann")
        assert store.n_read == n_read
    assert cache.get(store, 5, "2", "ann").vectors[0, 0] == 5
    cache.get(store, 0, "2", "bob")
    assert store.n_read == 4


def test_who_searched_longest_ago_is_dropped_first():
    cache, store = CopyCache(Shelf(), most_parts=2), Store()
    for owner in ("ann", "bob", "ann", "eve"):
        cache.get(store, 0, "1", owner)
    assert store.n_read == 3
    cache.get(store, 0, "1", "ann")
    assert store.n_read == 3
    cache.get(store, 0, "1", "bob")
    assert store.n_read == 4


def test_copies_larger_than_the_memory_are_served_and_not_kept():
    cache, store = CopyCache(Shelf(), most_parts=0), Store()
    assert len(cache.get(store, 0, "1", "ann")) == 1
    cache.get(store, 0, "1", "ann")
    assert store.n_read == 2
