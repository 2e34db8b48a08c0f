"""What a replay is scored by: chosen once, on what may be seen, in sign with the truth."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.replay.layout import lay_out
from experiments.replay.objective import debiased_metric, find_objective, impressions_of
from experiments.replay.position.identifiability import earlier_clicks
from experiments.replay.replay import Replay, replay_maker
from experiments.replay.settings import Settings
from experiments.replay.timeline import build_timeline
from tests.experiments.random_log import make_log

GENTLE = Settings(AdjusterConfig(adjustment_rate=1e-3), SelectionConfig())


def without_truth(log):
    """The log as a real one: neither judged nor with propensities."""
    nothing = np.full(log.n_impressions, np.nan, np.float32)
    return replace(log, impression_relevance=nothing, impression_propensity=nothing)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Examined at 1 / rank."""
    folder = tmp_path_factory.mktemp("shop") / "shop"
    sizes = {"n_sessions": 2000, "n_users": 60, "n_objects": 600, "n_queries": 100}
    config = SimulatedConfig(**sizes, n_topics=10, dimensions=32, examination_decay=1.0)
    prepare_simulated(folder, config, seed=0)
    return load_click_log(folder)


def objective_of(log, window="tune", **objective):
    return lay_out(log, ReplayConfig(), ObjectiveConfig(**objective), window).objective


@pytest.mark.parametrize(
    ("objective", "estimator", "key"),
    [
        ({}, "judged", "judged_ndcg_at_10"),
        ({"metric": "mrr"}, "judged", "judged_mrr"),
        ({"estimator": "logged"}, "logged", "debiased_ndcg_at_10"),
        ({"estimator": "logged", "metric": "map"}, "logged", "debiased_ndcg_at_10"),
        ({"estimator": "naive", "metric": "map"}, "naive", "map"),
        (
            {"estimator": "estimated", "metric": "recall_at_10"},
            "estimated",
            "debiased_recall_at_10",
        ),
    ],
)
def test_the_key_says_what_tells_relevance(shop, objective, estimator, key):
    found = objective_of(shop, **objective)
    assert (found.estimator, found.key) == (estimator, key)
    assert found.key.endswith(found.metric)
    assert (found.bias is None) == (estimator in ("judged", "naive"))
    assert "\n" not in found.reason


def test_a_log_whose_results_moved_is_estimated(shop):
    found = objective_of(without_truth(shop))
    assert found.estimator == "estimated"
    assert found.unidentified == ""


def fixed_order_log():
    """Every query shows its objects in one order, whoever asks."""
    log = without_truth(make_log(3, n_sessions=300, n_queries=5))
    offsets = np.arange(301) * 4
    shown = (log.session_query[:, None] * 2 + np.arange(4)).ravel().astype(np.int32)
    clicked = np.flatnonzero(np.random.default_rng(0).random(1200) < 0.3)
    return replace(
        log,
        impression_offsets=offsets,
        impression_object=shown,
        impression_position=np.tile(np.arange(4, dtype=np.int32), 300),
        impression_relevance=np.full(1200, np.nan, np.float32),
        impression_propensity=np.full(1200, np.nan, np.float32),
        event_impression=clicked,
        event_created_at=np.repeat(log.session_created_at, 4)[clicked] + 9,
    )


@pytest.mark.parametrize("estimator", ["auto", "naive"])
def test_clicks_as_they_are_say_so_where_the_order_never_changed(estimator):
    found = objective_of(fixed_order_log(), estimator=estimator)
    assert (found.estimator, found.key) == ("naive", "ndcg_at_10")
    assert "cannot be told apart" in found.unidentified


def test_what_is_weighted_or_judged_needs_no_telling_apart():
    judged = replace(fixed_order_log(), impression_relevance=np.ones(1200, np.float32))
    assert objective_of(judged).unidentified == ""
    logged = replace(fixed_order_log(), impression_propensity=np.full(1200, 0.5, np.float32))
    assert objective_of(logged).unidentified == ""


def test_the_sealed_test_has_no_say_in_how_it_is_scored(shop):
    """A log that is judged in its last part alone is not scored by judgements, whatever window."""
    config = ReplayConfig(split=SplitConfig(0.05, 0.03))
    late = np.array(shop.impression_relevance)
    late[: shop.impression_offsets[round(0.08 * shop.n_sessions)]] = np.nan
    assert np.isnan(late).mean() < 0.1
    log = replace(shop, impression_relevance=late)
    for window in ("tune", "test", "all"):
        found = lay_out(log, config, ObjectiveConfig(), window).objective
        assert found.estimator == "logged"
    timeline = build_timeline(log, config, window="test")
    seen = impressions_of(timeline, timeline.tune_end)
    assert seen.n_sessions == round(0.08 * shop.n_sessions)
    assert len(seen.object) == shop.impression_offsets[seen.n_sessions]


def test_one_estimator_is_handed_on_and_its_weights_where_they_fit(shop):
    log = without_truth(shop)
    make = replay_maker(log, ObjectiveConfig())
    tune = make(ReplayConfig(), "tune").layout
    fold = make(ReplayConfig(bystander_share=0.2, bystander_fold=1), "tune").layout
    test = make(ReplayConfig(), "test").layout
    again = make(ReplayConfig(bystander_share=0.2), "test").layout
    assert fold.objective is tune.objective
    assert again.objective is test.objective
    assert test.objective.reason == tune.objective.reason
    assert len(test.objective.bias.gains) == test.timeline.n_impressions
    alone = lay_out(log, ReplayConfig(), ObjectiveConfig(), "test").objective
    assert (alone.estimator, alone.reason) == (tune.objective.estimator, tune.objective.reason)
    np.testing.assert_array_equal(alone.bias.gains, test.objective.bias.gains)
    handed = replay_maker(log, ObjectiveConfig(), tune.objective)(ReplayConfig(), "tune")
    assert handed.layout.objective is tune.objective
    assert handed.objective_key == "debiased_ndcg_at_10"


def test_what_is_found_already_is_not_sought_again(shop, monkeypatch):
    timeline = build_timeline(shop, ReplayConfig(), window="tune")
    found = objective_of(shop)
    monkeypatch.setattr("experiments.replay.objective.choose_estimator", None)
    same = find_objective(timeline, ObjectiveConfig(), np.empty(0), seed=0, found=found)
    assert same is found


def test_metrics_that_are_not_linear_fall_back_to_ndcg():
    assert debiased_metric("map") == "ndcg_at_10"
    assert debiased_metric("recall_at_10") == "recall_at_10"


def learnt_scores(layout):
    """The originals' scores, lifted a little by the user's own earlier clicks on an object."""
    log = impressions_of(layout.timeline, layout.timeline.n_sessions)
    user = replace(log, query=log.user)
    return layout.before + 0.3 * np.minimum(earlier_clicks(user), 2)


def test_a_gain_that_clicks_hide_is_kept_in_sign(shop):
    """Debiased clicks see most of the judged gain, bare clicks little of it."""
    gains = {}
    for estimator in ("judged", "logged", "estimated", "naive"):
        objective = ObjectiveConfig(estimator=estimator, propensity_clip=100.0)
        layout = lay_out(shop, ReplayConfig(), objective, window="all")
        result = Replay(layout).score_ranking(learnt_scores(layout))
        gains[estimator] = result.metrics[f"delta_{layout.objective.key}"]
    assert gains["judged"] > 0.01
    assert gains["logged"] > 0.01
    assert gains["estimated"] == pytest.approx(gains["logged"], abs=0.01)
    assert gains["naive"] < 0.5 * gains["estimated"]


def test_the_plain_metrics_stay_beside_the_objective(shop):
    plain = Replay(lay_out(shop, ReplayConfig(), ObjectiveConfig(estimator="naive"))).run(GENTLE)
    for estimator in ("logged", "judged"):
        layout = lay_out(shop, ReplayConfig(), ObjectiveConfig(estimator=estimator))
        result = Replay(layout).run(GENTLE)
        both = np.isin(result.sessions.session, plain.sessions.session)
        one = np.isin(plain.sessions.session, result.sessions.session)
        for name in ("ndcg_at_10", "mrr"):
            np.testing.assert_array_equal(
                result.sessions.after[name][both], plain.sessions.after[name][one]
            )
        assert next(iter(result.metrics)) == layout.objective.key
        assert list(result.metrics)[3] == f"session_{layout.objective.key}"
    assert (~both).any(), "judged sessions without a click have no plain metric"
    assert np.isnan(result.sessions.after["mrr"][~both]).all()
