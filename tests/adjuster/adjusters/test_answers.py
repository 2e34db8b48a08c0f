"""Copies of a host's sessions: views where they can be, memory of their own where they must be."""

import gc

import numpy as np
import pytest
import torch

from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo, build_batch
from adjuster.adjusters.answers import Answers, no_collection
from adjuster.adjusters.host_copies import stack_tensors

INDEX = SearchIndexInfo(2)


def session_of(clicked, non_clicked):
    return ImprovementInput("s", ImprovementElement("q", np.ones((1, 2))), clicked, non_clicked)


def answered(*sessions):
    layout = build_batch(sessions, INDEX, stack=stack_tensors)
    adjusted = -layout.batch.vectors
    answers = Answers(sessions, layout.shown, layout.batch.object_offsets, adjusted)
    return answers.fill(), torch.from_numpy(adjusted)


def vectors_of(answer):
    return [item.vector for item in (*answer.clicked_elements, *answer.non_clicked_elements)]


def one(name, dtype=torch.float32, **more):
    return ImprovementElement(name, torch.tensor([[1.0, 2.0]], dtype=dtype), **more)


def test_new_tensors_are_views_of_one_memory_that_do_not_overlap():
    (first, second), adjusted = answered(
        session_of([one("a")], [one("b")]), session_of([one("a")], [one("c")])
    )
    vectors = [*vectors_of(first), *vectors_of(second)]
    assert [vector.tolist() for vector in vectors] == [[[-1.0, -2.0]]] * 4
    shared = [
        vector.untyped_storage().data_ptr() == adjusted.untyped_storage().data_ptr()
        for vector in vectors
    ]
    assert shared == [True, True, False, True], "the second of an object has its own"
    assert not any(vector._is_view() for vector in vectors), "as far as autograd is concerned"
    vectors[0].zero_()
    assert [vector.sum().item() for vector in vectors[1:]] == [-3.0] * 3


def test_elements_keep_all_that_is_not_their_vector():
    element = one("a", is_average=[False], user_id="ann")
    (answer,), _ = answered(session_of([element], []))
    (new,) = answer.clicked_elements
    assert (new.id, new.user_id, new.is_average) == ("a", "ann", [False])
    assert element.vector.tolist() == [[1.0, 2.0]]
    assert answer.session_id == "s"


class Noted(ImprovementElement):
    """A host's own: what it notes is not lost."""


def test_elements_of_a_hosts_own_class_keep_it():
    element = Noted("a", torch.tensor([[1.0, 2.0]]))
    element.note = "kept"
    (answer,), _ = answered(session_of([element], [one("b")]))
    (new,), (other,) = answer.clicked_elements, answer.non_clicked_elements
    assert (type(new), new.note) == (Noted, "kept")
    assert type(other) is ImprovementElement
    assert new.vector.tolist() == [[-1.0, -2.0]]


def test_each_element_keeps_its_own_kind_of_vector_and_its_padding():
    padded = ImprovementElement("p", torch.tensor([[1.0, 2.0], [0.0, 0.0]]), is_average=[True])
    array = ImprovementElement("n", np.array([[1.0, 2.0]], np.float32))
    (answer,), _ = answered(session_of([one("h", torch.float16), padded], [array, one("d")]))
    half, with_padding, numbers, plain = vectors_of(answer)
    assert half.dtype == torch.float16
    assert with_padding.tolist() == [[-1.0, -2.0], [0.0, 0.0]]
    assert isinstance(numbers, np.ndarray)
    assert plain.tolist() == [[-1.0, -2.0]]


def test_numbers_may_come_after_the_copies_are_made():
    half = one("h", torch.float16)
    sessions = [session_of([one("a"), half], [one("b")]), session_of([one("b")], [half])]
    layout = build_batch(sessions, INDEX, stack=stack_tensors)
    memory = np.zeros_like(layout.batch.vectors)
    answers = Answers(sessions, layout.shown, layout.batch.object_offsets, memory)
    memory[...] = [[5.0, 6.0], [7.0, 8.0], [9.0, 3.0]]
    vectors = [[vector.tolist() for vector in vectors_of(answer)] for answer in answers.fill()]
    assert vectors == [[[[5, 6]], [[7, 8]], [[9, 3]]], [[[9, 3]], [[7, 8]]]]


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_left_as_it_was(is_on):
    was_on = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        with no_collection():
            assert not gc.isenabled()
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if was_on else gc.disable)()
