"""Copies as rows, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.live.storage.copies import Copies
from adjuster.live.storage.copy_rows import from_rows, to_rows
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.records import Copy
from adjuster.live.storage.store import Outcome


def drawn_copies(seed) -> list[Copy]:
    """Of several owners and numbers of parts."""
    rng = np.random.default_rng(seed)
    dtype, dimensions = rng.choice(["f4", "f8"]), rng.integers(1, 4)
    return [
        Copy(owner, name, rng.normal(size=(rng.integers(1, 4), dimensions)).astype(dtype))
        for owner in ("ann", "bob")
        for name in "abc"
    ]


def test_a_row_a_copy_worked_by_hand():
    rows = np.array([[1.0], [2.0]], np.float32)
    copies = [Copy("bob", "a", rows), Copy("ann", "b", rows[1:])]
    assert list(to_rows(7, Copies.of(copies))) == [
        (7, "bob", "a", 2, "f4", rows.tobytes()),
        (7, "ann", "b", 1, "f4", rows[1].tobytes()),
    ]
    assert len(from_rows([])) == 0


@given(st.integers(0, 10**6))
def test_what_is_written_is_read_in_whatever_order_it_comes(seed):
    copies = drawn_copies(seed)
    rows = list(to_rows(0, Copies.of(copies)))
    mixed = np.random.default_rng(seed).permutation(len(rows))
    found = {copy[:2]: copy.vectors for copy in from_rows([rows[i][1:] for i in mixed])}
    assert found.keys() == {mine[:2] for mine in copies}
    for owner, name, vectors in copies:
        assert found[owner, name].dtype == vectors.dtype
        assert found[owner, name].shape == vectors.shape
        assert found[owner, name].tobytes() == vectors.tobytes()


def test_types_may_be_mixed_and_dimensions_may_not():
    def row(rows):
        return ("ann", "a", len(rows), f"f{rows.itemsize}", rows.tobytes())

    single, double = np.ones((1, 2), np.float32), np.full((2, 2), 0.1)
    found = from_rows([row(single), row(double)])
    assert [copy.vectors.tolist() for copy in found] == [single.tolist(), double.tolist()]
    with pytest.raises(ValueError, match="dimensions"):
        from_rows([row(single), row(np.ones((1, 3)))])


def test_owners_with_copies_are_told_from_those_without(live_store):
    rows = np.ones((1, 2), np.float32)
    copies = [Copy(owner, name, rows) for owner in ("ann", "o'hara") for name in "ab"]
    live_store.finish(new_lease(0, 1), Outcome(0, 3, copies=copies))
    asked = ["bob", "o'hara", "ann", ""]
    assert live_store.owners_with_copies(3, asked) == {"ann", "o'hara"}
    assert live_store.owners_with_copies(2, asked) == live_store.owners_with_copies(3, []) == set()
