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
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.adjuster.cases import random_batch
from tests.experiments.random_log import make_log

SETTINGS = Settings(AdjusterConfig(), SelectionConfig())


@pytest.mark.parametrize("interval", [0, 600, 7200])
def test_popularity_counts_what_was_known_at_the_last_tick(interval):
    log = make_log(3, n_sessions=80)
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig())
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
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig())
    found = rank_by_popularity(layout, interval_seconds=600)
    clicks, shown = counts_so_far(layout.timeline, 600)
    warmup = layout.timeline.offsets[layout.timeline.warmup_end]
    prior = (layout.timeline.click_at[:warmup] < np.iinfo(np.int64).max).mean()
    expected = (clicks + prior * found.strength) / (shown + found.strength)
    np.testing.assert_allclose(found.alone, expected)
    rate = (clicks + prior * found.added_strength) / (shown + found.added_strength)
    np.testing.assert_allclose(found.added, layout.before + found.added_weight * rate, atol=1e-6)


def test_withheld_queries_add_nothing_to_popularity():
    log = make_log(5, n_sessions=120)
    part = lay_out(log, ReplayConfig(bystander_share=0.5), ObjectiveConfig())
    everything = lay_out(log, ReplayConfig(), ObjectiveConfig())
    withheld, all_shown = (counts_so_far(one.timeline, 600)[1].sum() for one in (part, everything))
    assert 0 < withheld < all_shown


def test_every_baseline_is_scored_on_the_same_sessions():
    log = make_log(6, n_sessions=150)
    replay = Replay(lay_out(log, ReplayConfig(), ObjectiveConfig()))
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
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig())
    result = score_baselines(Replay(layout), SETTINGS)["logged_order"].result
    for session, mrr in zip(result.sessions.session, result.sessions.after["mrr"], strict=True):
        first, last = log.impression_offsets[session : session + 2]
        gains = layout.labels.gains[first:last]
        assert mrr == pytest.approx(1 / (np.flatnonzero(gains)[0] + 1))


def test_baselines_stand_without_a_warmup():
    log = make_log(8, n_sessions=100)
    config = ReplayConfig(split=SplitConfig(warmup=0.0, tune=0.7))
    results = score_baselines(Replay(lay_out(log, config, ObjectiveConfig())), SETTINGS)
    assert results["popularity"].weights["strength"] == 10.0


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
def test_the_kernels_rocchio_equals_the_formula(metric):
    batch, index = random_batch(3), SearchIndexInfo(11, metric)
    batch = replace(batch, term_clicked=batch.term_clicked + 0.1)
    weights = RocchioWeights(0.9, 0.6, 0.2)
    adjusted = adjust_with_knobs(batch, index, rocchio_knobs(index, weights))
    np.testing.assert_allclose(adjusted, rocchio_batch(batch, index, weights), atol=1e-9)
