"""Crowded logs: who or what stands behind the clicks, and whether the gain stands without it."""

import numpy as np
import pytest

from experiments.judging.comparison import Judge
from experiments.judging.crowding import crowding
from experiments.replay.results import Traffic
from tests.experiments.judging.score_rows import make_scores

JUDGE = Judge("ndcg_at_10", seed=0)
HOUR, DAY = 3_600, 86_400
N = 200


def traffic(user, query, created_at, clicks, delay=(12, 31, 8)) -> Traffic:
    return Traffic(*(np.asarray(column) for column in (user, query, created_at, clicks, delay)))


def of_many() -> Traffic:
    each = np.arange(N)
    return traffic(each % 50, each % 40, each * HOUR, np.ones(N, int))


def scores_of(found: Traffic, gain):
    """Every session is scored, its change as given, with a little noise."""
    before = np.random.default_rng(0).normal(0.5, 0.01, N)
    return make_scores(
        found.user, before, before + gain, query=found.query, created_at=found.created_at
    )


def noisy(gain):
    return gain + np.random.default_rng(1).normal(0, 0.02, N)


def test_clicks_of_many_people_are_not_crowded():
    assert crowding(of_many(), scores_of(of_many(), noisy(0.1)), JUDGE) == ()


@pytest.mark.parametrize(
    ("column", "name"), [("user", "user"), ("query", "query"), ("created_at", "hour")]
)
@pytest.mark.parametrize("stands", [True, False])
def test_one_behind_more_than_a_fifth_of_the_clicks_explains_a_gain_that_falls_without_it(
    column, name, stands
):
    columns = dict(zip(("user", "query", "created_at"), vars(of_many()).values(), strict=False))
    columns[column] = columns[column].copy()
    columns[column][:60] = columns[column][0]
    found = traffic(*columns.values(), np.ones(N, int))
    crowded = columns[column] == columns[column][0]
    gain = noisy(0.1) if stands else np.where(crowded, 0.3, noisy(0.0))
    (crowd,) = crowding(found, scores_of(found, gain), JUDGE)
    assert crowd.words.startswith(f"One {name} stands behind 3")
    assert crowd.whom == f"that {name}"
    assert crowd.without.n_sessions == N - int(crowded.sum())
    assert crowd.without.gain == pytest.approx(gain[~crowded].mean(), abs=0.01)
    assert crowd.explains == (not stands)


def test_unknown_users_are_nobody():
    user = np.where(np.arange(N) < 150, -1, np.arange(N))
    everyone = of_many()
    found = traffic(user, everyone.query, everyone.created_at, everyone.clicks)
    assert crowding(found, scores_of(found, noisy(0.1)), JUDGE) == ()


@pytest.mark.parametrize(
    ("users", "words", "whom"),
    [([7], "1 user with 20%", "that user"), ([7, 8], "2 users with 40%", "those users")],
)
def test_searches_faster_than_people_are_told_with_their_share(users, words, whom):
    fast, slow = 40 * len(users), N - 40 * len(users)
    user = np.concatenate([np.repeat(users, 40), np.arange(slow) + 10])
    created_at = np.concatenate([np.arange(fast) + 90 * DAY, np.arange(slow) * HOUR])
    clicks = np.concatenate([np.zeros(fast, int), np.ones(slow, int)])
    found = traffic(user, np.arange(N), created_at, clicks)
    (crowd,) = crowding(found, scores_of(found, noisy(0.1)), JUDGE)
    assert crowd.words == f"{words} of the sessions searched faster than people can"
    assert crowd.whom == whom
    assert crowd.without.n_sessions == slow
    assert not crowd.explains


def test_clicks_that_come_with_the_search_cannot_be_left_out():
    everyone = of_many()
    found = traffic(
        everyone.user, everyone.query, everyone.created_at, everyone.clicks, [1, 0, 14, 33]
    )
    (crowd,) = crowding(found, scores_of(found, noisy(0.1)), JUDGE)
    assert crowd.words == "50% of the clicks come within a second of the search"
    assert crowd.explains
