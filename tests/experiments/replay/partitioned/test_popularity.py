"""Baselines of a log in partitions against the whole one's; popularity's counts cross all parts."""

from contextlib import closing

import numpy as np
import pytest

from experiments.config.replay import ObjectiveConfig, SplitConfig
from experiments.replay.baselines import score_baselines
from experiments.replay.partitioned.baselines import score_in_partitions
from tests.experiments.planted_replay import make_settings
from tests.experiments.replay.partitioned.test_replay import NAIVE, log_in, whole_and_cut


@pytest.mark.parametrize(
    ("n_parts", "objective", "window", "warmup"),
    [
        (1, NAIVE, "tune", 0.2),
        (3, NAIVE, "test", 0.2),
        (16, NAIVE, "test", 0.45),
        (3, NAIVE, "tune", 0.0),
        (5, ObjectiveConfig(estimator="judged", metric="mrr"), "test", 0.3),
        (4, ObjectiveConfig(estimator="naive", repeat_clicks="ignore"), "test", 0.3),
    ],
)
def test_the_baselines_are_those_of_the_whole_log(tmp_path, n_parts, objective, window, warmup):
    split = SplitConfig(warmup=warmup, tune=0.4)
    folder = log_in(tmp_path, n_sessions=200)
    whole, cut = whole_and_cut(folder, objective, window=window, split=split, bystander_share=0.3)
    settings = make_settings(interval_seconds=7200)
    expected = score_baselines(whole(), settings)
    del expected["headroom"]
    with closing(cut(n_parts, "user")) as replay:
        found = score_in_partitions(replay, settings)
    assert list(found) == list(expected)
    for name, baseline in found.items():
        assert baseline.weights == expected[name].weights
        np.testing.assert_equal(baseline.result.metrics, expected[name].result.metrics)
        np.testing.assert_equal(
            vars(baseline.result.sessions), vars(expected[name].result.sessions)
        )
        np.testing.assert_equal(baseline.result.blocks, expected[name].result.blocks)
