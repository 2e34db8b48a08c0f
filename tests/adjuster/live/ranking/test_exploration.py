"""Exploration loses nothing, doubles nothing, and explores as often as told."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.live.ranking.exploration import mix_exploration, mix_exploration_sessions


def random_log(seed, n_sessions=7):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 9, n_sessions))])
    orders = [
        np.concatenate(
            [
                np.empty(0, np.int64),
                *(rng.permutation(np.arange(*ends)) for ends in pairwise(offsets)),
            ]
        )
        for _ in range(2)
    ]
    return *orders, offsets


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_nothing_is_lost_or_doubled(seed, ratio):
    personalized, unpersonalized, offsets = random_log(seed)
    rng = np.random.default_rng(seed)
    mixed = mix_exploration_sessions(personalized, unpersonalized, offsets, ratio, rng)
    for start, end in pairwise(offsets):
        assert sorted(mixed[start:end]) == list(range(start, end))


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_all_sessions_at_once_equal_one_after_the_other(seed, ratio):
    personalized, unpersonalized, offsets = random_log(seed)
    rng = np.random.default_rng(seed)
    at_once = mix_exploration_sessions(personalized, unpersonalized, offsets, ratio, rng)
    rng = np.random.default_rng(seed)
    one_by_one = [
        row
        for start, end in pairwise(offsets)
        for row in mix_exploration(
            personalized[start:end].tolist(), unpersonalized[start:end].tolist(), ratio, rng
        )
    ]
    assert at_once.tolist() == one_by_one


@pytest.mark.parametrize("which", [0, 1])
def test_a_ratio_of_0_or_1_is_one_of_the_two_rankings(which):
    *orders, offsets = random_log(3)
    rng = np.random.default_rng(0)
    mixed = mix_exploration_sessions(*orders, offsets, float(which), rng)
    np.testing.assert_array_equal(mixed, orders[which])


def test_worked_by_hand():
    class Draws:
        def random(self, size):
            return np.array([0.9, 0.1, 0.9, 0.1])[:size]

    # slots: personalized a; unpersonalized d; personalized next is b; unpersonalized next is c
    assert mix_exploration("abcd", "dcba", 0.5, Draws()) == ["a", "d", "b", "c"]


def test_the_first_slot_is_explored_as_often_as_told():
    n_sessions = 20_000
    offsets = np.arange(0, 2 * n_sessions + 1, 2)
    rows = np.arange(2 * n_sessions)
    flipped = rows.reshape(-1, 2)[:, ::-1].ravel()
    mixed = mix_exploration_sessions(rows, flipped, offsets, 0.3, np.random.default_rng(1))
    assert np.mean(mixed[::2] % 2) == pytest.approx(0.3, abs=0.015)


def test_the_same_seed_shows_the_same():
    *orders, offsets = random_log(4)
    one, two = (
        mix_exploration_sessions(*orders, offsets, 0.5, np.random.default_rng(9)) for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


def test_bad_input_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"exploration_ratio must be in \[0, 1\], got 1.5"):
        mix_exploration("ab", "ba", 1.5, rng)
    with pytest.raises(ValueError, match="must hold the same results"):
        mix_exploration("ab", "bc", 0.5, rng)
