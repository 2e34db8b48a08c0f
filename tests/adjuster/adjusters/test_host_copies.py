"""A host's objects in and out: views where they can be, copies where they must be."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from adjuster import ImprovementElement, ImprovementInput
from adjuster.adjusters.host_copies import all_changed, device_of, stack_tensors, with_rows


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


class Guarded:
    """Says what its vector is by a property."""

    def __init__(self, name, vector):
        self.id, self._vector = name, vector

    @property
    def vector(self):
        return self._vector

    @vector.setter
    def vector(self, vector):
        self._vector = vector


@pytest.mark.parametrize("kind", [Slotted, Counted, HostElement, Guarded])
def test_a_hosts_own_classes_are_copied_their_own_way(kind):
    element = kind("a", np.ones((1, 2), np.float32))
    (new,) = all_changed([element], vector=[np.zeros((1, 2))])
    assert type(new) is kind
    assert new.id == "a"
    assert new.vector.tolist() == [[0.0, 0.0]]
    assert element.vector.tolist() == [[1.0, 1.0]]
    assert Counted.n_copies == (kind is Counted) or kind is not Counted


class Noted(ImprovementElement):
    """A host's own with a dictionary, in which anything may stand."""


class Bare:
    """One without slots."""


@pytest.mark.parametrize("kind", [Noted, Bare])
def test_a_short_copy_is_what_copy_makes(kind):
    element = kind.__new__(kind)
    element.id, element.vector, element.user_id = "a", np.array([[1.0, 2.0]]), "ann"
    element.note = "the host's own"
    rows = np.zeros((1, 2))
    (new,) = all_changed([element], vector=[rows])
    twin = copy.copy(element)
    twin.vector = rows
    assert vars(new) == vars(twin)
    assert element.vector.tolist() == [[1.0, 2.0]]


def test_objects_of_several_classes_are_copied_each_its_own_way():
    elements = [one("a"), HostElement("b", None), Slotted("c", None)]
    twins = all_changed(elements, vector=[1, 2, 3])
    assert [type(twin) for twin in twins] == [ImprovementElement, HostElement, Slotted]
    assert [(twin.id, twin.vector) for twin in twins] == [("a", 1), ("b", 2), ("c", 3)]
    with pytest.raises(ValueError, match="shorter"):
        all_changed(elements, vector=[1, 2])
    with pytest.raises(ValueError, match="shorter"):
        all_changed(elements[:1], vector=[])
