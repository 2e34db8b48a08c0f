"""What every adjuster shares: sessions to a batch and back, with an arithmetic one can follow."""

import copy

import pytest
import torch

from adjuster import AdjusterConfig, SearchIndexInfo
from adjuster.adjusters.base import (
    BatchAdjuster,
    VectorsAdjuster,
    constructor_settings,
)
from tests.adjuster.cases import random_sessions


class Doubling(BatchAdjuster):
    """Twice every part."""

    def adjust_batch(self, batch):
        return 2 * batch.vectors


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


def test_a_constructor_is_given_the_settings_it_names():
    class Two(Doubling):
        def __init__(self, search_index_info, *, num_iterations=0, term_weight="session"):
            super().__init__(search_index_info, term_weight=term_weight)

    config = AdjusterConfig(num_iterations=7, term_weight="impression")
    assert constructor_settings(Two, config) == {"num_iterations": 7, "term_weight": "impression"}
