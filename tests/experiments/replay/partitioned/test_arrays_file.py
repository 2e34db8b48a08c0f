"""Trees of arrays on disk: equal to the last bit, and as writable as before."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.replay.partitioned.arrays_file import read_arrays, write_arrays
from experiments.replay.partitioned.shelf import Shelf


class Leaf(NamedTuple):
    numbers: NDArray[np.int64]
    flags: NDArray[np.bool_]


@dataclass(frozen=True)
class Tree:
    """One of everything that is kept."""

    leaf: Leaf
    absent: Leaf | None
    given: NDArray[np.float32] | None
    by_cutoff: dict[int, NDArray[np.float64]]
    by_name: dict[str, NDArray[np.float64]]


def tree(numbers=(1, -5, 7)):
    floats = np.array([0.1, -0.0, np.nan, np.inf, 5e-324])
    return Tree(
        leaf=Leaf(np.array(numbers, np.int64), np.array([True, False, True])),
        absent=None,
        given=np.array([1.5, 3e-45], np.float32)[::-1],
        by_cutoff={5: floats, 10: floats[:0]},
        by_name={"mrr": floats[::2]},
    )


def arrays(some):
    return [
        *some.leaf,
        some.given,
        *some.by_cutoff.values(),
        *some.by_name.values(),
    ]


@pytest.mark.parametrize("numbers", [(1, -5, 7), (2**31, 0, -(2**31)), (2**63 - 1, -(2**63)), ()])
def test_what_is_read_is_what_was_written_to_the_last_bit(tmp_path, numbers):
    made = tree(numbers)
    write_arrays(tmp_path / "tree.arrow", made)
    found = read_arrays(tmp_path / "tree.arrow", Tree)
    assert (found.absent, list(found.by_cutoff), list(found.by_name)) == (None, [5, 10], ["mrr"])
    for mine, theirs in zip(arrays(found), arrays(made), strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.tobytes() == theirs.tobytes()
        assert mine.flags.writeable
        assert mine.flags.c_contiguous


def test_whole_numbers_take_no_more_room_than_they_need(tmp_path):
    noise = np.random.default_rng(0).integers(0, 2**30, 100_000)
    write_arrays(tmp_path / "tree.arrow", Leaf(noise, np.zeros(1, np.bool_)))
    assert (tmp_path / "tree.arrow").stat().st_size < 1.1 * 4 * len(noise)


def test_what_was_made_once_is_read_from_then_on(tmp_path):
    shelf, made = Shelf(tmp_path), []

    def make():
        made.append(tree())
        return made[-1]

    first, again = (shelf.get("one", Tree, make) for _ in range(2))
    assert len(made) == 1
    np.testing.assert_equal(again.leaf.numbers, first.leaf.numbers)


def test_only_the_newest_of_those_that_match_are_kept(tmp_path):
    shelf = Shelf(tmp_path)
    for name in ("a-1", "a-2", "b-1", "a-3"):
        shelf.get(name, Tree, tree)
    shelf.keep_newest("a-*", 2)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a-2", "a-3", "b-1"]
