"""A host's objects in and out: views where they can be, copies where they must be."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo, build_batch
from adjuster.adjusters.host_copies import device_of, stack_tensors, with_adjusted, with_rows

INDEX = SearchIndexInfo(2)


@dataclass(frozen=True)
class HostElement:
    """An element of a host's own, which cannot be assigned to."""

    id: str
    vector: Any


def session_of(clicked, non_clicked):
    return ImprovementInput("s", ImprovementElement("q", np.ones((1, 2))), clicked, non_clicked)


def test_type_and_dtype_of_vectors_stay():
    answer = with_rows(
        session_of(
            [ImprovementElement("a", torch.ones((1, 2), dtype=torch.float16))],
            [ImprovementElement("b", np.ones((2, 2), np.float32))],
        ),
        [np.array([[3.0, 4.0]]), np.array([[5.0, 6.0]])],
    )
    clicked, unclicked = answer.clicked_elements[0].vector, answer.non_clicked_elements[0].vector
    assert clicked.dtype == torch.float16
    assert clicked.tolist() == [[3.0, 4.0]]
    assert unclicked.dtype == np.float32
    assert unclicked.tolist() == [[5.0, 6.0], [1.0, 1.0]]


def test_a_hosts_frozen_elements_are_copied_not_written():
    element = HostElement("a", np.zeros((1, 2)))
    answer = with_rows(session_of([element], []), [np.ones((1, 2))])
    assert isinstance(answer.clicked_elements[0], HostElement)
    assert answer.clicked_elements[0].vector.tolist() == [[1.0, 1.0]]
    assert element.vector.tolist() == [[0.0, 0.0]]


def test_too_few_rows_for_a_sessions_elements_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        with_rows(session_of([HostElement("a", np.zeros((1, 2)))], []), [])


def test_the_device_is_that_of_the_first_tensor():
    arrays = session_of([HostElement("a", np.zeros((1, 2)))], [])
    tensors = session_of([], [HostElement("b", torch.zeros((1, 2), device="meta"))])
    assert device_of([arrays]) == torch.device("cpu")
    assert device_of([arrays, tensors]) == torch.device("meta")


def answered(*sessions):
    layout = build_batch(sessions, INDEX, stack=stack_tensors)
    adjusted = -layout.batch.vectors
    return with_adjusted(sessions, layout, adjusted), torch.from_numpy(adjusted)


def vectors_of(answer):
    return [item.vector for item in (*answer.clicked_elements, *answer.non_clicked_elements)]


def one(name, dtype=torch.float32, **more):
    return ImprovementElement(name, torch.tensor([[1.0, 2.0]], dtype=dtype), **more)


def test_many_tensors_are_stacked_at_once_and_anything_else_one_by_one():
    tensors = [torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]], dtype=torch.float16)]
    for vectors in (tensors, [tensors[0], tensors[1].numpy()]):
        stacked = stack_tensors(vectors)
        assert stacked.dtype == np.float32
        assert stacked.tolist() == [[1, 2], [3, 4]]
    grown = torch.ones((1, 2), requires_grad=True)
    assert stack_tensors([grown, grown]).tolist() == [[1, 1], [1, 1]]
    assert stack_tensors([torch.ones((1, 2), dtype=torch.bfloat16)]).dtype == np.float32


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
    vectors[0].zero_()
    assert [vector.sum().item() for vector in vectors[1:]] == [-3.0] * 3


def test_elements_keep_all_that_is_not_their_vector():
    element = one("a", is_average=[False], user_id="ann")
    (answer,), _ = answered(session_of([element], []))
    (new,) = answer.clicked_elements
    assert (new.id, new.user_id, new.is_average) == ("a", "ann", [False])
    assert element.vector.tolist() == [[1.0, 2.0]]
    assert answer.session_id == "s"


def test_each_element_keeps_its_own_kind_of_vector_and_its_padding():
    padded = ImprovementElement("p", torch.tensor([[1.0, 2.0], [0.0, 0.0]]), is_average=[True])
    array = ImprovementElement("n", np.array([[1.0, 2.0]], np.float32))
    (answer,), _ = answered(session_of([one("h", torch.float16), padded], [array, one("d")]))
    half, with_padding, numbers, plain = vectors_of(answer)
    assert half.dtype == torch.float16
    assert with_padding.tolist() == [[-1.0, -2.0], [0.0, 0.0]]
    assert isinstance(numbers, np.ndarray)
    assert plain.tolist() == [[-1.0, -2.0]]


class Slotted:
    __slots__ = ("id", "vector")

    def __init__(self, name, vector):
        self.id, self.vector = name, vector


class Counted:
    """Copies itself in a way of its own."""

    n_copies = 0

    def __init__(self, name, vector):
        self.id, self.vector = name, vector

    def __copy__(self):
        Counted.n_copies += 1
        return Counted(self.id, self.vector)


@pytest.mark.parametrize("kind", [Slotted, Counted, HostElement])
def test_a_hosts_own_classes_are_copied_their_own_way(kind):
    element = kind("a", np.ones((1, 2), np.float32))
    (answer,), _ = answered(session_of([element], []))
    (new,) = answer.clicked_elements
    assert type(new) is kind
    assert new.vector.tolist() == [[-1.0, -1.0]]
    assert element.vector.tolist() == [[1.0, 1.0]]
    assert Counted.n_copies == (kind is Counted) or kind is not Counted


def test_a_short_copy_is_what_copy_makes():
    element = one("a", user_id="ann")
    (answer,), _ = answered(session_of([element], []))
    twin = copy.copy(element)
    twin.vector = answer.clicked_elements[0].vector
    assert vars(answer.clicked_elements[0]) == vars(twin)
