"""The verdict's rule: each thing that must hold, alone, and what is never counted for a side."""

import math
from dataclasses import replace

import pytest

from experiments.config.study import GuardrailsConfig
from experiments.judging.crowding import Crowd
from experiments.judging.evidence import Split, Weighting
from experiments.judging.trend import Trend
from experiments.judging.verdict import (
    ADOPT,
    CANNOT_TELL,
    FEWEST_USERS,
    KEEP_OFF,
    beaten_by,
)
from tests.experiments.judging.planted_evidence import (
    EVIDENCE,
    GAIN,
    HARMED,
    judged,
    part,
    rival,
)


def test_a_clear_gain_within_the_guardrails_is_adopted():
    verdict = judged()
    assert verdict.decision == ADOPT
    assert verdict.adopts
    assert verdict.reasons == ()
    assert verdict.sentence == (
        "Adopt: NDCG@10 on the sealed test rises by +.021 (95 % interval +.010 to +.033, "
        "280 users), from .701 to .722, at a mean drift of .050."
    )


@pytest.mark.parametrize("low", [0.0, -0.001])
def test_an_interval_that_includes_zero_cannot_tell_and_says_what_would(low):
    verdict = judged(gain=replace(GAIN, low=low))
    assert verdict.decision == CANNOT_TELL
    (reason,) = verdict.reasons
    assert reason.startswith("The interval of the gain includes 0")
    assert "This test finds gains from +.017 on" in reason
    assert "About 170 users, or 18 days of such traffic, would settle it." in reason


@pytest.mark.parametrize("low", [0.0, -0.004, math.nan])
def test_a_gain_that_tune_does_not_show_cannot_tell(low):
    tune = replace(GAIN, gain=0.005, low=low, high=0.014)
    verdict = judged(tune=tune)
    assert verdict.decision == CANNOT_TELL
    assert verdict.sentence.startswith("Cannot tell: only the test shows it; NDCG@10")
    (reason,) = verdict.reasons
    assert "on tune, which chose this setting, the gain is +.005" in reason
    assert judged(tune=replace(tune, low=0.0001)).decision == ADOPT


def test_what_tune_shows_is_no_gain_by_itself():
    assert judged(gain=replace(GAIN, low=-0.001)).decision == CANNOT_TELL
    lost = replace(GAIN, gain=-0.02, low=-0.03, high=-0.01)
    assert judged(gain=lost, tune=lost).decision == KEEP_OFF


def test_a_clear_loss_keeps_off():
    verdict = judged(gain=replace(GAIN, gain=-0.02, low=-0.03, high=-0.01, mean=0.681))
    assert verdict.decision == KEEP_OFF
    assert verdict.reasons == ("The interval of the gain lies below 0: NDCG@10 clearly falls.",)
    assert "falls by -.020" in verdict.sentence


def test_a_loss_that_touches_zero_is_not_called_clear():
    verdict = judged(gain=replace(GAIN, gain=-0.02, low=-0.04, high=0.0))
    assert "clearly falls" not in verdict.reasons[0]


def test_no_gain_worth_having_keeps_off():
    small = replace(GAIN, gain=0.001, low=-0.002, high=0.004)
    assert judged(gain=small).decision == KEEP_OFF
    assert "guardrails.min_gain of .005" in judged(gain=small).reasons[0]
    assert judged(GuardrailsConfig(min_gain=0.004), gain=small).decision == CANNOT_TELL


def test_an_undetermined_end_cannot_tell_and_is_shown_as_such():
    verdict = judged(gain=replace(GAIN, low=math.nan))
    assert verdict.decision == CANNOT_TELL
    assert verdict.reasons[0].startswith("The interval of the gain is undetermined")
    assert "95 % interval undetermined to +.033" in verdict.sentence


def test_reach_zero_keeps_off_whatever_else():
    metrics = {**EVIDENCE.metrics, "reach": 0.0}
    verdict = judged(metrics=metrics, unidentified="The order is fixed.")
    assert verdict.decision == KEEP_OFF
    assert "nothing could change" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("metric", "value", "guardrails", "said"),
    [
        ("drift_at_log_end", 0.21, GuardrailsConfig(), "Mean drift by the end of the log is .210"),
        (
            "drift_at_log_end",
            math.nan,
            GuardrailsConfig(),
            "Mean drift by the end of the log is nan",
        ),
        (
            "harmed_share",
            0.31,
            GuardrailsConfig(max_harmed_share=0.3),
            "The share of harmed sessions is .310, above",
        ),
    ],
)
def test_a_broken_guardrail_keeps_off(metric, value, guardrails, said):
    verdict = judged(guardrails, metrics={**EVIDENCE.metrics, metric: value})
    assert verdict.decision == KEEP_OFF
    assert verdict.reasons[0].startswith(said)


def test_a_guardrail_is_kept_at_its_very_bound_and_lifted_by_null():
    at = {**EVIDENCE.metrics, "drift_at_log_end": 0.2}
    assert judged(metrics=at).adopts
    above = {**EVIDENCE.metrics, "drift_at_log_end": 1.2}
    assert judged(GuardrailsConfig(max_mean_drift=None), metrics=above).adopts


def test_a_fixed_order_cannot_tell_however_large_the_gain():
    verdict = judged(unidentified="Every query shows its results in one fixed order.")
    assert verdict.decision == CANNOT_TELL
    assert verdict.reasons == ("Every query shows its results in one fixed order.",)
    assert verdict.sentence.startswith("Cannot tell: every query shows its results in one fixed")


def test_sessions_without_user_are_not_people():
    assert judged(unknown_share=0.05).adopts
    verdict = judged(unknown_share=0.4)
    assert verdict.decision == CANNOT_TELL
    assert "40% of the sessions have no user" in verdict.reasons[0]
    assert "dataset.person=session" in verdict.reasons[0]


def test_a_handful_of_people_cannot_tell():
    few = replace(GAIN, n_users=FEWEST_USERS - 1, n_clusters=FEWEST_USERS - 1)
    assert judged(gain=few, n_needed=3.0).decision == CANNOT_TELL
    assert "too few people" in judged(gain=few).reasons[0]
    enough = replace(GAIN, n_users=FEWEST_USERS, n_clusters=FEWEST_USERS)
    assert judged(gain=enough, n_needed=3.0).adopts


def test_a_gain_that_unseen_losers_could_undo_cannot_tell():
    verdict = judged(n_needed=281.0)
    assert verdict.decision == CANNOT_TELL
    assert "needs 281 users" in verdict.reasons[0]
    assert judged(n_needed=280.0).adopts
    assert "needs more users" in judged(n_needed=math.inf).reasons[0]


@pytest.mark.parametrize("without", [None, replace(GAIN, gain=0.001, low=-0.01, high=0.012)])
def test_crowded_clicks_cannot_tell_where_the_gain_does_not_stand_without(without):
    verdict = judged(crowding=(Crowd("One user stands behind 51% of the clicks", without),))
    assert verdict.decision == CANNOT_TELL
    assert "one user stands behind 51% of the clicks" in verdict.sentence


def test_a_gain_that_stands_without_the_crowd_is_adopted_and_says_so():
    verdict = judged(crowding=(Crowd("One user stands behind 51% of the clicks", GAIN),))
    assert verdict.decision == ADOPT
    assert any(
        note.startswith("One user stands behind 51% of the clicks; without it the gain is +.")
        for note in verdict.notes
    )


def test_refinding_is_called_by_its_name():
    verdict = judged(split=Split(part(0.03, 0.02, 0.04), part(-0.009, -0.02, 0.001)))
    assert verdict.decision == CANNOT_TELL
    assert verdict.reasons[0].startswith("The gain is re-finding")
    assert "objective.repeat_clicks=ignore" in verdict.reasons[0]
    unsure = Split(part(0.03, -0.001, 0.06), part(-0.009, -0.02, 0.001))
    assert judged(split=unsure).adopts


def test_a_gain_that_turned_into_a_loss_is_not_for_now():
    late = Trend(late=part(-0.05, -0.08, -0.02), change=part(-0.1, -0.15, -0.05))
    verdict = judged(trend=late)
    assert verdict.decision == KEEP_OFF
    assert verdict.sentence.startswith("Keep off: not now")


def test_a_gain_that_fell_to_nobody_knows_what_cannot_tell():
    falling = part(-0.1, -0.15, -0.05)
    verdict = judged(trend=Trend(late=part(-0.05, -0.08, 0.0), change=falling))
    assert verdict.decision == CANNOT_TELL
    assert verdict.sentence.startswith("Cannot tell: not now")
    assert "(-.050, 95 % interval -.080 to .000)" in verdict.reasons[0]
    still = judged(trend=Trend(late=part(0.01, 0.002, 0.02), change=falling))
    assert still.adopts
    assert any("The gain is falling" in note for note in still.notes)


def test_bystanders_who_pay_keep_off_unless_only_reported():
    assert judged(bystanders=HARMED).decision == KEEP_OFF
    assert (
        "Queries that gave no feedback lose: NDCG@10 -.040" in judged(bystanders=HARMED).reasons[0]
    )
    reported = judged(GuardrailsConfig(bystanders="report"), bystanders=HARMED)
    assert reported.adopts
    assert any("lets this pass" in note for note in reported.notes)


def test_bystanders_may_lose_their_share_of_the_margin():
    """.005 over all traffic is .01 for half of it, and .05 for a tenth."""
    losing = replace(HARMED, gain=-0.02, low=-0.03, high=-0.012)
    assert judged(bystanders=losing, silent_share=0.5).decision == KEEP_OFF
    assert judged(bystanders=losing, silent_share=0.1).adopts
    at_zero = replace(HARMED, gain=-0.001, low=-0.002, high=0.0)
    assert judged(bystanders=at_zero, silent_share=1.0).adopts


def test_no_evidence_on_bystanders_is_not_a_pass():
    wide = replace(HARMED, gain=-0.01, low=-0.2, high=0.2)
    assert judged(bystanders=wide).decision == CANNOT_TELL
    assert judged(bystanders=None).decision == CANNOT_TELL
    assert "30% of the traffic" in judged(bystanders=None).reasons[0]
    assert judged(bystanders=None, silent_share=0.0).adopts
    assert judged(GuardrailsConfig(bystanders="report"), bystanders=None).adopts


def test_the_sentence_says_what_beats_it():
    rivals = (
        rival("popularity", 0.828, -0.1, -0.12, -0.08),
        rival("the published defaults", 0.724, -0.002, -0.008, 0.004),
        rival("Rocchio", 0.702, 0.02, 0.01, 0.03),
    )
    verdict = judged(rivals=rivals)
    assert verdict.adopts
    assert verdict.sentence.endswith(
        "at a mean drift of .050; popularity (.828) is better, and it is not clearly ahead of the "
        "published defaults (.724)."
    )


def test_what_the_finalist_is_not_clearly_ahead_of_is_named():
    assert beaten_by((rival("a", 0.7, 0.0, math.nan, math.nan),)) == (
        "it is not clearly ahead of a (.700)"
    )
    assert beaten_by((rival("a", 0.7, 0.02, 0.01, 0.03),)) == ""
    both = (rival("a", 0.8, -0.1, -0.2, -0.05), rival("b", 0.7, -0.1, -0.2, -0.05))
    assert beaten_by(both) == "a (.800) and b (.700) are better"


def test_clicks_as_they_are_and_what_was_cut_off_stand_beside_the_verdict():
    notes = judged(naive=HARMED, weighting=Weighting(effective_clicks=90, clipped_share=0.04)).notes
    assert any(note.startswith("With clicks taken as they are: -.040") for note in notes)
    assert any(note.startswith("4% of the clicks weigh more than") for note in notes)
    whole = judged(weighting=Weighting(effective_clicks=90, clipped_share=0.0))
    assert not any("weigh more" in note for note in whole.notes)


def test_the_first_reason_decides():
    """A log that cannot tell is not kept off for a small gain, nor adopted for a large one."""
    small = replace(GAIN, gain=0.001, low=-0.002, high=0.004)
    assert judged(gain=small, unidentified="Fixed.").decision == CANNOT_TELL
