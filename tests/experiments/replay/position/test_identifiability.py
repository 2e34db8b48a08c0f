"""Whether a log tells position from relevance, and the sentence that says so."""

import numpy as np
import pytest

from experiments.replay.position.click_counts import count_clicks
from experiments.replay.position.click_model import fit_click_model
from experiments.replay.position.identifiability import (
    earlier_clicks,
    identify,
    measure_movement,
    random_share,
    sessions_needed,
)
from experiments.replay.position.impressions import Impressions
from experiments.replay.position.rank_agreement import rank_correlations
from tests.experiments.replay.position.made_logs import made_log


def identified(made, score=None):
    counts = count_clicks(made.log, score)
    return identify(made.log, counts, fit_click_model(counts).theta, made.score)


@pytest.mark.parametrize("decay", [0.0, 1.0])
@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize("use_score", [False, True])
def test_a_fixed_order_tells_nothing_and_says_what_would(decay, null, use_score):
    made = made_log("fixed", decay, null=null)
    found = identified(made, made.score if use_score else None)
    assert not found.is_identified
    assert found.movement.n_moved == 0
    assert found.movement.score_agreement == pytest.approx(1)
    assert "one position only" in found.reason
    assert "random order" in found.reason


@pytest.mark.parametrize("order", ["fifth", "noisy", "random"])
def test_an_order_that_moves_tells(order):
    found = identified(made_log(order, 1.0))
    assert found.is_identified
    assert found.movement.moved_click_share > 0.9
    assert "within a factor" in found.reason


def test_a_few_shuffled_sessions_tell_too_little():
    shuffled, fixed = made_log("random", 1.0, n_sessions=20).log, made_log("fixed", 1.0).log
    names = ("query", "user", "object", "position", "clicked")
    joined = {
        name: np.concatenate([getattr(one, name) for one in (fixed, shuffled)]) for name in names
    }
    offsets = np.append(fixed.offsets, fixed.offsets[-1] + shuffled.offsets[1:])
    log = Impressions(offsets=offsets, **joined)
    counts = count_clicks(log)
    found = identify(log, counts, fit_click_model(counts).theta)
    assert found.movement.n_moved > 100
    assert not found.is_identified
    assert "too few to tell" in found.reason


def test_the_sessions_named_are_about_what_it_takes():
    needed = sessions_needed(made_log("fixed", 1.0).log)
    error = identified(made_log("random", 1.0, n_sessions=needed)).log_error
    assert error == pytest.approx(0.2, rel=0.4)


def test_the_share_of_random_sessions_is_told():
    assert random_share(made_log("random", 1.0).log) == pytest.approx(1, abs=0.1)
    assert random_share(made_log("fifth", 1.0).log) == pytest.approx(0.2, abs=0.06)
    assert random_share(made_log("fixed", 1.0).log) < 0.01


def test_an_order_by_clicks_agrees_with_clicks():
    by_clicks = measure_movement(made_log("sorted", 1.0).log, None)
    by_chance = measure_movement(made_log("random", 1.0).log, None)
    assert by_clicks.click_agreement > 0.4
    assert abs(by_chance.click_agreement) < 0.05
    assert np.isnan(by_chance.score_agreement)


def test_earlier_clicks_equal_a_loop():
    log = made_log("noisy", 0.5, n_sessions=60, n_queries=3).log
    seen: dict[tuple[int, int], int] = {}
    expected = []
    for row, session in enumerate(log.session):
        pair = int(log.query[session]), int(log.object[row])
        expected.append(seen.get(pair, 0))
        seen[pair] = seen.get(pair, 0) + int(log.clicked[row])
    assert earlier_clicks(log).tolist() == expected


def test_rank_correlations_are_scipys():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    offsets = np.array([0, 6, 6, 8, 20])
    one, other = rng.integers(0, 4, 20), rng.normal(size=20)
    found = rank_correlations(one, other, offsets)
    assert np.isnan(found[1:3]).all()
    for session in (0, 3):
        rows = slice(offsets[session], offsets[session + 1])
        assert found[session] == pytest.approx(spearmanr(one[rows], other[rows]).statistic)
