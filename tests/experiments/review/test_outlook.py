"""The outlook in words: calm, at most five lines, the fifth where a study is hopeless."""

import math
from dataclasses import replace

import pytest

from adjuster.live.monitoring.plan import InterleavingPlan
from experiments.judging.outlook import UNKNOWN, Detectable
from experiments.replay.position.identifiability import Movement
from experiments.review.outlook import HOPELESS, interleaving_line, outlook_lines
from tests.experiments.judging.test_outlook import OUTLOOK, TEST


def last(**changes) -> str:
    lines = outlook_lines(replace(OUTLOOK, **changes))
    assert len(lines) == 5
    return lines[-1]


def test_four_lines_say_what_the_data_can_tell():
    assert outlook_lines(OUTLOOK) == (
        "Scored by NDCG@10: Because.",
        "Order shown: 5 of 10 (query, object) pairs at two or more positions; rank correlation "
        "+0.10 with the vectors' order, +0.20 with past clicks; about 30% of the sessions in "
        "random order.",
        "Sealed test: 120 of 150 sessions and 100 of 110 users can be scored: 30 show no click.",
        "At stake: the test finds gains from about +.020 on (four times in five); headroom on tune "
        "+.050 (the best of rankings by all other clicks and the published defaults).",
    )


def test_what_is_not_known_is_said_to_be_so():
    nan = math.nan
    bare = replace(
        OUTLOOK,
        movement=Movement(10, 5, nan, nan, nan, nan),
        detectable=UNKNOWN,
        reference="",
        headroom=nan,
    )
    lines = outlook_lines(bare)
    assert len(lines) == 4
    assert "unknown with the vectors' order, unknown with past clicks" in lines[1]
    assert "an unknown share of the sessions" in lines[1]
    assert lines[3].endswith("(the best of rankings by all other clicks).")
    assert "what gain the test finds is not known; headroom on tune undetermined" in lines[3]


def test_sessions_that_cannot_be_scored_are_told_with_the_reason():
    test = replace(
        TEST, n_sessions=177, n_scorable=86, n_withheld=1, n_unknown=2, lacking="relevant result"
    )
    line = outlook_lines(replace(OUTLOOK, test=test))[2]
    assert line.startswith("Sealed test: 86 of 177 sessions and 100 of 110 users can be scored: ")
    assert line.endswith(
        "90 show no relevant result, 1 are withheld as bystanders, 2 of those scored have no "
        "known user."
    )


def test_a_whole_test_needs_no_reasons_and_none_is_said_to_be_none():
    whole = replace(TEST, n_sessions=120)
    assert outlook_lines(replace(OUTLOOK, test=whole))[2].endswith("users can be scored.")
    none = replace(TEST, n_sessions=0, n_scorable=0, n_scorable_users=0, n_users=0)
    assert "leaves no session" in outlook_lines(replace(OUTLOOK, test=none))[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reach": 0.0}, "feedback reaches no scored session"),
        ({"unidentified": "Because."}, "told apart, so the verdict can only be cannot tell."),
        ({"unidentified": "Fixed, so."}, "the verdict can only be cannot tell (fixed, so)."),
        ({"test": replace(TEST, n_scorable_users=1)}, "1 user on the test, at least 20 needed."),
        ({"test": replace(TEST, n_unknown=60)}, "50% of the test's scored sessions have no user"),
        ({"headroom": 0.001}, "below a gain worth having (guardrails.min_gain .005)."),
        ({"detectable": Detectable(0.2, 1234.0)}, "; about 1,234 users would find it."),
        ({"detectable": Detectable(0.2, 8.0)}, "; about 20 users would find it."),
        ({"detectable": Detectable(0.2, math.nan)}, "a gain as large as the headroom."),
    ],
)
def test_a_hopeless_study_is_called_so_with_the_reason(change, words):
    assert last(**change).startswith(f"{HOPELESS}: ")
    assert words in last(**change)


def test_several_reasons_stand_in_one_line():
    text = last(headroom=0.0, test=replace(TEST, n_scorable_users=5), unidentified="Because.")
    assert text.count(";") == 2


def test_what_interleaving_takes_is_said_in_numbers():
    told = interleaving_line(InterleavingPlan(0.03, 0.5, 18556, 37.1))
    assert "interleaved, to 50% of the users: a true gain of +.030 is seen four times in" in told
    assert "within 18,556 of their sessions, about 37 days of this log's traffic" in told
    assert "about a day or less of" in interleaving_line(InterleavingPlan(0.3, 0.5, 9, 0.2))
    assert interleaving_line(None).startswith("No number of interleaved sessions would tell")
