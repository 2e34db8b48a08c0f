"""Vectors of a host's objects: their data rows, and each thing that is refused by name."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo
from adjuster.host_rows import (
    check_distinct,
    check_rows,
    is_misshapen,
    may_be_padded,
    originals_of,
    to_array,
    vector_rows,
)

INDEX = SearchIndexInfo(2)


def session_of(*elements):
    return ImprovementInput("s", ImprovementElement("q", np.ones((1, 2))), [*elements], [])


@pytest.mark.parametrize(
    ("vector", "dtype"),
    [
        (torch.ones((1, 2), dtype=torch.float16), np.float32),
        (torch.ones((1, 2), dtype=torch.bfloat16), np.float32),
        (torch.ones((1, 2), dtype=torch.float64, requires_grad=True), np.float64),
        (np.ones((1, 2), np.float16), np.float32),
        ([[1, 1]], np.float32),
    ],
)
def test_vectors_become_float32_or_stay_float64(vector, dtype):
    array = to_array(vector)
    assert array.dtype == dtype
    assert array.tolist() == [[1, 1]]


@pytest.mark.parametrize("shape", [(2,), (0, 2), (1, 3), (1, 2, 2)])
def test_a_vector_of_another_shape_is_refused_by_name(shape):
    element = ImprovementElement("a", np.ones(shape))
    assert is_misshapen(shape, INDEX)
    with pytest.raises(
        ValueError, match=r"session 's', object 'a': vector must have shape \(parts, 2"
    ):
        vector_rows(session_of(element), element, INDEX)


def test_rows_past_the_flags_are_no_data():
    element = ImprovementElement("a", np.ones((3, 2)), is_average=[False, True])
    assert len(vector_rows(session_of(element), element, INDEX)) == 2


def test_what_some_elements_do_not_tell_is_asked_of_each():
    bare = SimpleNamespace(id="a", vector=np.ones((1, 2)))
    full = ImprovementElement("b", bare.vector, [False], user_id="ann", original=bare.vector)
    assert originals_of([full, bare]) == [bare.vector, None]
    assert may_be_padded([bare, full])
    assert not may_be_padded([bare])
    assert not may_be_padded([ImprovementElement("c", bare.vector)])


def test_an_object_of_two_owners_stands_twice_rightly():
    ours, theirs = (ImprovementElement("a", np.ones((1, 2)), user_id=name) for name in ("x", "y"))
    check_distinct(session_of(ours, theirs))
    with pytest.raises(ValueError, match="session 's', object 'a': id must stand once"):
        check_distinct(session_of(ours, ours))


@pytest.mark.parametrize(
    ("metric", "row", "said"),
    [
        ("cosine", [np.nan, 1.0], "must be finite"),
        ("cosine", [0.0, 0.0], "must not be zero under cosine"),
        ("dot", [1e30, 1.0], "must have its largest coordinate between"),
        ("euclid", [1e-30, 0.0], "must have its largest coordinate between"),
    ],
)
def test_the_first_bad_row_is_told_by_its_element(metric, row, said):
    index = SearchIndexInfo(2, metric)
    good, bad = ImprovementElement("a", None), ImprovementElement("b", None)
    session = session_of(good, bad)
    rows = np.array([[1.0, 1.0], [1.0, 2.0], row], np.float32)
    with pytest.raises(ValueError, match=f"object 'b': vector {said}"):
        check_rows(rows, [2, 1], [(session, good), (session, bad)], index)


def test_zero_rows_may_be_allowed_and_queries_are_told_as_such():
    session = session_of()
    sources = [(session, session.query)]
    check_rows(np.zeros((1, 2)), [1], sources, INDEX, zeros_allowed=True)
    with pytest.raises(ValueError, match=r"session 's', query: query\.vector must not be zero"):
        check_rows(np.zeros((1, 2)), [1], sources, INDEX)
