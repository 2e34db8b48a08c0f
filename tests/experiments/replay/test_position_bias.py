"""Which estimator a log gets, why, and that its gains cannot be had by position alone."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.metrics.linear import judge_linear, linear_scores, row_discounts, users_gain
from adjuster.metrics.ranking import rank_order
from experiments.common.errors import InputError
from experiments.replay.position.identifiability import earlier_clicks
from experiments.replay.position_bias import BiasRules, find_position_bias, gains_over_draws
from tests.experiments.replay.position.made_logs import made_log

NOTHING = np.full(1, np.nan)


def found(made, *, relevance=NOTHING, logged=NOTHING, **rules):
    n = len(made.log.position)
    return find_position_bias(
        made.log,
        BiasRules(**rules),
        relevance=np.broadcast_to(relevance, n),
        logged=np.broadcast_to(logged, n),
        score=made.score,
    )


@pytest.fixture(scope="module")
def moving():
    return made_log("fifth", 1.0)


@pytest.fixture(scope="module")
def fixed():
    return made_log("fixed", 1.0)


def test_judgements_come_first(moving):
    bias = found(moving, relevance=moving.attraction, logged=0.5)
    assert bias.chosen == "judged"
    assert "100% of the impressions are judged" in bias.reason


def test_a_few_judgements_do_not_replace_the_clicks(moving):
    relevance = np.where(np.arange(len(moving.attraction)) % 2, moving.attraction, np.nan)
    assert found(moving, relevance=relevance).chosen == "estimated"
    assert found(moving, relevance=relevance, estimator="judged").chosen == "judged"


def test_logged_propensities_come_next(moving):
    logged = moving.theta[moving.log.position]
    bias = found(moving, logged=logged)
    assert bias.chosen == "logged"
    np.testing.assert_array_equal(bias.propensity, logged)
    assert len(bias.draws) == 0
    holed = np.where(np.arange(len(logged)) == 7, 0, logged)
    assert found(moving, logged=holed).chosen == "estimated"


def test_estimated_where_results_moved(moving):
    bias = found(moving)
    assert bias.chosen == "estimated"
    assert bias.is_debiased
    assert bias.reason == bias.identifiability.reason
    np.testing.assert_array_equal(bias.propensity, bias.theta[moving.log.position])
    assert bias.draws.shape == (40, 20)


def test_naive_and_said_so_where_the_order_is_fixed(fixed):
    bias = found(fixed)
    assert bias.chosen == "naive"
    assert not bias.is_debiased
    assert "cannot be told apart" in bias.reason
    np.testing.assert_array_equal(bias.gains, fixed.log.clicked)
    assert bias.effective_clicks == pytest.approx(fixed.log.clicked.sum())


def test_a_file_decides_whatever_the_log_has(fixed, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("position,propensity\n" + "".join(f"{k},{1 / (k + 1)}\n" for k in range(20)))
    bias = found(fixed, propensity_file=str(path), relevance=1.0)
    assert bias.chosen == "file"
    np.testing.assert_allclose(bias.propensity, fixed.theta[fixed.log.position])


def test_clipping_is_counted(moving):
    whole, clipped = found(moving, clip=100.0), found(moving, clip=4.0)
    assert whole.clipped_share == 0
    assert 0.1 < clipped.clipped_share < 0.9
    np.testing.assert_allclose(whole.gains, whole.plain_gains, atol=1e-9)
    assert clipped.gains.max() <= 4 + 1
    assert clipped.effective_clicks < moving.log.clicked.sum()


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
        found(moving, **rules)


def test_a_log_without_clicks_is_named(moving):
    silent = replace(
        moving, log=replace(moving.log, clicked=np.zeros(len(moving.log.position), bool))
    )
    with pytest.raises(InputError, match="Nothing was clicked"):
        found(silent)


def rankings(log):
    """An order of no meaning, the same whenever a pair is shown, and one learnt from clicks."""
    own = np.random.default_rng(9).random(log.pair.max() + 1)[log.pair]
    return (
        rank_order(own, log.offsets),
        rank_order(earlier_clicks(log) + 1e-3 * own, log.offsets),
    )


def learnt_gain(made, bias):
    """What an order learnt from earlier clicks gains: value, its error, the draws' gains."""
    log = made.log
    before, after = rankings(log)
    judged = judge_linear(
        bias.gains, log.offsets, metric="ndcg_at_10", clicks=np.maximum(bias.plain_gains, 0)
    )
    scores = [linear_scores(judged, order) for order in (before, after)]
    gain = users_gain(*scores, judged.attainable, log.cluster)
    sessions = np.bincount(log.cluster)
    share = 1 / sessions[log.cluster] / len(sessions)
    lift = row_discounts(judged, after) - row_discounts(judged, before)
    change = judged.gains * lift * share[log.session]
    draws = gains_over_draws(bias, log.depth, change, float(share @ judged.attainable))
    by_user = np.bincount(log.cluster, gain.influence) / sessions
    return gain.value, by_user.std(ddof=1) / np.sqrt(len(by_user)), draws


@pytest.mark.parametrize("order", ["fifth", "noisy", "sorted"])
def test_an_order_learnt_from_clicks_by_position_gains_nothing(order):
    naive, debiased, errors = [], [], []
    for seed in range(6):
        made = made_log(order, 1.0, null=True, seed=seed)
        naive.append(learnt_gain(made, found(made, estimator="naive"))[0])
        value, error, draws = learnt_gain(made, found(made))
        debiased.append(value)
        errors.append(np.hypot(error, draws.std()))
    assert np.mean(naive) > 0.1
    assert np.mean(debiased) < 0.15 * np.mean(naive)
    assert abs(np.mean(debiased)) < 2.5 * np.mean(errors) / np.sqrt(len(errors)) + 0.005
    assert np.sum(np.array(debiased) > 1.96 * np.array(errors)) <= 1


def test_a_true_gain_is_kept():
    made = made_log("fifth", 1.0)
    truth = found(made, logged=made.theta[made.log.position], clip=100.0)
    true, ours = learnt_gain(made, truth), learnt_gain(made, found(made, clip=100.0))
    assert true[0] > 0.03
    assert ours[0] == pytest.approx(true[0], abs=3 * ours[2].std())


def test_the_draws_gain_is_the_gain_at_each_draw():
    made = made_log("fifth", 1.0)
    bias = found(made, clip=1e6)
    draws = learnt_gain(made, bias)[2]
    once = replace(bias, gains=made.log.clicked / bias.draws[0][made.log.depth])
    log = made.log
    before, after = rankings(log)
    judged = judge_linear(once.gains, log.offsets, metric="ndcg_at_10")
    at_theta = judge_linear(bias.gains, log.offsets, metric="ndcg_at_10")
    change = linear_scores(judged, after) - linear_scores(judged, before)
    sessions = np.bincount(log.cluster)
    share = 1 / sessions[log.cluster] / len(sessions)
    assert draws[0] == pytest.approx(share @ change / (share @ at_theta.attainable))
