"""Memory of answers: used again when nobody holds it, and never before."""

import copy
import pickle

import numpy as np
import pytest
import torch

from adjuster import SearchIndexInfo, TorchBasedAdjuster
from adjuster.adjusters.kept_memory import MOST_KEPT, KeptMemory
from tests.adjuster.cases import random_sessions

SHAPE = (50, 8)


def test_memory_that_nobody_holds_is_handed_out_again():
    kept = KeptMemory()
    first = kept.take(SHAPE, np.float32)
    first[...] = 3.0
    place = first.ctypes.data
    assert place % 64 == 0
    del first
    again = kept.take(SHAPE, np.float32)
    assert again.ctypes.data == place
    assert again.shape == SHAPE


@pytest.mark.parametrize(
    "hold",
    [
        lambda array: array,
        lambda array: array[3:4],
        torch.from_numpy,
        lambda array: torch.from_numpy(array)[5:6],
        lambda array: torch.from_numpy(array).split(10)[2],
        lambda array: torch.from_numpy(array)[0].numpy(),
        lambda array: torch.from_numpy(array).untyped_storage(),
        lambda array: torch.from_numpy(array).__dlpack__(),
        memoryview,
    ],
    ids=["array", "rows", "tensor", "view", "part", "numpy", "storage", "dlpack", "buffer"],
)
def test_memory_is_not_handed_out_while_anything_over_it_is_held(hold):
    kept = KeptMemory()
    held = hold(kept.take(SHAPE, np.float32))
    others = [kept.take(SHAPE, np.float32) for _ in range(MOST_KEPT)]
    assert len({other.ctypes.data for other in others}) == MOST_KEPT
    del held, others
    assert len(kept._kept) == MOST_KEPT


@pytest.mark.parametrize(("n_rows", "is_same"), [(50, True), (30, True), (20, False), (51, False)])
def test_memory_much_larger_than_asked_for_is_left_alone(n_rows, is_same):
    kept = KeptMemory()
    place = kept.take(SHAPE, np.float32).ctypes.data
    assert (kept.take((n_rows, 8), np.float32).ctypes.data == place) is is_same


def test_a_copy_starts_with_none():
    kept = KeptMemory()
    kept.take(SHAPE, np.float32)
    for twin in (copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))):
        assert twin._kept == []


def test_an_answer_that_is_held_keeps_its_numbers_through_later_calls():
    adjuster = TorchBasedAdjuster(SearchIndexInfo(7), 0.1)
    (held,) = adjuster.adjust_vectors(random_sessions(0, n_sessions=1))
    vector = held.clicked_elements[0].vector
    before = vector.clone()
    del held
    for seed in range(1, 6):
        adjuster.adjust_vectors(random_sessions(seed, n_sessions=1))
    assert torch.equal(vector, before)
    assert pickle.loads(pickle.dumps(adjuster)).config == adjuster.config
