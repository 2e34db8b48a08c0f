"""What a setting becomes on one layout."""

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.layout import lay_out
from experiments.replay.plan import resolve
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log

AUTO = Settings(AdjusterConfig(loss="logistic"), SelectionConfig())


def test_an_automatic_bias_is_the_median_similarity_of_warmup():
    log = make_log(1)
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig())
    warmup = layout.before[: log.impression_offsets[round(0.2 * log.n_sessions)]]
    resolved = resolve(layout, AUTO)
    assert resolved.adjuster.logit_bias == pytest.approx(float(np.median(warmup)))
    assert resolve(layout, resolved) is resolved


def test_an_automatic_bias_without_warmup_names_the_remedy():
    config = ReplayConfig(split=SplitConfig(warmup=0.0, tune=0.7))
    layout = lay_out(make_log(1), config, ObjectiveConfig())
    with pytest.raises(InputError, match="warmup above 0"):
        resolve(layout, AUTO)


def test_settings_that_tick_and_pick_alike_share_one_plan():
    replay = Replay(lay_out(make_log(2), ReplayConfig(), ObjectiveConfig()))
    plan = replay.plan(Settings(AdjusterConfig(adjustment_rate=0.1), SelectionConfig()))
    assert replay.plan(Settings(AdjusterConfig(adjustment_rate=0.2), SelectionConfig())) is plan
    for other in (
        Settings(AdjusterConfig(interval_seconds=60), SelectionConfig()),
        Settings(AdjusterConfig(term_weight="impression"), SelectionConfig()),
        Settings(AdjusterConfig(), SelectionConfig(min_clicks=2)),
    ):
        assert replay.plan(other) is not plan
