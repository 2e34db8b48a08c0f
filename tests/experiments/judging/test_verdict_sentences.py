"""What a verdict says, word for word: each reason, each note and the sentence above them."""

import math
from dataclasses import replace

import pytest

from experiments.config.study import GuardrailsConfig
from experiments.judging.crowding import Crowd
from experiments.judging.evidence import Power, Split, Weighting
from experiments.judging.trend import Trend
from experiments.judging.verdict import beaten_by
from tests.experiments.judging.planted_evidence import (
    EVIDENCE,
    GAIN,
    HARMED,
    judged,
    part,
    rival,
)

FALLING = part(-0.1, -0.15, -0.05)
NO_POWER = Power(detectable=0.017, n_users=280, n_days=30.0, n_needed=math.inf)
WIDE = replace(HARMED, gain=-0.01, low=-0.2, high=0.2)
SMALL = replace(GAIN, gain=0.001, low=-0.01, high=0.012)

REASONS = {
    "nothing was shown": (
        {"metrics": {**EVIDENCE.metrics, "reach": 0.0}},
        "keep off",
        "No scored session showed an adjusted object (reach 0), so nothing could change.",
    ),
    "too far": (
        {"metrics": {**EVIDENCE.metrics, "drift_at_log_end": 0.21}},
        "keep off",
        "Mean drift by the end of the log is .210, above guardrails.max_mean_drift of .200.",
    ),
    "sessions without people": (
        {"unknown_share": 0.4},
        "cannot tell",
        "40% of the sessions have no user, and sessions are not people: a few could have made all "
        "of them. Give users, or dataset.person=session if each is one person's.",
    ),
    "few people": (
        {"gain": replace(GAIN, n_users=19, n_clusters=19)},
        "cannot tell",
        "The test holds 19 users: too few people to speak for others (at least 20).",
    ),
    "a crowd that nobody can leave out": (
        {"crowding": (Crowd("One user stands behind 51% of the clicks", None),)},
        "cannot tell",
        "One user stands behind 51% of the clicks.",
    ),
    "a crowd that makes the gain": (
        {"crowding": (Crowd("One user stands behind 51% of the clicks", SMALL, "that user"),)},
        "cannot tell",
        "One user stands behind 51% of the clicks, and without that user the gain is +.001 "
        "(95 % interval -.010 to +.012).",
    ),
    "re-finding": (
        {"split": Split(part(0.03, 0.02, 0.04), part(-0.009, -0.02, 0.001))},
        "cannot tell",
        "The gain is re-finding: it lies on objects that the same user had clicked before (+.030), "
        "and on new ones there is none (-.009), and little of it lasts a week. "
        "objective.repeat_clicks=ignore leaves such clicks out of the score.",
    ),
    "a loss": (
        {"gain": replace(GAIN, gain=-0.02, low=-0.03, high=-0.01)},
        "keep off",
        "The interval of the gain lies below 0: NDCG@10 clearly falls.",
    ),
    "a small gain": (
        {"gain": replace(GAIN, gain=0.001, low=-0.002, high=0.004)},
        "keep off",
        "Any gain is below guardrails.min_gain of .005: not worth having.",
    ),
    "a gain that turned": (
        {"trend": Trend(late=part(-0.05, -0.08, -0.02), change=FALLING)},
        "keep off",
        "Not now: in the last quarter of the test the gain has turned into a loss "
        "(-.050, 95 % interval -.080 to -.020).",
    ),
    "a gain that fell": (
        {"trend": Trend(late=part(0.01, 0.0, 0.02), change=FALLING)},
        "cannot tell",
        "Not now: the gain is clearly falling, and whether any is left in the last quarter of the "
        "test cannot be told (+.010, 95 % interval .000 to +.020).",
    ),
    "bystanders who lose": (
        {"bystanders": replace(HARMED, n_sessions=1600)},
        "keep off",
        "Queries that gave no feedback lose: NDCG@10 -.040 (95 % interval -.050 to -.030) on 1,600 "
        "sessions.",
    ),
    "bystanders who may lose": (
        {"bystanders": WIDE},
        "cannot tell",
        "Whether queries that gave no feedback lose more than they may cannot be told: -.010 "
        "(95 % interval -.200 to +.200) on 600 sessions, 30% of the traffic, "
        "guardrails.max_bystander_loss .005 over all of it.",
    ),
    "bystanders whom nobody saw": (
        {"bystanders": None},
        "cannot tell",
        "Nothing is known of queries without feedback, 30% of the traffic: none of them was "
        "scored.",
    ),
    "nothing to go by": (
        {"gain": replace(GAIN, low=math.nan, high=math.nan)},
        "cannot tell",
        "The interval of the gain is undetermined: too few users differ. "
        "About 170 users, or 18 days of such traffic, would settle it.",
    ),
    "chance": (
        {"gain": replace(GAIN, low=-0.001)},
        "cannot tell",
        "The interval of the gain includes 0: it may be chance. This test finds gains from +.017 "
        "on. About 170 users, or 18 days of such traffic, would settle it.",
    ),
    "unseen losers": (
        {"n_needed": 2800.0},
        "cannot tell",
        "A gain of +.021 with this skew needs 2,800 users, the test holds 280 users: users who "
        "lose much may not have been seen. "
        "About 2,800 users, or 300 days of such traffic, would settle it.",
    ),
    "unseen losers of any number": (
        {"n_needed": math.inf},
        "cannot tell",
        "A gain of +.021 with this skew needs more users, the test holds 280 users: users who "
        "lose much may not have been seen. "
        "About 170 users, or 18 days of such traffic, would settle it.",
    ),
    "what no traffic settles": (
        {"gain": replace(GAIN, low=-0.001), "power": NO_POWER},
        "cannot tell",
        "The interval of the gain includes 0: it may be chance. This test finds gains from +.017 "
        "on. No amount of such traffic would settle it.",
    ),
    "more traffic than there is": (
        {
            "gain": replace(GAIN, low=-0.001),
            "power": replace(NO_POWER, n_needed=14_000.0),
        },
        "cannot tell",
        "The interval of the gain includes 0: it may be chance. This test finds gains from +.017 "
        "on. About 14,000 users, or 1,500 days of such traffic, would settle it.",
    ),
}


@pytest.mark.parametrize("case", REASONS)
def test_each_reason_says_its_figures_word_for_word(case):
    changes, decision, reason = REASONS[case]
    verdict = judged(**changes)
    assert (verdict.decision, verdict.reasons) == (decision, (reason,))


def test_all_broken_guardrails_are_told_at_once():
    far = {**EVIDENCE.metrics, "drift_at_log_end": 0.21, "harmed_share": 0.31}
    assert judged(GuardrailsConfig(max_harmed_share=0.3), metrics=far).reasons == (
        "Mean drift by the end of the log is .210, above guardrails.max_mean_drift of .200.",
        "The share of harmed sessions is .310, above guardrails.max_harmed_share of .300.",
    )


def test_all_that_is_unclear_is_told_at_once():
    verdict = judged(
        unidentified="The order is fixed.",
        gain=replace(GAIN, n_users=19, n_clusters=19),
        crowding=(Crowd("One query holds 60% of the clicks", None), Crowd("A bot", None)),
    )
    assert verdict.reasons == (
        "The order is fixed.",
        "The test holds 19 users: too few people to speak for others (at least 20).",
        "One query holds 60% of the clicks.",
        "A bot.",
    )


def test_a_gain_of_exactly_the_least_worth_having_may_be_one():
    assert judged(gain=replace(GAIN, gain=0.002, low=0.001, high=0.005)).adopts


def test_a_gain_that_still_holds_for_sure_late_is_adopted_however_it_fell():
    assert judged(trend=Trend(late=part(0.01, 0.002, 0.02), change=FALLING)).adopts
    assert judged(trend=None, split=None).adopts


PLAIN = {"split": None, "trend": None}

NOTES = {
    "clicks as they are": (
        {"naive": HARMED},
        "With clicks taken as they are: -.040 (95 % interval -.050 to -.030).",
    ),
    "clipped weights": (
        {"weighting": Weighting(effective_clicks=90, clipped_share=0.04)},
        "4% of the clicks weigh more than objective.propensity_clip; a click model makes up for "
        "what was cut off.",
    ),
    "a crowd": (
        {"crowding": (Crowd("26 users searched faster than people can", GAIN, "those users"),)},
        "26 users searched faster than people can; without those users the gain is +.021 "
        "(95 % interval +.010 to +.033).",
    ),
    "a split": (
        {"split": EVIDENCE.split},
        "Of the gain, +.006 is on objects that the user clicked before and +.015 on new ones.",
    ),
    "a fall": (
        {"trend": Trend(late=part(0.01, 0.002, 0.02), change=FALLING)},
        "The gain is falling: +.010 in the last quarter.",
    ),
}


@pytest.mark.parametrize("case", NOTES)
def test_each_note_says_its_figures_word_for_word(case):
    changes, note = NOTES[case]
    assert judged(**{**PLAIN, **changes}).notes == (note,)


def test_bystanders_who_are_only_reported_are_noted():
    report = GuardrailsConfig(bystanders="report")
    assert judged(report, bystanders=HARMED, **PLAIN).notes == (
        "Queries that gave no feedback lose -.040 (95 % interval -.050 to -.030); "
        "guardrails.bystanders=report lets this pass.",
    )
    assert judged(report, bystanders=WIDE, **PLAIN).notes == ()
    assert judged(bystanders=HARMED, **PLAIN).notes == ()


def test_where_there_is_nothing_to_add_there_is_no_note():
    assert judged(**PLAIN).notes == ()
    steady = Trend(late=part(0.02, -0.002, 0.042), change=part(-0.002, -0.03, 0.0))
    assert judged(split=None, trend=steady).notes == ()


def test_a_crowd_that_decides_is_a_reason_and_no_note():
    verdict = judged(crowding=(Crowd("A bot", SMALL), Crowd("A scraper", None)), **PLAIN)
    assert verdict.notes == ()
    assert len(verdict.reasons) == 2


FIGURES = (
    "NDCG@10 on the sealed test {change} (95 % interval {low} to +.033, 280 users), "
    "from .701 to .722, at a mean drift of .050."
)


def test_a_decision_against_is_told_with_its_first_reason_and_all_figures():
    assert judged(unidentified="The order is fixed.").sentence == (
        "Cannot tell: the order is fixed; " + FIGURES.format(change="rises by +.021", low="+.010")
    )


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("A: " + "b" * 117, "a: " + "b" * 117),  # 120 characters are told whole
        ("A: " + "b" * 118, "a"),  # of more than that what comes before the first colon
        ("A: b: " + "c" * 118, "a"),
    ],
)
def test_a_long_reason_is_told_up_to_its_colon(reason, told):
    assert judged(unidentified=reason).sentence.startswith(f"Cannot tell: {told}; NDCG@10 on the")


@pytest.mark.parametrize(
    ("gain", "change"),
    [(0.021, "rises by +.021"), (-0.021, "falls by -.021"), (0.0, "changes by .000")],
)
def test_the_sentence_says_which_way_the_metric_went(gain, change):
    sentence = judged(gain=replace(GAIN, gain=gain, low=-0.03)).sentence
    assert sentence == (
        "Cannot tell: the interval of the gain includes 0; "
        + FIGURES.format(change=change, low="-.030")
    )


def test_an_interval_says_its_confidence_to_a_tenth_of_a_percent():
    sentence = judged(gain=replace(GAIN, confidence=0.99484)).sentence
    assert "by +.021 (99.5 % interval +.010 to +.033, 280 users)" in sentence


def test_ends_that_nobody_knows_are_called_so_one_by_one():
    high = judged(gain=replace(GAIN, high=math.nan)).sentence
    assert "by +.021 (95 % interval +.010 to undetermined, 280 users)" in high
    both = judged(gain=replace(GAIN, low=math.nan, high=math.nan)).sentence
    assert "by +.021 (95 % interval undetermined, 280 users)" in both


def test_what_is_better_and_what_is_as_good_are_listed_once_each():
    better = [rival(name, 0.8, -0.1, -0.2, -0.05) for name in "abc"]
    equal = [rival(name, 0.7, 0.0, low, 0.1) for name, low in (("d", -0.1), ("e", 0.0))]
    assert beaten_by(tuple(better)) == "a (.800), b (.800) and c (.800) are better"
    assert beaten_by(tuple(equal)) == "it is not clearly ahead of d (.700) and e (.700)"
    assert beaten_by((better[0], equal[0])) == (
        "a (.800) is better, and it is not clearly ahead of d (.700)"
    )


def test_a_decision_against_keeps_its_notes():
    verdict = judged(unidentified="The order is fixed.", naive=HARMED, **PLAIN)
    assert verdict.notes == (
        "With clicks taken as they are: -.040 (95 % interval -.050 to -.030).",
    )
