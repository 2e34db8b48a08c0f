"""Withheld sessions alone: the same rows to the last bit, for less work."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.bystander_pairs import BystanderPairs
from experiments.replay.layout import lay_out
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import resolve
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log

SETTINGS = [
    {"interval_seconds": 0},
    {"interval_seconds": 7200, "memory": "restart"},
    {"interval_seconds": 600, "memory": "refit", "optimizer": "sgd", "loss": "linear"},
    {"semantics": "published"},
]


def withholding(scope: str, fold: int, n_users: int) -> Replay:
    log = make_log(7 + fold, n_sessions=160, n_users=n_users)
    config = ReplayConfig(personalize_by=scope, bystander_share=0.4, bystander_fold=fold)
    return Replay(lay_out(log, config, ObjectiveConfig(estimator="naive")))


def settings_of(**values) -> Settings:
    adjuster = AdjusterConfig(**{"adjustment_rate": 0.05, "num_iterations": 3, **values})
    return Settings(adjuster, SelectionConfig())


def same(one, other) -> bool:
    """Whether two values are equal to the last bit, field by field."""
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype != "O")
    return one == other


@pytest.mark.parametrize("scope", ["user_id", "none"])
@pytest.mark.parametrize("values", SETTINGS)
def test_rows_are_those_of_the_whole_replay(scope, values):
    moved = 0
    for fold in range(2):
        # Few owners are cut by time, many by owner.
        for n_users in (4, 120):
            replay = withholding(scope, fold, n_users)
            whole = replay.run(settings_of(**values)).bystanders
            assert len(whole.session)
            moved += int((whole.after["ndcg_at_10"] != whole.before["ndcg_at_10"]).sum())
            assert same(replay.run_bystanders(settings_of(**values)), whole)
    assert moved > 0


def test_pairs_that_no_withheld_session_shows_are_left_alone():
    replay = withholding("user_id", 0, 40)
    pairs, layout, settings = BystanderPairs(replay.layout), replay.layout, settings_of()
    knobs = make_knobs(layout.log.index, resolve(layout, settings).adjuster)
    (span,) = pairs.spans
    streams = PairStreams(pairs, replay.plan(settings).lessons, knobs)
    streams.advance(span, layout.before.copy(), np.zeros(len(layout.before), np.bool_))
    showings, timeline = layout.showings, layout.timeline
    session = timeline.session_of[showings.impression]
    asked = timeline.withheld[session] & (session >= timeline.scored_from)
    shows = np.array(
        [asked[a:b].any() for a, b in zip(showings.offsets, showings.offsets[1:], strict=False)]
    )
    assert 0 < shows.sum() < len(shows)
    assert not streams.state.steps_done[~shows].any()
    assert streams.state.steps_done[shows].any()
