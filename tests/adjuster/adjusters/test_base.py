"""What every adjuster shares: sessions to a batch and back, with an arithmetic one can follow."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from adjuster import AdjusterConfig, ImprovementElement, ImprovementInput, SearchIndexInfo
from adjuster.adjusters.base import (
    BatchAdjuster,
    VectorsAdjuster,
    constructor_settings,
    device_of,
    with_rows,
)
from tests.adjuster.cases import random_sessions


class Doubling(BatchAdjuster):
    """Twice every part."""

    def adjust_batch(self, batch):
        return 2 * batch.vectors


@dataclass(frozen=True)
class HostElement:
    """An element of a host's own, which cannot be assigned to."""

    id: str
    vector: Any


def session_of(clicked, non_clicked):
    return ImprovementInput("s", ImprovementElement("q", np.ones((1, 2))), clicked, non_clicked)


def test_an_adjuster_without_arithmetic_cannot_be_made():
    with pytest.raises(TypeError, match="adjust_vectors"):
        VectorsAdjuster()
    with pytest.raises(TypeError, match="adjust_batch"):
        BatchAdjuster(SearchIndexInfo(7))


def test_every_part_is_adjusted_and_padding_is_left_alone():
    sessions = random_sessions(0)
    answers = Doubling(SearchIndexInfo(7)).adjust_vectors(sessions)
    n_padded = 0
    for session, answer in zip(sessions, answers, strict=True):
        before = [*session.clicked_elements, *session.non_clicked_elements]
        after = [*answer.clicked_elements, *answer.non_clicked_elements]
        for old, new in zip(before, after, strict=True):
            n = len(old.is_average)
            assert new.id == old.id
            assert torch.equal(new.vector[:n], 2 * old.vector[:n])
            assert torch.equal(new.vector[n:], old.vector[n:])
            n_padded += len(old.vector) - n
    assert n_padded > 0


def test_the_input_is_not_changed():
    sessions = random_sessions(1)
    kept = copy.deepcopy(sessions)
    Doubling(SearchIndexInfo(7)).adjust_vectors(sessions)
    for session, before in zip(sessions, kept, strict=True):
        for mine, old in zip(session.clicked_elements, before.clicked_elements, strict=True):
            assert torch.equal(mine.vector, old.vector)


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


def test_a_constructor_is_given_the_settings_it_names():
    class Two(Doubling):
        def __init__(self, search_index_info, *, num_iterations=0, term_weight="session"):
            super().__init__(search_index_info, term_weight=term_weight)

    config = AdjusterConfig(num_iterations=7, term_weight="impression")
    assert constructor_settings(Two, config) == {"num_iterations": 7, "term_weight": "impression"}
