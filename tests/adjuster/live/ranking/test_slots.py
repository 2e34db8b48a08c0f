"""Chances of slots: worked by hand, and against drawing many times."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.live.ranking.exploration import mix_exploration
from adjuster.live.ranking.interleaving import team_draft
from adjuster.live.ranking.slots import (
    chances_of_draft,
    chances_of_draws,
    completed,
    shared_beginning,
)

PAIRS = [("abcd", "dcba"), ("abcde", "abedc"), ("abcd", "bacd"), ("abcdef", "cfabed")]
N = 20_000


def test_a_draft_of_three_is_as_worked_by_hand():
    # Rounds: first picks a then second picks b; or second picks b then first picks a. Then c.
    assert chances_of_draft("abc", "bca", 3) == [
        {"a": 0.5, "b": 0.5},
        {"b": 0.5, "a": 0.5},
        {"c": 1},
    ]


def test_draws_of_three_are_as_worked_by_hand():
    first, second, third = chances_of_draws("abc", "cba", 0.25, 3)
    assert first == {"a": 0.75, "c": 0.25}
    # After a: b with 3/4, c with 1/4. After c: a with 3/4, b with 1/4.
    assert second == pytest.approx({"b": 9 / 16 + 1 / 16, "c": 3 / 16, "a": 3 / 16})
    # b and c are left in 3/16 of the orders that begin with a, c; and so on.
    assert third == pytest.approx({"c": 9 / 16, "b": 3 / 16 + 3 / 16, "a": 1 / 16})


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_chances_of_a_draft_are_the_frequencies_of_drafting(one, other):
    rng = np.random.default_rng(0)
    shown = [team_draft(one, other, rng.random(3) < 0.5)[0] for _ in range(N)]
    assert_frequencies(shown, chances_of_draft(one, other, len(one)))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_chances_of_draws_are_the_frequencies_of_exploring(one, other):
    rng = np.random.default_rng(0)
    shown = [mix_exploration(one, other, 0.3, rng) for _ in range(N)]
    assert_frequencies(shown, chances_of_draws(one, other, 0.3, len(one)))


def assert_frequencies(shown, chances) -> None:
    for slot, expected in enumerate(chances):
        counts = Counter(order[slot] for order in shown)
        assert counts.keys() == expected.keys()
        for item, chance in expected.items():
            assert abs(counts[item] / N - chance) < 5 * np.sqrt(chance * (1 - chance) / N) + 1e-9


@given(st.permutations(range(7)), st.permutations(range(7)), st.floats(0, 1), st.integers(0, 7))
def test_each_slots_chances_and_each_objects_sum_to_one(one, other, ratio, n_slots):
    for chances in (
        chances_of_draws(one, other, ratio, n_slots),
        chances_of_draft(one, other, n_slots),
    ):
        assert len(chances) == n_slots
        assert all(sum(slot.values()) == pytest.approx(1) for slot in chances)
        if n_slots == 7:
            for item in one:
                assert sum(slot.get(item, 0) for slot in chances) == pytest.approx(1)


def test_no_exploration_and_equal_rankings_leave_nothing_to_chance():
    assert chances_of_draws("abc", "cab", 0.0, 3) == [{"a": 1}, {"b": 1}, {"c": 1}]
    assert chances_of_draws("abc", "cab", 1.0, 3) == [{"c": 1}, {"a": 1}, {"b": 1}]
    assert chances_of_draft("abc", "abc", 3) == [{"a": 1}, {"b": 1}, {"c": 1}]


def test_a_short_ranking_goes_on_as_the_other_would():
    assert completed("ab", "cbad") == ["a", "b", "c", "d"]
    assert completed("", "ba") == ["b", "a"]
    assert shared_beginning("ab", "abc") == 2
