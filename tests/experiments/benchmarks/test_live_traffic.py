"""Made-up traffic: its truth is as planted."""

import numpy as np
import pytest

from adjuster.live.ranking.interleaving import outcomes
from experiments.benchmarks.live_traffic import (
    clicked_share,
    interleaved_clicks,
    make_visits,
    make_world,
    ndcg,
)


@pytest.mark.parametrize(("kind", "sign"), [("better", 1), ("worse", -1)])
def test_the_gain_is_what_is_asked_for(kind, sign):
    for seed in range(5):
        world = make_world(kind, 0.03, np.random.default_rng(seed))
        lift = ndcg(world.attraction, world.adjusted) - ndcg(world.attraction, world.originals)
        assert lift.mean() == pytest.approx(world.gain)
        assert 0.03 <= sign * world.gain < 0.033
        assert (world.adjusted != world.originals).any(axis=1).mean() > 0.9


def test_equal_rankings_swap_sides_between_twins():
    world = make_world("equal", 0.03, np.random.default_rng(0))
    half = len(world.attraction) // 2
    assert (world.attraction[half:] == world.attraction[:half]).all()
    assert (world.adjusted[half:] == world.originals[:half]).all()
    assert (world.originals[half:] == world.adjusted[:half]).all()
    assert (world.adjusted != world.originals).any(axis=1).mean() > 0.9


def test_users_come_back_to_queries_of_their_own():
    visits = make_visits(5000, np.random.default_rng(0))
    counts = np.bincount(visits.user)
    assert counts.sum() == 5000
    assert 3 < counts[counts > 0].mean() < 5
    busiest = np.argmax(counts)
    assert len(set(visits.query[visits.user == busiest])) <= 3


def test_clicks_fall_with_position_bias_and_follow_the_better_ranking():
    rng = np.random.default_rng(0)
    world = make_world("better", 0.1, rng)
    shares = [clicked_share(world, decay) for decay in (0.0, 0.5, 1.0, 1.5)]
    assert shares == sorted(shares, reverse=True)
    query = make_visits(20_000, rng).query
    for decay in (0.0, 1.5):
        assert outcomes(*interleaved_clicks(world, query, decay, rng)).mean() > 0.05
