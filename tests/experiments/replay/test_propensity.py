"""Position bias: recovered from clicks, and taken out of the objective."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.ragged import offsets_of
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.propensity import estimate_by_position
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.replay.timeline import build_timeline
from tests.experiments.random_log import make_log

THETA = np.array([1.0, 0.7, 0.5, 0.35, 0.25, 0.15])


def biased_log(n_sessions: int = 6000, seed: int = 0):
    """Results in random order, clicked by a position-based model with known examination."""
    rng = np.random.default_rng(seed)
    base = make_log(1, n_sessions=n_sessions, n_objects=10, n_queries=3, unknown_users=False)
    shown = np.argsort(rng.random((n_sessions, 10)), axis=1)[:, : len(THETA)]
    gamma = rng.uniform(0.2, 0.9, (3, 10))
    clicks = rng.random(shown.shape) < THETA * gamma[base.session_query[:, None], shown]
    return replace(
        base,
        impression_offsets=offsets_of([len(THETA)] * n_sessions),
        impression_object=shown.ravel().astype(np.int32),
        impression_position=np.tile(np.arange(len(THETA)), n_sessions).astype(np.int32),
        impression_relevance=np.full(shown.size, np.nan, np.float32),
        impression_propensity=np.tile(THETA, n_sessions).astype(np.float32),
        event_impression=np.flatnonzero(clicks.ravel()),
        event_created_at=np.repeat(base.session_created_at, len(THETA))[clicks.ravel()] + 5,
    )


def test_examination_by_position_is_recovered_from_clicks():
    timeline = build_timeline(biased_log(), ReplayConfig(), window="all")
    np.testing.assert_allclose(estimate_by_position(timeline), THETA, atol=0.06)


def run(log, **objective):
    replay = Replay(lay_out(log, ReplayConfig(), ObjectiveConfig(**objective)))
    return replay.run(Settings(AdjusterConfig(adjustment_rate=1e-3), SelectionConfig())).metrics


def test_logged_and_estimated_propensities_agree_on_the_debiased_ndcg():
    log = biased_log()
    logged, estimated = run(log, propensity="logged"), run(log, propensity="estimated")
    name = "before_debiased_ndcg_at_10"
    assert estimated[name] == pytest.approx(logged[name], abs=0.01)
    assert 0 < logged["debiased_effective_sessions"] <= 3000
    assert logged["ndcg_at_10"] == run(log)["ndcg_at_10"]


def test_equal_propensities_weight_sessions_by_their_clicks():
    log = biased_log(800)
    equal = replace(log, impression_propensity=np.ones(log.n_impressions, np.float32))
    replay = Replay(lay_out(equal, ReplayConfig(), ObjectiveConfig(propensity="logged")))
    result = replay.run(Settings(AdjusterConfig(num_iterations=0), SelectionConfig()))
    sessions = result.sessions
    clicks = np.diff(np.searchsorted(log.event_impression, log.impression_offsets))
    weights = clicks[sessions.session]
    expected = np.average(sessions.before["ndcg_at_10"], weights=weights)
    assert result.metrics["debiased_ndcg_at_10"] == pytest.approx(expected)


def test_missing_propensities_are_named_with_the_remedy():
    log = make_log(1)
    bare = replace(log, impression_propensity=np.full(log.n_impressions, np.nan, np.float32))
    with pytest.raises(InputError, match=r"objective\.propensity=estimated"):
        Replay(lay_out(bare, ReplayConfig(), ObjectiveConfig(propensity="logged")))


def test_exploration_costs_nothing_at_zero_and_everything_gained_at_one():
    log = make_log(5, n_sessions=200)
    settings = Settings(AdjusterConfig(adjustment_rate=0.05), SelectionConfig())
    full = Replay(lay_out(log, ReplayConfig(exploration_ratio=1.0), ObjectiveConfig())).run(
        settings
    )
    assert full.metrics["explored_ndcg_at_10"] == pytest.approx(full.metrics["before_ndcg_at_10"])
    assert full.metrics["exploration_cost"] == pytest.approx(full.metrics["delta_ndcg_at_10"])
    none = Replay(lay_out(log, ReplayConfig(), ObjectiveConfig())).run(settings)
    assert "exploration_cost" not in none.metrics
    half = Replay(lay_out(log, ReplayConfig(exploration_ratio=0.5), ObjectiveConfig()))
    assert half.run(settings).metrics == half.run(settings).metrics
