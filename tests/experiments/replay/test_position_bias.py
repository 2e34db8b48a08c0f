"""Which estimator a log gets, why, and that its gains cannot be had by position alone."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from adjuster.metrics.linear import judge_linear, linear_scores, row_discounts, users_gain
from adjuster.metrics.ranking import rank_order
from experiments.common.errors import InputError
from experiments.replay.position.identifiability import earlier_clicks
from experiments.replay.position_bias import (
    BiasRules,
    Choice,
    ClickEstimate,
    PositionBias,
    choose_estimator,
    weigh_clicks,
)
from tests.experiments.replay.position.made_logs import MadeLog, made_log


class Made(NamedTuple):
    """A log with what its clicks say, and what it holds beside them."""

    made: MadeLog
    estimate: ClickEstimate
    relevance: np.ndarray
    logged: np.ndarray


def with_estimate(made, *, relevance=np.nan, logged=np.nan) -> Made:
    n = len(made.log.position)
    return Made(
        made,
        ClickEstimate(made.log, made.score),
        np.broadcast_to(relevance, n),
        np.broadcast_to(logged, n),
    )


def holding(known: Made, *, relevance=np.nan, logged=np.nan) -> Made:
    """The same log, its estimate not made again, with something beside its clicks."""
    n = len(known.made.log.position)
    return known._replace(
        relevance=np.broadcast_to(relevance, n), logged=np.broadcast_to(logged, n)
    )


def choice_of(known: Made, **rules) -> Choice:
    return choose_estimator(BiasRules(**rules), known.relevance, known.logged, known.estimate)


def weights_of(known: Made, estimator: str, **rules) -> PositionBias:
    return weigh_clicks(estimator, BiasRules(**rules), known.logged, known.estimate)


@pytest.fixture(scope="module")
def moving():
    return with_estimate(made_log("fifth", 1.0))


@pytest.fixture(scope="module")
def fixed():
    return with_estimate(made_log("fixed", 1.0))


def test_judgements_come_first(moving):
    choice = choice_of(holding(moving, relevance=moving.made.attraction, logged=0.5))
    assert choice.name == "judged"
    assert "100% of the impressions are judged" in choice.reason


def test_a_few_judgements_do_not_replace_the_clicks(moving):
    attraction = moving.made.attraction
    some = holding(moving, relevance=np.where(np.arange(len(attraction)) % 2, attraction, np.nan))
    assert choice_of(some).name == "estimated"
    assert choice_of(some, estimator="judged").name == "judged"


def test_logged_propensities_come_next(moving):
    logged = moving.made.theta[moving.made.log.position]
    known = holding(moving, logged=logged)
    assert choice_of(known).name == "logged"
    bias = weights_of(known, "logged")
    np.testing.assert_array_equal(bias.propensity, logged)
    assert len(bias.draws) == 0
    holed = np.where(np.arange(len(logged)) == 7, 0, logged)
    assert choice_of(holding(moving, logged=holed)).name == "estimated"


def test_estimated_where_results_moved(moving):
    choice = choice_of(moving)
    assert choice == Choice("estimated", moving.estimate.identifiability.reason)
    bias = weights_of(moving, "estimated")
    np.testing.assert_array_equal(bias.propensity, bias.theta[moving.made.log.position])
    assert bias.draws.shape == (40, 20)


def test_naive_and_said_so_where_the_order_is_fixed(fixed):
    choice = choice_of(fixed)
    assert choice.name == "naive"
    assert "cannot be told apart" in choice.reason


def test_nothing_is_estimated_where_it_is_not_asked_for(monkeypatch):
    known = with_estimate(made_log("fifth", 1.0, n_sessions=20), relevance=1.0, logged=0.5)
    monkeypatch.setattr("experiments.replay.position_bias.count_clicks", None)
    assert choice_of(known).name == "judged"
    for estimator in ("naive", "judged", "logged", "estimated"):
        assert choice_of(known, estimator=estimator).name == estimator
    np.testing.assert_array_equal(weights_of(known, "logged").gains, 2.0 * known.made.log.clicked)


def test_a_file_decides_whatever_the_log_has(fixed, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("position,propensity\n" + "".join(f"{k},{1 / (k + 1)}\n" for k in range(20)))
    known = holding(fixed, relevance=1.0)
    assert choice_of(known, propensity_file=str(path)).name == "file"
    bias = weights_of(known, "file", propensity_file=str(path))
    np.testing.assert_allclose(bias.propensity, fixed.made.theta[fixed.made.log.position])


def test_clipping_is_counted(moving):
    whole, clipped = (weights_of(moving, "estimated", clip=clip) for clip in (100.0, 4.0))
    assert whole.clipped_share == 0
    assert 0.1 < clipped.clipped_share < 0.9
    np.testing.assert_array_equal(whole.gains, whole.plain_gains)
    assert clipped.gains.max() <= 4 + 1
    assert clipped.effective_clicks < moving.made.log.clicked.sum()


def test_a_click_model_that_nothing_clips_changes_nothing(moving):
    log, theta = moving.made.log, moving.estimate.theta
    bias = weights_of(moving, "estimated", clip=1 / theta.min())
    np.testing.assert_allclose(bias.gains, log.clicked / theta[log.position], atol=1e-12)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"estimator": "judged"}, "judged needs a relevance on impressions"),
        ({"estimator": "logged"}, "logged needs a propensity .* 40000 of 40000 are without"),
        ({"estimator": "file"}, "file needs objective.propensity_file"),
        ({"estimator": "magic"}, "must be one of auto, .*, got 'magic'"),
    ],
)
def test_what_cannot_be_had_is_named(moving, rules, message):
    with pytest.raises(InputError, match=message):
        choice_of(moving, **rules)


def test_a_log_without_clicks_tells_nothing_and_says_so(moving):
    clicked = np.zeros(len(moving.made.log.position), bool)
    silent = with_estimate(replace(moving.made, log=replace(moving.made.log, clicked=clicked)))
    assert choice_of(silent).name == "naive"
    assert "Nothing was clicked" in choice_of(silent).reason
    with pytest.raises(InputError, match="Nothing was clicked"):
        weights_of(silent, "estimated")


def rankings(log):
    """An order of no meaning, the same whenever a pair is shown, and one learnt from clicks."""
    own = np.random.default_rng(9).random(log.pair.max() + 1)[log.pair]
    return (
        rank_order(own, log.offsets),
        rank_order(earlier_clicks(log) + 1e-3 * own, log.offsets),
    )


class Learnt(NamedTuple):
    """What an order learnt from earlier clicks gains."""

    value: float
    error: float
    draws: np.ndarray


def learnt_gain(log, gains, clicks, bias: PositionBias | None = None) -> Learnt:
    """The gain with these weights, its error over users, and the gain at each drawn propensity."""
    before, after = rankings(log)
    judged = judge_linear(gains, log.offsets, metric="ndcg_at_10", clicks=clicks)
    scores = [linear_scores(judged, order) for order in (before, after)]
    gain = users_gain(*scores, judged.attainable, log.cluster)
    sessions = np.bincount(log.cluster)
    share = 1 / sessions[log.cluster] / len(sessions)
    by_user = np.bincount(log.cluster, gain.influence) / sessions
    draws = np.zeros(2)
    if bias is not None:
        lift = row_discounts(judged, after) - row_discounts(judged, before)
        change = np.bincount(log.depth, judged.gains * lift * share[log.session], len(bias.theta))
        drawn = (change * bias.theta / bias.draws).sum(axis=1)
        draws = drawn / float(share @ judged.attainable)
    return Learnt(gain.value, by_user.std(ddof=1) / np.sqrt(len(by_user)), draws)


def weighted(known: Made, estimator: str = "estimated", clip: float = 20.0) -> Learnt:
    bias = weights_of(known, estimator, clip=clip)
    drawn = bias if len(bias.draws) else None
    return learnt_gain(known.made.log, bias.gains, bias.plain_gains, drawn)


@pytest.mark.parametrize(
    "order", ["fifth", *(pytest.param(one, marks=pytest.mark.slow) for one in ("noisy", "sorted"))]
)
def test_an_order_learnt_from_clicks_by_position_gains_nothing(order):
    naive, debiased, errors = [], [], []
    for seed in range(6):
        known = with_estimate(made_log(order, 1.0, null=True, seed=seed))
        assert choice_of(known).name == "estimated"
        log = known.made.log
        naive.append(learnt_gain(log, log.clicked, log.clicked).value)
        ours = weighted(known)
        debiased.append(ours.value)
        errors.append(np.hypot(ours.error, ours.draws.std()))
    assert np.mean(naive) > 0.1
    assert np.mean(debiased) < 0.15 * np.mean(naive)
    assert abs(np.mean(debiased)) < 2.5 * np.mean(errors) / np.sqrt(len(errors)) + 0.005
    assert np.sum(np.array(debiased) > 1.96 * np.array(errors)) <= 1


def test_a_true_gain_is_kept():
    made = made_log("fifth", 1.0)
    known = with_estimate(made, logged=made.theta[made.log.position])
    true, ours = weighted(known, "logged", 100.0), weighted(known, clip=100.0)
    assert true.value > 0.03
    assert ours.value == pytest.approx(true.value, abs=3 * ours.draws.std())
