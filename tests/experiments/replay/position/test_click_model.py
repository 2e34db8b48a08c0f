"""Examination by position: recovered from logs shown in orders of every kind."""

import numpy as np
import pytest

from experiments.replay.position.click_counts import count_clicks
from experiments.replay.position.click_information import draw_theta, log_error
from experiments.replay.position.click_model import Fitter, fit_click_model, solve_free
from experiments.replay.position.impressions import Impressions
from tests.experiments.replay.position.made_logs import made_log


def typical_error(counts, theta, truth):
    """Root mean square of log θ's error where clicks are weighted, a common factor aside."""
    mass = counts.by_position(counts.clicks) / truth
    error = np.log(theta / truth)
    error -= np.average(error, weights=mass)
    return np.sqrt(np.average(error**2, weights=mass))


@pytest.mark.parametrize("order", ["fifth", "noisy", "sorted", "random"])
@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0, 1.5])
@pytest.mark.parametrize("null", [False, True])
def test_examination_is_recovered_whatever_moves_the_results(order, decay, null):
    made = made_log(order, decay, null=null)
    counts = count_clicks(made.log, made.score)
    model = fit_click_model(counts)
    expected = log_error(counts, model.theta)
    assert typical_error(counts, model.theta, made.theta) < max(0.2, 0.9 * expected)
    assert model.theta.max() == 1


def test_more_sessions_come_closer():
    errors = []
    for n_sessions in (1000, 16_000):
        made = made_log("random", 1.0, n_sessions=n_sessions)
        counts = count_clicks(made.log)
        errors.append(typical_error(counts, fit_click_model(counts).theta, made.theta))
    assert errors[1] < min(0.06, errors[0])


def harvested(log: Impressions) -> np.ndarray:
    """AllPairs intervention harvesting by chains of neighbouring positions: the peer."""
    counts = count_clicks(log)
    shown = counts.matrix(counts.skips + counts.clicks).toarray()
    clicked = counts.matrix(counts.clicks).toarray()
    ratios = [1.0]
    for k in range(shown.shape[1] - 1):
        both = (shown[:, k] > 0) & (shown[:, k + 1] > 0)
        rate = [(clicked[both, j] / shown[both, j]).sum() for j in (k, k + 1)]
        ratios.append(max(rate[1], 0.5) / max(rate[0], 0.5))
    return np.cumprod(ratios)


def test_where_order_follows_clicks_a_likelihood_beats_harvesting_pairs_that_moved():
    ours, peers = [], []
    for seed in range(3):
        made = made_log("sorted", 1.0, null=True, seed=seed)
        counts = count_clicks(made.log, made.score)
        ours.append(typical_error(counts, fit_click_model(counts).theta, made.theta))
        peers.append(typical_error(counts, harvested(made.log), made.theta))
    assert np.mean(ours) < 0.5 * np.mean(peers)


def test_what_is_good_stands_on_top_is_not_mistaken_for_examination():
    """Order by relevance and noise, everything examined: θ is flat though clicks fall."""
    made = made_log("noisy", 0.0, n_sessions=6000)
    counts = count_clicks(made.log, made.score)
    shown = counts.by_position(counts.skips + counts.clicks)
    rates = counts.by_position(counts.clicks) / shown
    assert rates[-1] < 0.5 * rates[0]
    theta = fit_click_model(counts).theta
    assert theta.min() > 0.75 * theta.max()


def test_draws_spread_as_far_as_estimates_miss():
    misses, spreads = [], []
    for seed in range(12):
        made = made_log("random", 1.0, seed=seed)
        counts = count_clicks(made.log)
        model = fit_click_model(counts)
        misses.append(typical_error(counts, model.theta, made.theta))
        draws = draw_theta(made.log, counts, model, seed=0)
        spreads.append(np.mean([typical_error(counts, d, model.theta) for d in draws]))
    assert np.mean(spreads) == pytest.approx(np.mean(misses), rel=0.35)


def test_draws_leave_the_weight_of_all_clicks_and_repeat_by_seed():
    made = made_log("fifth", 1.0)
    counts = count_clicks(made.log)
    model = fit_click_model(counts)
    draws = draw_theta(made.log, counts, model, seed=3, n_draws=5)
    clicks = counts.by_position(counts.clicks)
    np.testing.assert_allclose((clicks / draws).sum(axis=1), (clicks / model.theta).sum())
    again = draw_theta(made.log, counts, model, seed=3, n_draws=5)
    np.testing.assert_array_equal(draws, again)


def test_counts_worked_by_hand():
    log = Impressions(
        query=np.array([0, 0]),
        user=np.array([0, -1]),
        offsets=np.array([0, 2, 4]),
        object=np.array([1, 2, 2, 3]),
        position=np.array([0, 1, 0, 1]),
        clicked=np.array([True, False, True, False]),
    )
    counts = count_clicks(log)
    np.testing.assert_array_equal(counts.by_position(counts.clicks), [2, 0])
    np.testing.assert_array_equal(counts.by_position(counts.skips), [0, 2])
    # Objects 1 and 3 were shown once, one on top and clicked, one below and not.
    assert sorted(counts.repeats) == [1, 1, 1]
    np.testing.assert_array_equal(log.cluster, [0, 1])


def test_pairs_shown_once_and_alike_are_one_row():
    log = Impressions(
        query=np.arange(30),
        user=np.full(30, -1),
        offsets=np.arange(31),
        object=np.zeros(30, np.int64),
        position=np.zeros(30, np.int64),
        clicked=np.arange(30) < 10,
    )
    counts = count_clicks(log)
    assert sorted(counts.repeats) == [10, 20]
    assert counts.by_position(counts.clicks).tolist() == [10]


def test_equal_weights_change_no_count():
    made = made_log("noisy", 1.0, n_sessions=300)
    counts = count_clicks(made.log, made.score)
    same = counts.weighted(np.ones(len(made.log.position)), made.log.clicked)
    np.testing.assert_allclose(same.clicks, counts.clicks)
    np.testing.assert_allclose(same.skips, counts.skips)
    np.testing.assert_allclose(same.repeats, counts.repeats)


def test_rounds_never_fit_worse():
    made = made_log("noisy", 1.0, n_sessions=500)
    fitter = Fitter(count_clicks(made.log))
    model = fit_click_model(fitter.counts, max_rounds=1)
    fits = []
    for _ in range(6):
        model, fit = fitter.round(model)
        fits.append(fit)
    assert np.all(np.diff(fits) > -1e-2)


def test_without_movement_nothing_is_told():
    made = made_log("fixed", 1.0)
    counts = count_clicks(made.log)
    assert log_error(counts, fit_click_model(counts).theta) > 1.5
    moved = count_clicks(made_log("fifth", 1.0).log)
    assert log_error(moved, fit_click_model(moved).theta) < 0.4


def test_the_information_of_a_pair_worked_by_hand():
    """Shown twice at each of two positions, clicked 3 times, θ equal: m q (1 - q) = 3/4."""
    from experiments.replay.position.click_information import information

    log = Impressions(
        query=np.zeros(4, np.int64),
        user=np.arange(4),
        offsets=np.arange(5),
        object=np.zeros(4, np.int64),
        position=np.array([0, 0, 1, 1]),
        clicked=np.array([True, True, True, False]),
    )
    told = information(count_clicks(log), np.ones(2))
    np.testing.assert_allclose(told, [[0.75, -0.75], [-0.75, 0.75]])


def test_a_held_unknown_stays_0():
    matrix = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]])
    solved = solve_free(matrix, np.ones(3), 1)
    assert solved[1] == 0
    np.testing.assert_allclose((matrix @ solved)[[0, 2]], 1)


@pytest.mark.parametrize("order", ["fifth", "noisy", "sorted"])
def test_a_fold_in_the_page_is_seen_though_neighbours_are_pooled(order):
    """Five results in view, five after a glance down, the rest hardly ever."""
    truth = np.repeat([1.0, 0.7, 0.15], [5, 5, 10])
    made = made_log(order, truth, n_sessions=4000)
    counts = count_clicks(made.log, made.score)
    theta = fit_click_model(counts).theta
    assert typical_error(counts, theta, truth) < 0.2
    assert theta[11] < 0.5 * theta[8]
