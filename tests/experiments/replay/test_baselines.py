"""Baselines against loops written for clarity."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.batch import adjust_with_knobs
from adjuster.fused_engine.knobs import rocchio_knobs
from adjuster.index import SearchIndexInfo
from adjuster.rocchio import RocchioWeights, rocchio_batch
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.baseline_names import BASELINES
from experiments.replay.baselines import score_baselines
from experiments.replay.layout import lay_out
from experiments.replay.popularity import counts_so_far, rank_by_popularity
from experiments.replay.replay import Replay, replay_maker
from experiments.replay.settings import Settings
from tests.adjuster.cases import random_batch
from tests.experiments.random_log import make_log

CLICKS = ObjectiveConfig(estimator="naive")
SETTINGS = Settings(AdjusterConfig(), SelectionConfig())


@pytest.mark.parametrize("interval", [0, 600, 7200])
def test_popularity_counts_what_was_known_at_the_last_tick(interval):
    log = make_log(3, n_sessions=80)
    layout = lay_out(log, ReplayConfig(), CLICKS)
    timeline = layout.timeline
    clicks, shown = counts_so_far(timeline, interval)

    def tick(moment):
        return moment if interval == 0 else -(-moment // interval) * interval

    n = timeline.n_impressions
    created = timeline.created_at[timeline.session_of]
    objects = log.impression_object[:n]
    for row in range(0, n, 3):
        known = [
            other
            for other in range(n)
            if objects[other] == objects[row] and tick(int(created[other])) < created[row]
        ]
        assert shown[row] == len(known)
        arrived = [
            other
            for other in range(n)
            if objects[other] == objects[row]
            and timeline.click_at[other] < np.iinfo(np.int64).max
            and tick(max(int(timeline.click_at[other]), int(created[other]))) < created[row]
        ]
        assert clicks[row] == len(arrived)
    assert clicks.max() > 0


def test_popularity_alone_ranks_by_the_smoothed_click_rate():
    log = make_log(4, n_sessions=120)
    layout = lay_out(log, ReplayConfig(), CLICKS)
    found = rank_by_popularity(layout, interval_seconds=600)
    chosen = found.weights
    clicks, shown = counts_so_far(layout.timeline, 600)
    warmup = layout.timeline.offsets[layout.timeline.warmup_end]
    prior = (layout.timeline.click_at[:warmup] < np.iinfo(np.int64).max).mean()
    expected = (clicks + prior * chosen.strength) / (shown + chosen.strength)
    np.testing.assert_allclose(found.alone, expected)
    rate = (clicks + prior * chosen.added_strength) / (shown + chosen.added_strength)
    np.testing.assert_allclose(found.added, layout.before + chosen.added_weight * rate, atol=1e-6)


def test_withheld_queries_add_nothing_to_popularity():
    log = make_log(5, n_sessions=120)
    part = lay_out(log, ReplayConfig(bystander_share=0.5), CLICKS)
    everything = lay_out(log, ReplayConfig(), CLICKS)
    withheld, all_shown = (counts_so_far(one.timeline, 600)[1].sum() for one in (part, everything))
    assert 0 < withheld < all_shown


def test_every_baseline_is_scored_on_the_same_sessions():
    log = make_log(6, n_sessions=150)
    replay = Replay(lay_out(log, ReplayConfig(), CLICKS))
    results = {name: one.result for name, one in score_baselines(replay, SETTINGS).items()}
    assert list(results) == list(BASELINES)
    sessions = results["no_adjustment"].sessions.session
    for result in results.values():
        np.testing.assert_array_equal(result.sessions.session, sessions)
    assert results["no_adjustment"].metrics["delta_ndcg_at_10"] == 0
    assert results["no_adjustment"].metrics["harmed_share"] == 0
    assert results["rocchio"].metrics["drift_mean"] > 0


def test_the_logged_order_scores_what_was_shown_first():
    log = make_log(7, n_sessions=100)
    layout = lay_out(log, ReplayConfig(), CLICKS)
    result = score_baselines(Replay(layout), SETTINGS)["logged_order"].result
    for session, mrr in zip(result.sessions.session, result.sessions.after["mrr"], strict=True):
        first, last = log.impression_offsets[session : session + 2]
        gains = layout.labels.gains[first:last]
        assert mrr == pytest.approx(1 / (np.flatnonzero(gains)[0] + 1))


def test_baselines_stand_without_a_warmup():
    log = make_log(8, n_sessions=100)
    config = ReplayConfig(split=SplitConfig(warmup=0.0, tune=0.7))
    results = score_baselines(Replay(lay_out(log, config, CLICKS)), SETTINGS)
    assert results["popularity"].weights["strength"] == 10.0


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_the_kernels_rocchio_equals_the_formula(metric):
    batch, index = random_batch(3), SearchIndexInfo(11, metric)
    batch = replace(batch, term_clicked=batch.term_clicked + 0.1)
    weights = RocchioWeights(0.9, 0.6, 0.2)
    adjusted = adjust_with_knobs(batch, index, rocchio_knobs(index, weights))
    np.testing.assert_allclose(adjusted, rocchio_batch(batch, index, weights), atol=1e-9)


def shown_as_clicked(seed: int):
    """A log that shows on top what will be clicked; half of the sessions ask without feedback.

    Every query of the second half is asked once, on objects of its own.
    """
    log = make_log(seed, n_sessions=200, n_objects=300, n_queries=120, unknown_users=False)
    rng = np.random.default_rng(seed)
    query = np.where(np.arange(200) % 2, 20 + np.arange(200) // 2, np.arange(200) % 20)
    first = np.where(np.arange(200) % 2, 80 + (np.arange(200) // 2) * 2, (np.arange(200) % 20) * 4)
    shown = first[:, None] + np.argsort(rng.random((200, 2)), axis=1)
    return replace(
        log,
        session_query=query.astype(np.int32),
        impression_offsets=np.arange(201) * 2,
        impression_object=shown.ravel().astype(np.int32),
        impression_position=np.tile(np.arange(2, dtype=np.int32), 200),
        impression_relevance=np.full(400, np.nan, np.float32),
        impression_propensity=np.full(400, np.nan, np.float32),
        event_impression=np.arange(200) * 2,
        event_created_at=log.session_created_at + 1,
    )


def test_popularity_does_not_borrow_the_shown_order():
    """Where nothing was clicked before it is as good as similarity; the log is right."""
    layout = lay_out(shown_as_clicked(3), ReplayConfig(personalize_by="none"), CLICKS)
    results = {name: one.result for name, one in score_baselines(Replay(layout), SETTINGS).items()}
    silent = results["popularity"].sessions.session % 2 == 1
    assert 0.4 < silent.mean() < 0.6
    for name in ("popularity", "headroom"):
        sessions = results[name].sessions
        np.testing.assert_array_equal(sessions.after["mrr"][silent], sessions.before["mrr"][silent])
    assert (results["logged_order"].sessions.after["mrr"] == 1).all()
    assert results["popularity"].sessions.after["mrr"][silent].mean() < 0.9


@pytest.mark.parametrize("estimator", ["naive", "judged", "logged"])
def test_rivals_can_be_replayed_on_the_sealed_test(estimator):
    log = make_log(6, n_sessions=200)
    make = replay_maker(log, ObjectiveConfig(estimator=estimator))
    tune, test = (make(ReplayConfig(), window) for window in ("tune", "test"))
    results = score_baselines(test, SETTINGS)
    key = test.objective_key
    n_test = log.n_sessions - tune.layout.timeline.n_sessions
    for one in results.values():
        sessions = one.result.sessions
        assert sessions.session.min() >= tune.layout.timeline.n_sessions
        assert 0 < len(sessions.session) <= n_test
        assert sessions.positions is None
        assert key in one.result.metrics
    assert results["headroom"].result.metrics[key] > 0
    # What is chosen for popularity is chosen on warmup, which both windows share.
    again = score_baselines(tune, SETTINGS)
    for name in ("popularity", "popularity_added"):
        assert results[name].weights == again[name].weights
