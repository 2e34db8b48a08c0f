"""Copies of vectors a owner: who sees which, in which order, and that originals stay."""

import numpy as np
import pytest

from adjuster.live.retrieval.personalization import PersonalizedVectors


class Shelf:
    """Two objects, one of them of two parts."""

    def __init__(self) -> None:
        self.held = {"hat": np.zeros((2, 3)), "shoe": np.ones((1, 3))}

    def vectors(self, object_id):
        return self.held[object_id]


def test_a_copy_is_seen_by_its_owner_alone():
    copies = PersonalizedVectors(Shelf())
    copies.store("ann", "shoe", np.full((1, 3), 5.0))
    assert copies.vectors("ann", "shoe").tolist() == [[5.0, 5.0, 5.0]]
    assert copies.vectors("bob", "shoe").tolist() == [[1.0, 1.0, 1.0]]
    assert copies.vectors(None, "shoe").tolist() == [[1.0, 1.0, 1.0]]
    assert copies.is_adjusted("ann", "shoe")
    assert not copies.is_adjusted("ann", "hat")
    assert not copies.is_adjusted("bob", "shoe")
    assert not copies.is_adjusted(None, "shoe")


def test_the_original_is_not_changed_and_cannot_be_written_through():
    shelf = Shelf()
    copies = PersonalizedVectors(shelf)
    copies.store("ann", "hat", np.full((2, 3), 7.0))
    assert not shelf.held["hat"].any()
    with pytest.raises(ValueError, match="read-only"):
        copies.original("hat")[0, 0] = 1.0
    assert shelf.held["hat"].flags.writeable


def test_a_stored_copy_does_not_follow_the_array_it_came_from():
    copies = PersonalizedVectors(Shelf())
    mine = np.full((1, 3), 5.0)
    copies.store("ann", "shoe", mine)
    mine[:] = 0.0
    assert copies.vectors("ann", "shoe").tolist() == [[5.0, 5.0, 5.0]]
    with pytest.raises(ValueError, match="read-only"):
        copies.vectors("ann", "shoe")[0, 0] = 1.0


def test_storing_again_replaces_the_copy():
    copies = PersonalizedVectors(Shelf())
    for value in (2.0, 3.0):
        copies.store("ann", "shoe", np.full((1, 3), value))
    assert len(copies) == 1
    assert copies.vectors("ann", "shoe").tolist() == [[3.0, 3.0, 3.0]]


def test_copies_come_in_order_of_object_and_then_owner():
    copies = PersonalizedVectors(Shelf())
    for owner, name, parts in [("bob", "shoe", 1), ("ann", "shoe", 1), ("zoe", "hat", 2)]:
        copies.store(owner, name, np.ones((parts, 3)))
    found = [(one.object_id, one.original_id, one.user_id) for one in copies]
    assert found == [
        ("hat_zoe", "hat", "zoe"),
        ("shoe_ann", "shoe", "ann"),
        ("shoe_bob", "shoe", "bob"),
    ]


def test_another_shape_than_the_originals_is_refused_and_nothing_is_kept():
    copies = PersonalizedVectors(Shelf())
    message = r"object 'hat': .* original's shape \(2, 3\), got \(1, 3\)"
    with pytest.raises(ValueError, match=message):
        copies.store("ann", "hat", np.ones((1, 3)))
    assert len(copies) == 0


def test_an_object_that_the_index_does_not_hold_is_a_key_error():
    copies = PersonalizedVectors(Shelf())
    with pytest.raises(KeyError, match="glove"):
        copies.vectors("ann", "glove")
    with pytest.raises(KeyError, match="glove"):
        copies.store("ann", "glove", np.ones((1, 3)))
