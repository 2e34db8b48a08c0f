"""The sealed test: every look is written down first, paid for, and decides."""

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import Replays
from experiments.judging.finalists import Candidate
from experiments.judging.sealed_test import Terms, open_sealed_test
from experiments.replay.results import Traffic
from tests.experiments.judging.ledger_in_memory import InMemory
from tests.experiments.judging.planted_opening import (
    GOOD,
    JUDGE,
    OTHER,
    open_on,
    open_weighted,
    seal_of,
)
from tests.experiments.planted_replay import PlantedReplay, make_settings


def sees(ledger):
    return [(item["trial"], item["sees"]) for item in ledger.kept.get("f", [])]


def test_a_gain_that_holds_on_the_test_is_adopted():
    ledger = InMemory()
    opened = open_on(GOOD, ledger=ledger)
    assert opened.verdict.decision == "adopt"
    assert opened.tune.gain == pytest.approx(0.06, abs=0.003)
    assert opened.evidence.gain.gain == pytest.approx(0.03, abs=0.003)
    assert opened.evidence.gain.confidence == pytest.approx(0.9584, abs=1e-4)
    assert opened.optimism.gap == pytest.approx(0.03, abs=0.005)
    assert sees(ledger) == [(12, "scores")]


def test_optimism_is_what_unselected_trials_do_not_lose():
    terms = Terms(
        make_settings(),
        [make_settings(anchor_weight=weight) for weight in (0.02, 0.04)],
        GuardrailsConfig(),
        JUDGE,
    )
    replays = Replays(PlantedReplay, ReplayConfig())
    opened = open_sealed_test([GOOD], replays, terms, seal_of(InMemory()))
    assert opened.optimism.usual_gap == pytest.approx(0.015, abs=0.005)
    assert opened.optimism.optimism == pytest.approx(0.015, abs=1e-6)


def test_a_gain_of_tune_alone_keeps_off():
    opened = open_on(GOOD, test_factor=0.0)
    assert opened.verdict.decision == "keep off"
    assert opened.optimism.gap == pytest.approx(0.06, abs=0.005)


def test_rivals_are_the_baselines_and_the_defaults_the_best_first():
    opened = open_on(GOOD, rival_lead=0.02)
    names = [rival.name for rival in opened.evidence.rivals]
    assert names == ["popularity", "the published defaults"], "no headroom, no adjustment"
    best = opened.evidence.rivals[0]
    assert best.is_better
    assert best.lead.gain == pytest.approx(-0.02)
    assert f"popularity ({best.value:.3f}) is better".replace("0.", ".") in opened.verdict.sentence
    assert opened.verdict.decision == "adopt", "it gains all the same"


def test_the_defaults_are_no_rival_of_themselves():
    opened = open_on(Candidate(0, make_settings()))
    assert [rival.name for rival in opened.evidence.rivals] == ["popularity"]


def test_bystanders_are_those_of_the_test_window():
    calls: list = []
    opened = open_on(GOOD, bystander_gain=-0.2, calls=calls)
    assert opened.verdict.decision == "keep off"
    assert [window for window, share, _ in calls if share] == ["test"] * 5
    reported = open_on(GOOD, guardrails=GuardrailsConfig(bystanders="report"), bystander_gain=-0.2)
    assert reported.verdict.decision == "adopt"


def test_bystanders_do_not_matter_where_no_traffic_is_without_feedback():
    assert open_on(GOOD, bystander_gain=-0.2, silent=0.0).verdict.decision == "adopt"


def test_a_broken_guardrail_on_the_test_keeps_off():
    far = Candidate(1, make_settings(anchor_weight=0.06, adjustment_rate=0.9))
    assert open_on(far).verdict.decision == "keep off"


def test_the_first_candidate_that_keeps_its_drift_is_opened_once_the_reading_is_written_down():
    far = Candidate(1, make_settings(anchor_weight=0.06, adjustment_rate=0.9))
    ledger = InMemory()
    opened = open_on(far, GOOD, ledger=ledger)
    assert opened.trial == 12
    assert opened.passed_over == {1: 0.9}
    assert sees(ledger) == [(1, "drift"), (12, "scores")]
    assert opened.look.number == 1, "drift tells nothing of anybody's gain"


def test_the_same_trial_may_be_opened_again_and_shows_the_same():
    ledger = InMemory()
    first, second = open_on(GOOD, ledger=ledger), open_on(GOOD, ledger=ledger)
    assert first.evidence.gain == second.evidence.gain
    assert first.verdict == second.verdict
    assert sees(ledger) == [(12, "scores")]


def test_another_trial_is_refused_before_the_test_is_replayed():
    ledger, calls = InMemory(), []
    open_on(GOOD, ledger=ledger)
    with pytest.raises(InputError, match=r"opened on trial 12 of study one.*reopen=true"):
        open_on(OTHER, ledger=ledger, calls=calls)
    with pytest.raises(InputError, match=r"opened on trial 12"):
        open_on(OTHER, Candidate(5, make_settings(anchor_weight=0.01)), ledger=ledger, calls=calls)
    assert calls == []
    assert sees(ledger) == [(12, "scores")]


def test_the_choice_among_candidates_stands_once_it_was_opened():
    ledger = InMemory()
    first = open_on(GOOD, OTHER, ledger=ledger)
    again = open_on(GOOD, OTHER, ledger=ledger)
    assert (first.trial, again.trial) == (12, 12)
    assert again.look.number == 1


def test_a_further_look_is_counted_and_widens_the_interval():
    ledger = InMemory()
    first = open_on(GOOD, ledger=ledger)
    second = open_on(OTHER, ledger=ledger, reopen=True)
    assert second.look.number == 2
    assert second.evidence.gain.confidence == pytest.approx(0.9948, abs=1e-4)
    assert second.evidence.gain.low < first.evidence.gain.low
    assert "opened 2 times (trial 12 of one, trial 13 of one)" in second.verdict.notes[-1]
    assert "99.5 % interval" in second.verdict.sentence
    again = open_on(GOOD, ledger=ledger)
    assert "opened 2 times" in again.verdict.notes[-1], "a look once taken is never forgotten"
    assert again.look.number == 1


def test_the_opening_is_recorded_even_if_the_replay_then_fails():
    class Failing(PlantedReplay):
        def run(self, settings):
            if self.window == "test":
                raise RuntimeError("power cut")
            return super().run(settings)

    ledger = InMemory()
    with pytest.raises(RuntimeError):
        open_on(GOOD, ledger=ledger, replay=Failing)
    assert sees(ledger) == [(12, "scores")]


def test_a_test_without_sessions_is_not_counted_as_opened():
    class NoTest(PlantedReplay):
        def __init__(self, config, window):
            super().__init__(config, window)
            if window == "test":
                raise InputError("The test part has no session.")

    ledger = InMemory()
    with pytest.raises(InputError, match="no session"):
        open_on(GOOD, ledger=ledger, replay=NoTest)
    assert sees(ledger) == []


def test_a_bot_behind_many_names_is_seen_by_its_speed():
    class Botted(PlantedReplay):
        def traffic(self):
            usual = super().traffic()
            delay = np.where(np.arange(600) % 2, usual.delay, 1)
            return Traffic(usual.user, usual.query, usual.created_at, usual.clicks, delay)

    verdict = open_on(GOOD, replay=Botted).verdict
    assert verdict.decision == "cannot tell"
    assert "50% of the clicks come within a second" in verdict.sentence


def test_clicks_as_they_are_stand_beside_a_weighted_objective():
    opened = open_weighted()
    assert opened.evidence.naive.metric == "ndcg_at_10"
    assert opened.evidence.naive.gain == pytest.approx(opened.evidence.gain.gain)
