"""Concentration of clicks, and sessions faster than people's, against naive counts."""

import numpy as np
import pytest

from experiments.judging.concentration import effective_number, faster_than_people, largest


def test_half_of_the_clicks_behind_one_person_is_too_much():
    users = np.concatenate([np.zeros(100, np.int64), np.arange(1, 101)])
    found = largest(users, np.ones(200))
    assert (found.key, found.share, found.too_much) == (0, 0.5, True)
    assert found.n_effective == pytest.approx(200**2 / (100**2 + 100))


def test_exactly_a_fifth_is_not_too_much():
    assert not largest(np.arange(5), np.ones(5)).too_much


def test_sessions_of_unknown_users_are_nobodys_clicks():
    found = largest(np.array([-1, -1, 4]), np.array([5, 4, 1]))
    assert (found.key, found.share) == (4, 0.1)


@pytest.mark.parametrize(
    ("keys", "clicks"), [([], []), ([3, 4], [0, 0]), ([-1], [2])], ids=["empty", "none", "unknown"]
)
def test_without_known_clicks_nobody_is_largest(keys, clicks):
    found = largest(np.array(keys, np.int64), np.array(clicks, np.int64))
    assert (found.key, found.share, found.too_much) == (-1, 0.0, False)


def test_effective_number_lies_between_one_and_all():
    weights = np.random.default_rng(0).exponential(size=30)
    assert 1 < effective_number(weights) < 30
    assert effective_number(np.zeros(3)) == 0


def naive_fast(users: np.ndarray, seconds: np.ndarray) -> list[int]:
    found = []
    for user in sorted({int(user) for user in users if user >= 0}):
        times = np.sort(seconds[users == user])
        if len(times) >= 20 and np.median(np.diff(times)) < 2:
            found.append(user)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_fast_users_are_those_of_a_naive_loop(seed):
    rng = np.random.default_rng(seed)
    users = rng.integers(-1, 30, 900)
    seconds = rng.exponential(size=900) * np.where(users % 3 == 0, 40, 900)
    found = faster_than_people(users, seconds)
    assert found.tolist() == naive_fast(users, seconds)
    assert 0 < len(found) < 30


def test_nineteen_sessions_say_nothing_about_speed():
    assert len(faster_than_people(np.zeros(19, np.int64), np.arange(19.0))) == 0
    assert faster_than_people(np.zeros(20, np.int64), np.arange(20.0)).tolist() == [0]


def test_no_sessions_hold_nobody_fast():
    assert len(faster_than_people(np.array([], np.int64), np.array([]))) == 0
