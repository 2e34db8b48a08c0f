"""Who is assigned to what, and what stands in the slots; chances are held by test_search."""

import numpy as np
import pytest

from adjuster.live.monitoring.modes import Mode
from adjuster.live.retrieval.arrangement import (
    Slot,
    alone,
    assign,
    draws_of,
    explore,
    fraction_of,
    interleave,
)


def test_shares_of_users_are_as_asked_for():
    users = [f"user {number}" for number in range(4000)]
    for mode, rest, share in (
        (Mode.INTERLEAVE, "originals", 0.3),
        (Mode.ON, "adjusted", 0.1),
    ):
        shows = [assign(mode, user, shares=(0.3, 0.1), seed=1) for user in users]
        assert shows.count("interleaved") / 4000 == pytest.approx(share, abs=0.03)
        assert shows.count(rest) == 4000 - shows.count("interleaved")
        others = [assign(mode, user, shares=(0.3, 0.1), seed=2) for user in users]
        assert others != shows
    assert {assign(Mode.SHADOW, user, shares=(1, 1), seed=1) for user in users} == {"originals"}


def test_fractions_are_evenly_spread():
    values = np.array([fraction_of(f"text {number}") for number in range(10_000)])
    assert np.histogram(values, 10, (0, 1))[0] == pytest.approx(1000, abs=150)


def test_a_session_draws_the_same_again_and_another_one_otherwise():
    assert draws_of("s", 0).random() == draws_of("s", 0).random()
    assert len({draws_of(name, seed).random() for name in "st" for seed in (0, 1)}) == 4


def test_only_so_many_slots_are_filled_and_none_is_left_empty():
    rng = np.random.default_rng(0)
    for n_slots in (1, 3, 4, 9):
        for slots in (
            interleave("abcd", "adcb", n_slots, rng),
            explore("abcd", "adcb", 0.5, n_slots, rng),
            alone("abcd", n_slots),
        ):
            assert len(slots) == len({slot.object_id for slot in slots}) == min(n_slots, 4)
            assert slots[0] == Slot("a", 1.0, slots[0].team)


def test_rankings_of_different_results_show_all_of_both():
    slots = interleave("abc", "cde", 9, np.random.default_rng(0))
    assert sorted(slot.object_id for slot in slots) == list("abcde")


def test_no_exploration_is_the_adjusted_ranking_alone():
    slots = explore("ab", "ba", 0.0, 2, np.random.default_rng(0))
    assert slots == [Slot("a", 1.0), Slot("b", 1.0)]
