"""The sealed test: opened once, remembered for ever, and what it decides."""

from dataclasses import dataclass, field
from functools import partial

import pytest

from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.finalists import Candidate
from experiments.judging.sealed_test import first_that_stays, looks, open_sealed_test
from tests.experiments.planted_replay import PlantedReplay, make_settings

GOOD = Candidate(12, make_settings(anchor_weight=0.06, adjustment_rate=0.05))


@dataclass
class Memory:
    trials: list = field(default_factory=list)

    def read(self):
        return list(self.trials)

    def record(self, trial):
        self.trials.append(trial)


def open_on(candidate, memory, *, reopen=False, guardrails=None, **planted):
    return open_sealed_test(
        candidate,
        make_settings(),
        partial(PlantedReplay, **planted),
        ReplayConfig(),
        guardrails or GuardrailsConfig(),
        memory,
        metric="ndcg_at_10",
        seed=0,
        reopen=reopen,
    )


def test_a_gain_that_holds_on_the_test_is_adopted_and_the_optimism_is_told():
    memory = Memory()
    opened = open_on(GOOD, memory)
    assert opened.verdict.decision == "adopt"
    assert opened.tune.gain == pytest.approx(0.06, abs=0.003)
    assert opened.test.gain == pytest.approx(0.03, abs=0.003)
    assert opened.optimism == pytest.approx(opened.tune.gain - opened.test.gain)
    assert opened.test_over_defaults.gain == pytest.approx(0.03, abs=1e-9)
    assert memory.trials == [12]


def test_a_gain_of_tune_alone_keeps_off():
    opened = open_on(GOOD, Memory(), test_factor=0.0)
    assert opened.verdict.decision == "keep off"
    assert opened.optimism == pytest.approx(0.06, abs=0.005)


def test_bystanders_are_those_of_the_test_window():
    calls: list = []
    opened = open_on(GOOD, Memory(), bystander_gain=-0.2, calls=calls)
    assert opened.verdict.decision == "keep off"
    assert [window for window, share, _ in calls if share] == ["test"] * 5
    reported = open_on(
        GOOD, Memory(), guardrails=GuardrailsConfig(bystanders="report"), bystander_gain=-0.2
    )
    assert reported.verdict.decision == "adopt"


def test_a_broken_guardrail_on_the_test_keeps_off():
    far = Candidate(1, make_settings(anchor_weight=0.06, adjustment_rate=0.9))
    assert open_on(far, Memory()).verdict.decision == "keep off"


def test_the_same_trial_may_be_opened_again_and_shows_the_same():
    memory = Memory()
    first, second = open_on(GOOD, memory), open_on(GOOD, memory)
    assert first.test == second.test
    assert first.verdict == second.verdict
    assert memory.trials == [12]


def test_another_trial_is_refused_before_anything_is_replayed():
    memory, calls = Memory([4]), []
    with pytest.raises(InputError, match=r"was opened on trial 4; .* trial=4 .* reopen=true"):
        open_on(GOOD, memory, calls=calls)
    assert calls == []
    assert memory.trials == [4]


def test_reopening_is_counted_and_widens_the_interval():
    memory = Memory()
    first = open_on(GOOD, memory)
    other = Candidate(13, GOOD.settings)
    second = open_on(other, memory, reopen=True)
    assert memory.trials == [12, 13]
    assert second.openings == (12, 13)
    assert second.test.confidence == pytest.approx(0.975)
    assert second.test.low < first.test.low
    assert "opened on 2 trials (12, 13)" in second.verdict.notes[-1]
    assert "97.5 % interval" in second.verdict.sentence
    again = open_on(GOOD, memory)
    assert again.openings == (12, 13), "a look once taken is never forgotten"
    assert again.test.confidence == pytest.approx(0.975)


def test_the_opening_is_recorded_even_if_the_replay_then_fails():
    class Failing(PlantedReplay):
        def run(self, settings):
            if self.window == "test":
                raise RuntimeError("power cut")
            return super().run(settings)

    memory = Memory()
    with pytest.raises(RuntimeError):
        open_sealed_test(
            GOOD,
            make_settings(),
            Failing,
            ReplayConfig(),
            GuardrailsConfig(),
            memory,
            metric="ndcg_at_10",
            seed=0,
        )
    assert memory.trials == [12]


def test_a_look_is_only_counted_when_it_is_taken():
    memory = Memory()
    assert looks(memory, 3) == (3,)
    assert memory.trials == []
    memory.record(3)
    assert looks(memory, 3) == (3,)
    assert looks(memory, 5, reopen=True) == (3, 5)


def test_a_test_without_sessions_is_not_counted_as_opened():
    class NoTest(PlantedReplay):
        def __init__(self, config, window):
            super().__init__(config, window)
            if window == "test":
                raise InputError("The test part has no session.")

    memory = Memory()
    with pytest.raises(InputError, match="no session"):
        open_sealed_test(
            GOOD,
            make_settings(),
            NoTest,
            ReplayConfig(),
            GuardrailsConfig(),
            memory,
            metric="ndcg_at_10",
            seed=0,
        )
    assert memory.trials == []


def steady(rate):
    """A candidate whose drift, on any window, is its rate."""
    return Candidate(int(rate * 100), make_settings(adjustment_rate=rate))


def test_the_first_candidate_that_keeps_its_drift_is_taken():
    replay = PlantedReplay(ReplayConfig(), "test")
    candidates = [steady(0.3), steady(0.25), steady(0.1), steady(0.05)]
    chosen, passed_over = first_that_stays(candidates, replay, GuardrailsConfig())
    assert chosen.trial == 10
    assert passed_over == {30: 0.3, 25: 0.25}


def test_the_best_is_taken_where_none_keeps_its_drift_or_nothing_bounds_it():
    replay = PlantedReplay(ReplayConfig(), "test")
    candidates = [steady(0.3), steady(0.25)]
    assert first_that_stays(candidates, replay, GuardrailsConfig()) == (candidates[0], {})
    free = GuardrailsConfig(max_mean_drift=None)
    assert first_that_stays(candidates, replay, free) == (candidates[0], {})
