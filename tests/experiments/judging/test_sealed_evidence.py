"""What the sealed test shows: every part from the test's own replay, as sure as its look."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import Replays
from experiments.judging.comparison import Judge, compare_with_no_adjustment, select
from experiments.judging.evidence import (
    Weighting,
    power_of,
    split_gain,
    trend_of,
    users_needed,
)
from experiments.judging.finalists import Candidate
from experiments.judging.looks import look_confidence
from experiments.judging.sealed_test import Terms, open_sealed_test
from tests.experiments.judging.ledger_in_memory import InMemory
from tests.experiments.judging.planted_opening import (
    GOOD,
    JUDGE,
    OTHER,
    WeightedReplay,
    open_on,
    open_weighted,
    seal_of,
)
from tests.experiments.planted_replay import PlantedReplay, make_settings, planted_objective


class WithLoggedOrder(PlantedReplay):
    """The logged order among its baselines, by a method of the test's choice."""

    estimator = "naive"

    @property
    def objective(self):
        return planted_objective(estimator=self.estimator)

    def baselines(self, settings):
        found = super().baselines(settings)
        return {**found, "logged_order": found["popularity"]}


class WithLoggedOrderWeighted(WithLoggedOrder):
    estimator = "logged"


@pytest.mark.parametrize(
    ("replay", "name"),
    [
        (WithLoggedOrder, "the logged order (flattered: clicks are taken as they are)"),
        (WithLoggedOrderWeighted, "logged order"),
    ],
)
def test_the_logged_order_is_flattered_where_clicks_are_taken_as_they_are(replay, name):
    rivals = open_on(GOOD, replay=replay).evidence.rivals
    assert {rival.name for rival in rivals} == {"popularity", "the published defaults", name}


def test_a_rival_is_compared_by_name_on_the_sessions_of_the_test():
    opened = open_on(GOOD, rival_lead=0.02)
    best, defaults = opened.evidence.rivals
    assert best.lead.reference == "popularity"
    assert best.value == pytest.approx(opened.evidence.gain.mean + 0.02)
    assert defaults.lead.reference == "the published defaults"
    assert defaults.lead.gain == pytest.approx(0.03, abs=1e-9), "their gain on the test is 0"
    assert defaults.value == pytest.approx(opened.evidence.gain.mean - 0.03)


def confidences(evidence):
    """Of every interval of it."""
    parts = (evidence.split.refound, evidence.split.new, evidence.split.lasting)
    return {
        *(item.interval.confidence for item in (*parts, *evidence.trend)),
        *(rival.lead.confidence for rival in evidence.rivals),
        evidence.gain.confidence,
        evidence.bystanders.confidence,
    }


def test_every_interval_of_a_further_look_is_widened_but_that_of_tune():
    ledger = InMemory()
    first = open_on(GOOD, ledger=ledger)
    second = open_on(OTHER, ledger=ledger, reopen=True)
    assert confidences(first.evidence) == {look_confidence(1, confidence=0.95)}
    assert confidences(second.evidence) == {look_confidence(2, confidence=0.95)}
    assert second.tune.confidence == first.tune.confidence == 0.95


def test_a_study_that_wants_to_be_surer_is_surer_at_every_look():
    terms = Terms(make_settings(), [], GuardrailsConfig(), replace(JUDGE, confidence=0.99))
    replays = Replays(PlantedReplay, ReplayConfig())
    opened = open_sealed_test([GOOD], replays, terms, seal_of(InMemory()))
    assert opened.evidence.gain.confidence == look_confidence(1, confidence=0.99)
    assert opened.tune.confidence == 0.99


def test_the_evidence_is_made_of_the_replay_of_the_test():
    opened = open_on(GOOD)
    scores, evidence = opened.test_result.sessions, opened.evidence
    assert opened.test_result.metrics["delta_ndcg_at_10"] == pytest.approx(0.03, abs=0.003)
    assert opened.tune_result.metrics["delta_ndcg_at_10"] == pytest.approx(0.06, abs=0.003)
    assert evidence.metrics == opened.test_result.metrics
    judge = replace(JUDGE, confidence=evidence.gain.confidence)
    assert evidence.gain == compare_with_no_adjustment(scores, judge)
    needed = users_needed(scores, "ndcg_at_10", evidence.gain.reference_mean)
    assert evidence.n_needed == needed
    assert evidence.power == power_of(evidence.gain, scores, GuardrailsConfig().min_gain)
    assert evidence.split == split_gain(scores, judge)
    assert evidence.trend == trend_of(scores, judge)
    assert evidence.bystanders.gain == pytest.approx(0.0, abs=0.01)
    assert (evidence.crowding, evidence.unknown_share, evidence.silent_share) == ((), 0.0, 0.5)
    assert (evidence.naive, evidence.weighting, evidence.unidentified) == (None, None, "")


def test_what_is_worth_having_decides_how_much_traffic_would_settle_it():
    asked = GuardrailsConfig(min_gain=0.1)
    opened = open_on(GOOD, guardrails=asked)
    scores, gain = opened.test_result.sessions, opened.evidence.gain
    assert opened.evidence.power == power_of(gain, scores, 0.1) != power_of(gain, scores, 0.005)


def test_sessions_of_unknown_users_are_counted():
    class HalfUnknown(PlantedReplay):
        def _result(self, settings):
            found = super()._result(settings)
            user = np.where(np.arange(600) % 2, found.sessions.user, -1)
            return replace(found, sessions=replace(found.sessions, user=user))

    verdict = open_on(GOOD, replay=HalfUnknown).verdict
    assert verdict.decision == "cannot tell"
    assert verdict.reasons[0].startswith("50% of the sessions have no user")


def test_a_click_log_of_one_fixed_order_is_told_by_its_own_reason():
    told = SimpleNamespace(is_identified=False, reason="The order never moves.")

    class Fixed(PlantedReplay):
        @property
        def objective(self):
            clicks = SimpleNamespace(is_silent=False, identifiability=told)
            return planted_objective(clicks=clicks)

    verdict = open_on(GOOD, replay=Fixed).verdict
    assert (verdict.decision, verdict.reasons) == ("cannot tell", ("The order never moves.",))


def test_how_clicks_were_weighted_is_part_of_the_evidence():
    class Clipped(PlantedReplay):
        @property
        def objective(self):
            bias = SimpleNamespace(effective_clicks=90.0, clipped_share=0.04)
            return planted_objective(bias=bias)

    opened = open_on(GOOD, replay=Clipped)
    assert opened.evidence.weighting == Weighting(effective_clicks=90.0, clipped_share=0.04)


def test_clicks_as_they_are_leave_out_sessions_without_any():
    """A weighted metric knows sessions that were not clicked; NDCG of clicks does not."""

    class Unclicked(WeightedReplay):
        def _result(self, settings):
            found = super()._result(settings)
            rows = found.sessions
            unclicked = np.where(np.arange(600) < 100, np.nan, rows.before["ndcg_at_10"])
            before = {**rows.before, "ndcg_at_10": unclicked}
            return replace(found, sessions=replace(rows, before=before))

    opened = open_weighted(Unclicked, seed=3)
    naive = opened.evidence.naive
    assert naive.n_sessions == 500
    kept = select(opened.test_result.sessions, np.arange(600) >= 100)
    judge = Judge("ndcg_at_10", 3, look_confidence(1, confidence=0.95), 400)
    assert naive == compare_with_no_adjustment(kept, judge)


def test_a_trial_passed_over_does_not_count_as_a_further_look_in_the_notes():
    far = Candidate(1, make_settings(anchor_weight=0.06, adjustment_rate=0.9))
    ledger = InMemory()
    assert not any("opened" in note for note in open_on(far, GOOD, ledger=ledger).verdict.notes)
    opened = open_on(OTHER, ledger=ledger, reopen=True)
    assert opened.passed_over == {}
    assert opened.verdict.notes[-1] == (
        "The test of these data was opened 2 times (trial 12 of one, trial 13 of one). This is "
        "look 2; its intervals are widened for as many."
    )
