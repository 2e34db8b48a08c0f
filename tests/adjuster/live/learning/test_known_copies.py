"""Copies kept between batches: the same as if they were read anew, and read no more than once."""

import numpy as np
import pytest

from adjuster.live.learning.known_copies import KnownCopies
from adjuster.live.learning.vector_table import VectorTable
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.records import Copy
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.live.storage.store import Outcome
from tests.adjuster.live.storage.test_store import FIRST

ORIGINALS = {"a": np.zeros((1, 2)), "b": np.zeros((2, 2)), "c": np.zeros((1, 2))}


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "live.db")
    yield opened
    opened.close()


def make_known(store):
    objects = VectorTable("object", lambda names: {n: ORIGINALS[n] for n in names}, lambda rows: ())
    return KnownCopies(store, 0, objects)


def write(store, *copies):
    store.finish(FIRST, Outcome(0, 0, copies=copies))
    return Copies.of(copies)


def vectors_of(known, *pairs):
    owners, names = zip(*pairs, strict=True)
    return known.current(owners, known.objects.numbers(names)).vectors.tolist()


def test_copies_stand_in_place_of_originals_where_there_are_any(store):
    known = make_known(store)
    assert vectors_of(known, ("ann", "b"), ("ann", "a")) == [[0, 0]] * 3
    write(store, Copy("ann", "b", np.array([[1.0, 2.0], [3.0, 4.0]])))
    pairs = ("ann", "a"), ("ann", "b"), ("bob", "b")
    assert vectors_of(known, *pairs) == [[0, 0], [1, 2], [3, 4], [0, 0], [0, 0]]


def test_what_was_kept_is_not_read_again(store, monkeypatch):
    known = make_known(store)
    vectors_of(known, ("ann", "a"), ("ann", "b"))
    for value in (1.0, 2.0):
        written = write(
            store,
            Copy("ann", "b", np.full((2, 2), value)),
            Copy("ann", "a", np.full((1, 2), -value)),
        )
        known.keep(written, known.objects.numbers(written.object_ids), vectors=True)
    with monkeypatch.context() as patched:
        patched.setattr(store, "copies", None)
        found = vectors_of(known, ("ann", "a"), ("ann", "b"))
    assert found == [[-2, -2], [2, 2], [2, 2]]
    assert known.n_parts == 3
    assert vectors_of(make_known(store), ("ann", "a"), ("ann", "b")) == found


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("when", ["before it is kept", "afterwards"])
def test_what_somebody_else_writes_is_read(store, when, keeps):
    known = make_known(store)
    vectors_of(known, ("ann", "a"))
    mine = write(store, Copy("ann", "a", np.full((1, 2), 1.0)))
    if when == "afterwards":
        known.keep(mine, known.objects.numbers(["a"]), vectors=keeps)
    write(store, Copy("ann", "a", np.full((1, 2), 9.0)))
    if when != "afterwards":
        known.keep(mine, known.objects.numbers(["a"]), vectors=keeps)
    assert vectors_of(known, ("ann", "a")) == [[9, 9]]
    store.forget(0)
    assert vectors_of(known, ("ann", "a")) == [[0, 0]]


def test_only_pairs_that_may_have_copies_are_asked_for(store, monkeypatch):
    write(store, Copy("ann", "a", np.full((1, 2), 1.0)))
    known, asked = make_known(store), []
    whole = store.copies

    def copies(generation, pairs):
        asked.append(pairs)
        return whole(generation, pairs)

    monkeypatch.setattr(store, "copies", copies)
    everything = ("ann", "a"), ("ann", "c"), ("bob", "a"), ("bob", "b")
    assert vectors_of(known, *everything) == [[1, 1]] + [[0, 0]] * 4
    # Bob had none: all that he has from now on is what was written here.
    assert asked == [[("ann", "a"), ("ann", "c")]]
    written = write(
        store, Copy("ann", "a", np.full((1, 2), 2.0)), Copy("bob", "b", np.full((2, 2), 3.0))
    )
    known.keep(written, known.objects.numbers(written.object_ids), vectors=False)
    asked.clear()
    assert vectors_of(known, *everything) == [[2, 2], [0, 0], [0, 0], [3, 3], [3, 3]]
    assert asked == [[("ann", "a"), ("ann", "c"), ("bob", "b")]]
    assert vectors_of(make_known(store), *everything) == vectors_of(known, *everything)


def test_a_copy_of_another_shape_is_named(store):
    write(store, Copy("ann", "b", np.ones((1, 2))))
    sentence = r"'b': the copy of owner 'ann' must have its original's shape \(2, 2\), got \(1, 2\)"
    with pytest.raises(ValueError, match=sentence):
        vectors_of(make_known(store), ("ann", "a"), ("ann", "b"))
