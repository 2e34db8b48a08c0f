"""Copies as rows, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adjuster.live.storage.copy_rows import from_rows, to_rows
from adjuster.live.storage.records import Copy


def drawn_copies(seed) -> list[Copy]:
    """Of several owners, types, lengths and numbers of parts."""
    rng = np.random.default_rng(seed)
    names = [(owner, name) for owner in ("ann", "bob") for name in "abc"]
    return [
        Copy(owner, name, rng.normal(size=(rng.integers(1, 4), rng.integers(1, 4))).astype(dtype))
        for (owner, name), dtype in zip(
            rng.permutation(names).tolist(), rng.choice(["f4", "f8"], len(names)), strict=True
        )
    ]


def test_a_row_a_part_in_order_worked_by_hand():
    rows = np.array([[1.0], [2.0]], np.float32)
    copies = [Copy("bob", "a", rows), Copy("ann", "b", rows[1:])]
    one, two = rows[0].tobytes(), rows[1].tobytes()
    assert to_rows(7, copies) == [
        (7, "ann", "b", 0, "f4", two),
        (7, "bob", "a", 0, "f4", one),
        (7, "bob", "a", 1, "f4", two),
    ]
    assert to_rows(7, []) == []
    assert from_rows([]) == {}


@given(st.integers(0, 10**6))
def test_what_is_written_is_read_in_whatever_order_it_comes(seed):
    copies = drawn_copies(seed)
    rows = to_rows(0, copies)
    mixed = np.random.default_rng(seed).permutation(len(rows))
    found = from_rows([rows[i][1:] for i in mixed])
    assert found.keys() == {mine[:2] for mine in copies}
    for owner, name, vectors in copies:
        assert found[owner, name].dtype == vectors.dtype
        assert found[owner, name].shape == vectors.shape
        assert found[owner, name].tobytes() == vectors.tobytes()
