"""What drift comes to by the end of the log: worked by hand, and against a replay of all of it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adjuster.fused_engine.knobs import make_knobs
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.drift_growth import FURTHEST, growth, mean_drift, sum_drift
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import make_plan
from experiments.replay.replay import replay_maker
from experiments.replay.settings import Settings
from tests.experiments.planted_replay import make_settings
from tests.experiments.random_log import make_log


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [
        (0.01, 0.04, 4.0),  # with the square of time
        (0.02, 0.04, 2.0),  # with time
        (0.04, 0.04, 1.0),  # settled
        (0.05, 0.04, 1.0),  # falling: not promised to go on
        (0.001, 0.04, 4.0),  # faster than any direction kept allows: as a straight way
        (0.0, 0.04, 4.0),
        (0.01, 0.0, 1.0),
        (0.4, 1.6, FURTHEST / 1.6),
    ],
)
def test_growth_is_the_power_law_through_both_points_within_reason(early, late, expected):
    found = growth(early, late, at_early=100, at_late=200, end=400)
    assert found == pytest.approx(expected)


def test_a_window_that_reaches_the_logs_end_grows_no_further():
    assert growth(0.01, 0.04, at_early=100, at_late=200, end=200) == 1.0


def test_nothing_adjusted_drifts_nowhere():
    assert mean_drift(sum_drift(np.array([np.nan]))) == 0.0
    assert mean_drift(sum_drift(np.array([0.1, 0.3]))) == pytest.approx(0.2)


def replayed(settings: Settings, window: str):
    log = make_log(5, n_sessions=400)
    config = ReplayConfig(personalize_by="none", n_blocks=8)
    return replay_maker(log, ObjectiveConfig(estimator="naive"))(config, window).run(settings)


@pytest.mark.parametrize("semantics", ["documented", "published"])
def test_tune_foresees_the_drift_that_the_whole_log_shows(semantics):
    settings = make_settings(adjustment_rate=0.002, semantics=semantics)
    tune, whole = (replayed(settings, window).metrics for window in ("tune", "test"))
    assert whole["drift_at_log_end"] == whole["drift_mean"]
    assert tune["drift_at_log_end"] > 1.1 * tune["drift_mean"]
    off = abs(math.log(tune["drift_at_log_end"] / whole["drift_mean"]))
    assert off < 0.5 * math.log(whole["drift_mean"] / tune["drift_mean"])


def test_a_vector_measured_half_way_is_what_a_replay_to_there_ends_with():
    # Ticks come at once, so that none waits behind the middle.
    log = make_log(5, n_sessions=400, n_users=3)
    settings = make_settings(adjustment_rate=0.01, interval_seconds=0)
    make = replay_maker(log, ObjectiveConfig(estimator="naive"))
    split = SplitConfig(warmup=0.2, tune=0.6)
    layout = make(ReplayConfig(personalize_by="none", quiet_seconds=0, split=split), "tune").layout
    assert layout.timeline.middle == 200
    streams = PairStreams(
        layout,
        make_plan(layout, settings.selection, 0, "session").lessons,
        make_knobs(log.index, settings.adjuster),
    )
    for block in layout.blocks:
        streams.advance(block.span, layout.before.copy(), np.zeros(len(layout.before), bool))
    half = replace(split, warmup=0.2, tune=0.3)
    shorter = make(ReplayConfig(personalize_by="none", quiet_seconds=0, split=half), "tune")
    assert mean_drift(streams.early_drift()) == pytest.approx(
        shorter.run(settings).metrics["drift_mean"], rel=0.02
    )


def test_users_vectors_are_foreseen_as_well():
    settings = make_settings(adjustment_rate=0.002)
    log = make_log(5, n_sessions=400, n_users=60)
    make = replay_maker(log, ObjectiveConfig(estimator="naive"))
    found = make(ReplayConfig(personalize_by="user_id", n_blocks=4), "tune").run(settings).metrics
    assert found["drift_at_log_end"] >= found["drift_mean"] > 0
