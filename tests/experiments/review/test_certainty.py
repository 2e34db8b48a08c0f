"""How sure an answer is: what each question is answered with."""

import math
from dataclasses import replace

from experiments.judging.evidence import Power
from experiments.review.certainty import NOT_CROWDED, certainty_rows
from tests.experiments.planted_records import comparison, sealed, summary


def answers(**changed):
    """Question → answer of a test whose evidence was changed so."""
    record = sealed()
    test = replace(record.test, evidence=replace(record.test.evidence, **changed))
    return dict(certainty_rows(summary(sealed=replace(record, test=test))))


def test_the_interval_and_the_look_are_told():
    assert "+.020 (+.010 to +.030) over 120 users" in answers()["Could it be chance?"]
    assert "lies above 0. It is look 1" in answers()["Could it be chance?"]
    unsure = answers(gain=comparison(low=-0.01))["Could it be chance?"]
    assert "includes 0" in unsure
    open_end = answers(gain=comparison(low=math.nan))["Could it be chance?"]
    assert "an end that these data leave open" in open_end


def test_what_would_settle_it_is_told_only_where_nothing_is_settled():
    power = Power(0.015, 120, 30.4, 900)
    found = "True gains from about +.015 on, four times in five: it holds 120 users over 30 days."
    assert answers(power=power)["What could this test find?"] == found
    unsure = answers(power=power, gain=comparison(low=-0.01))["What could this test find?"]
    assert unsure == f"{found} About 900 users would settle this gain."
    nothing = Power(math.inf, 1, 0.0, math.inf)
    assert answers(power=nothing)["What could this test find?"].startswith("Nothing")


def test_a_fixed_order_is_told_in_its_own_words():
    assert answers(unidentified="Nothing moved.")["Is it relevance, or position?"] == (
        "Nothing moved."
    )


def test_people_and_crowds_are_told():
    told = answers(unknown_share=0.25, crowding=())["Are these many people?"]
    assert told == f"25 % of the scored sessions have no known user. {NOT_CROWDED}"
    assert "Every scored session" in answers(unknown_share=0.0)["Are these many people?"]


def test_a_sealed_test_leaves_what_tune_says():
    rows = dict(certainty_rows(summary()))
    assert "corrected for being the best of" in rows["Could it be chance?"]
    assert "not opened" in rows["What is not known yet?"]
    assert "Nothing is known yet" in str(certainty_rows(replace(summary(), tune_gain=None)))
