"""The plugin API's objects and the flat form: what they say of themselves."""

import copy
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from adjuster import ImprovementElement, ImprovementInput
from adjuster.feedback import batch_in_range, element_parts, keys_of, with_vectors
from adjuster.host_sessions import read_shown
from tests.adjuster.cases import random_batch


class HostElement:
    """A host's own, without flags."""

    def __init__(self, vector):
        self.vector = vector


def test_flags_tell_how_many_rows_are_data_but_never_more_than_there_are():
    rows = np.ones((3, 2))
    assert ImprovementElement("a", rows).n_parts == 3
    assert ImprovementElement("a", rows, is_average=[False]).n_parts == 1
    assert ImprovementElement("a", rows, is_average=[False] * 5).n_parts == 3
    assert element_parts(HostElement(rows)) == 3


def test_another_vector_makes_copies_that_are_else_what_copy_makes():
    elements = [
        ImprovementElement("a", 1, is_average=[True], user_id="ann", original=2),
        ImprovementElement("b", 3),
    ]
    twins = with_vectors(elements, [5, 6])
    copies = [copy.copy(element) for element in elements]
    copies[0].vector, copies[1].vector = 5, 6
    assert twins == copies
    assert twins[0].is_average is elements[0].is_average
    assert [element.vector for element in elements] == [1, 3]
    assert set(ImprovementElement.__slots__) == {field.name for field in fields(elements[0])}
    with pytest.raises(ValueError, match="shorter"):
        with_vectors(elements, [5])


def test_who_owns_what_is_asked_of_each_where_some_do_not_tell():
    bare = SimpleNamespace(id="a")
    assert keys_of([bare, ImprovementElement("b", None, user_id="ann")]) == [
        (None, "a"),
        ("ann", "b"),
    ]


def session_of(owner, clicked, passed):
    shown = [
        [ImprovementElement(name, None, user_id=owner) for name in names]
        for names in (clicked, passed)
    ]
    return ImprovementInput("s", ImprovementElement("q", None), *shown)


def test_what_is_shown_after_some_sessions_stands_alone_if_it_shows_other_objects():
    ann, again = session_of("ann", "a", "bc"), session_of("ann", "c", "a")
    sessions = [ann, again, session_of("bob", "ab", ""), session_of("bob", "", "")]
    shown = read_shown(sessions)
    for mine, alone in zip(shown.after(2), read_shown(sessions[2:]), strict=True):
        assert np.array_equal(mine, alone)
    assert shown.after(1) is None, "ann's a and c are shown again"
    assert shown.after(3) is shown.after(4) is None, "nothing is shown"


def test_a_batch_counts_its_objects():
    batch = random_batch(0)
    assert batch.n_objects == len(batch.object_offsets) - 1 == len(batch.term_offsets) - 1


def test_a_vector_is_scaled_as_its_original_is():
    batch = random_batch(1, dtype=np.float32)
    batch.originals[0] *= np.float32(2.0**70)
    batch.vectors[0] *= np.float32(2.0**68)
    safe, shifts = batch_in_range(batch)
    assert shifts[0] < 0
    assert not shifts[1:].any()
    np.testing.assert_array_equal(safe.vectors[0], np.ldexp(batch.vectors[0], shifts[0]))
    np.testing.assert_array_equal(safe.originals[0], np.ldexp(batch.originals[0], shifts[0]))
