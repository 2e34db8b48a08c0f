"""One trial: what is kept when it ends well, is stopped, or breaks."""

import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.common.errors import Outage
from experiments.config.study import GuardrailsConfig
from experiments.replay.settings import Settings
from experiments.study.records import COMPLETE, FAILED, PRUNED
from experiments.study.trial import run_trial
from tests.experiments.fake_replay import N_BLOCKS, FakeReplay

SETTINGS = Settings(AdjusterConfig(), SelectionConfig())


def run(replay, should_prune=lambda checkpoint: False, metric="ndcg_at_10"):
    return run_trial(
        replay,
        SETTINGS,
        metric=metric,
        guardrails=GuardrailsConfig(max_mean_drift=0.15, max_harmed_share=0.3),
        should_prune=should_prune,
    )


def test_a_complete_trial_keeps_everything():
    outcome = run(FakeReplay())
    assert outcome.state == COMPLETE
    assert outcome.value == outcome.metrics["ndcg_at_10"]
    assert sorted(outcome.blocks) == list(range(N_BLOCKS))
    assert outcome.curve[0] == [1000, 5, 0.7, outcome.value]
    assert outcome.counts == {"selected": 10, "too_short": 2, "not_scored": 3}
    assert set(outcome.seconds) == {"adjust", "total"}


def test_excess_over_a_guardrail_is_positive_and_room_below_it_negative():
    found = run(FakeReplay()).constraints
    assert round(found["max_mean_drift"], 9) == 0.05
    assert round(found["max_harmed_share"], 9) == -0.2


def test_a_stopped_trial_keeps_its_mean_so_far():
    outcome = run(FakeReplay(), should_prune=lambda checkpoint: checkpoint.block == 2)
    assert outcome.state == PRUNED
    assert outcome.pruned_at_block == 2
    assert outcome.value == outcome.running[2]
    assert outcome.metrics == {}


def test_the_last_block_is_no_place_to_stop():
    outcome = run(FakeReplay(), should_prune=lambda checkpoint: checkpoint.block == N_BLOCKS - 1)
    assert outcome.state == COMPLETE


def test_an_outage_is_not_the_settings_fault():
    def gone(number, settings):
        raise Outage("Ray cannot go on.")

    with pytest.raises(Outage, match="cannot go on"):
        run(FakeReplay(gone))


def test_an_exception_is_the_reason():
    def broken(number, settings):
        raise ZeroDivisionError("by nothing")

    outcome = run(FakeReplay(broken))
    assert (outcome.state, outcome.reason) == (FAILED, "ZeroDivisionError: by nothing")
    assert outcome.value is None
