"""Team-draft interleaving: worked by hand, its fairness, and many sessions at once."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.live.ranking.interleaving import (
    ADJUSTED,
    BOTH,
    ORIGINALS,
    TEAMS,
    outcomes,
    team_draft,
    team_draft_sessions,
)

RANKINGS = st.tuples(st.permutations(range(6)), st.permutations(range(6)))
COINS = st.lists(st.booleans(), min_size=3, max_size=3)


def test_a_draft_worked_by_hand():
    # Round 1: the originals pick d, the adjusted a. Round 2: the adjusted pick b, the originals c.
    shown, teams = team_draft("abcd", "dcab", [False, True])
    assert shown == ["d", "a", "b", "c"]
    assert teams == [ORIGINALS, ADJUSTED, ADJUSTED, ORIGINALS]


def test_the_last_result_of_an_odd_number_goes_to_who_picks_first():
    assert team_draft("abc", "cba", [True, False]) == (
        ["a", "c", "b"],
        [ADJUSTED, ORIGINALS] * 1 + [ORIGINALS],
    )


def test_what_both_begin_with_credits_neither():
    shown, teams = team_draft("abcd", "abdc", [False])
    assert shown == ["a", "b", "d", "c"]
    assert teams == [BOTH, BOTH, ORIGINALS, ADJUSTED]
    assert team_draft("ab", "ab", [True]) == (["a", "b"], [BOTH, BOTH])


def test_rankings_of_different_results_are_refused():
    for other in ("abd", "ab", "aabc"):
        with pytest.raises(ValueError, match="must hold the same results"):
            team_draft("abc", other, [True, True])


@given(RANKINGS, COINS)
def test_nothing_is_shown_twice_and_nothing_is_lost(rankings, coins):
    shown, teams = team_draft(*rankings, coins)
    assert sorted(shown) == list(range(6))
    n_shared = teams.count(BOTH)
    assert shown[:n_shared] == rankings[0][:n_shared] == rankings[1][:n_shared]
    for picked in zip(teams[n_shared::2], teams[n_shared + 1 :: 2], strict=False):
        assert set(picked) == {ADJUSTED, ORIGINALS}


@given(RANKINGS, COINS)
def test_swapping_rankings_and_coins_swaps_the_teams(rankings, coins):
    shown, teams = team_draft(*rankings, coins)
    swapped, others = team_draft(*rankings[::-1], [not coin for coin in coins])
    assert shown == swapped
    names = {ADJUSTED: ORIGINALS, ORIGINALS: ADJUSTED, BOTH: BOTH}
    assert [names[team] for team in teams] == others


@given(RANKINGS)
def test_each_ranking_picks_first_in_half_of_the_drafts(rankings):
    drafts = [
        team_draft(*rankings, coins)[1] for coins in itertools.product((True, False), repeat=3)
    ]
    firsts = [next((team for team in teams if team != BOTH), None) for teams in drafts]
    assert firsts.count(ADJUSTED) == firsts.count(ORIGINALS)


def test_many_sessions_are_drafted_as_one_by_one():
    rng = np.random.default_rng(1)
    for k in (1, 2, 5, 8):
        one = np.array([rng.permutation(k) for _ in range(200)])
        other = np.where(
            rng.random((200, 1)) < 0.2, one, np.array([rng.permutation(k) for _ in range(200)])
        )
        coins = rng.random((200, (k + 1) // 2)) < 0.5
        shown, teams = team_draft_sessions(one, other, coins)
        for row in range(200):
            wanted = team_draft(one[row].tolist(), other[row].tolist(), coins[row].tolist())
            assert shown[row].tolist() == wanted[0]
            assert [TEAMS[team] for team in teams[row]] == wanted[1]


def test_clicks_by_chance_favour_neither_ranking():
    """Whoever clicks without looking wins for either side equally often, whatever the positions."""
    rng = np.random.default_rng(2)
    n, k = 40_000, 6
    one = np.tile(np.arange(k), (n, 1))
    other = np.tile([3, 0, 1, 5, 4, 2], (n, 1))
    _, teams = team_draft_sessions(one, other, rng.random((n, 3)) < 0.5)
    clicked = rng.random((n, k)) < 0.7 / np.arange(1, k + 1)
    won = outcomes((clicked & (teams == 0)).sum(axis=1), (clicked & (teams == 1)).sum(axis=1))
    assert abs(won.mean()) < 4 * won.std() / np.sqrt(n)
    assert set(won.tolist()) == {-1.0, 0.0, 1.0}
