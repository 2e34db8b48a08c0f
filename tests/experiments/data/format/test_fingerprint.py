"""The fingerprint changes with what a log says, and with nothing else."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.index import SearchIndexInfo
from experiments.data.format.fingerprint import (
    CHUNK_ROWS,
    Fingerprint,
    fingerprint_of,
    row_hashes,
)
from experiments.data.format.vector_table import VectorTable, build_vector_table

INDEX = SearchIndexInfo(2, "cosine", "min")


def of_array(array: np.ndarray) -> str:
    mark = Fingerprint()
    mark.add_array("a", array)
    return mark.hexdigest()


def of_strings(strings: list[str | None]) -> str:
    mark = Fingerprint()
    mark.add_strings("a", pa.array(strings, pa.string()))
    return mark.hexdigest()


def grouped(ids: list[str], vectors: list[list[float]], averages: list[bool]) -> VectorTable:
    data = pa.table({"object_id": ids, "is_average": averages})
    return build_vector_table(data, np.array(vectors, np.float32), "title")


ITEMS = grouped(["a", "a", "b"], [[1, 0], [0, 1], [1, 1]], [False, True, False])
QUERIES = grouped(["q"], [[1, 2]], [False])
EVENTS = pa.table({"id": ["e1", "e2"], "type": ["click", "buy"]})
ARRAYS = {"session_created_at": np.array([5, 6]), "session_ids": np.array(["s", "t"], object)}


def mark_of(**changed: object) -> str:
    parts = {"index": INDEX, "items": ITEMS, "queries": QUERIES, "arrays": ARRAYS, "events": EVENTS}
    return fingerprint_of(**{**parts, **changed})  # type: ignore[arg-type]


def test_numbers_are_hashed_with_their_name_type_and_shape() -> None:
    by_hand = b"a|<i4|(2,)|" + bytes([1, 0, 0, 0, 2, 1, 0, 0])
    assert of_array(np.array([1, 258], "<i4")) == hashlib.sha256(by_hand).hexdigest()


def test_text_is_hashed_with_its_length_in_bytes() -> None:
    mark = Fingerprint()
    mark.add_text("n", "é")
    assert mark.hexdigest() == hashlib.sha256(b"n|text|(2,)|\xc3\xa9").hexdigest()


def test_equal_numbers_of_other_bits_count_as_one() -> None:
    odd_nan = np.array([0x7FC00001], np.uint32).view(np.float32)
    one = np.concatenate([odd_nan, np.array([-0.0], np.float32)])
    assert of_array(one) == of_array(np.array([np.nan, 0.0], np.float32))


def test_a_long_array_is_hashed_as_one_stretch() -> None:
    array = np.arange(2 * CHUNK_ROWS + 3, dtype="<i8")
    by_hand = f"a|<i8|({len(array)},)|".encode() + array.tobytes()
    assert of_array(array) == hashlib.sha256(by_hand).hexdigest()
    assert of_array(array[::-1]) == of_array(array[::-1].copy())


@given(*[st.lists(st.none() | st.text("ab", max_size=2), max_size=4)] * 2)
def test_strings_have_one_mark_exactly_when_they_are_the_same(
    one: list[str | None], two: list[str | None]
) -> None:
    assert (of_strings(one) == of_strings(two)) == (one == two)


def test_rows_have_one_number_exactly_when_they_are_equal() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.integers(-1, 2, (300, 3)).astype(np.float32)
    matrix[::2] *= np.float32(-1)
    marks = row_hashes(matrix)
    same_row = (matrix[:, None] == matrix[None]).all(axis=2)
    assert ((marks[:, None] == marks[None]) == same_row).all()


def test_the_order_of_an_objects_parts_says_nothing() -> None:
    other = grouped(["a", "a", "b"], [[0, 1], [1, 0], [1, 1]], [True, False, False])
    assert mark_of(items=other) == mark_of()


@pytest.mark.parametrize(
    "changed",
    [
        {"index": SearchIndexInfo(2, "dot", "min")},
        {"index": SearchIndexInfo(2, "cosine", "avg")},
        {"items": grouped(["a", "a", "b"], [[1, 0], [0, 1], [1, 2]], [False, True, False])},
        {"items": grouped(["a", "a", "b"], [[1, 0], [0, 1], [1, 1]], [True, False, False])},
        {"items": grouped(["a", "a", "b"], [[1, 1], [0, 1], [1, 0]], [False, True, False])},
        {"queries": grouped(["q"], [[2, 1]], [False])},
        {"events": pa.table({"id": ["e1", "e3"], "type": ["click", "buy"]})},
        {"events": pa.table({"id": ["e1", "e2"], "type": ["buy", "click"]})},
        {"arrays": {**ARRAYS, "session_created_at": np.array([5, 7])}},
        {"arrays": {**ARRAYS, "session_ids": np.array(["s", "u"], object)}},
    ],
)
def test_what_the_log_says_changes_its_fingerprint(changed: dict[str, object]) -> None:
    assert mark_of(**changed) != mark_of()


def test_the_order_in_which_arrays_are_named_says_nothing() -> None:
    assert mark_of(arrays=dict(reversed(ARRAYS.items()))) == mark_of()
