"""The answer and the verdict in words."""

import math
from dataclasses import replace

import pytest

from experiments.review.answer import SEALED, row_name, verdict_lines
from tests.experiments.planted_records import sealed
from tests.experiments.planted_trials import GAIN, record, summary


def answer(found) -> str:
    """The first sentence and those beside it."""
    lines = verdict_lines(found, best=None)
    return " ".join([lines.sentence, *(line for line in lines.more if line != SEALED)])


def opened(**changed):
    """A study whose trials 12 and 3 were tried, 3 the best on tune, and whose test was opened."""
    records = [replaced(12, 0.74, 0.02), replaced(3, 0.75, 0.5)]
    return summary(records).with_sealed(sealed(**changed), records)


def replaced(number, value, rate):
    made = record(number, value)
    made.values["adjustment_rate"] = rate
    return made


def test_a_gain_is_worth_the_sealed_test_corrected_for_having_been_chosen():
    line = answer(summary([record(0, 0.75)]))
    assert line.startswith(
        "Worth opening the sealed test: NDCG@10 on tune gains +.040 over .700 (95% interval +.010 "
        "to +.070, corrected for being the best of 12 trials)."
    )
    assert "adjustment_rate=0.01" in line


@pytest.mark.parametrize("low", [-0.01, 0.0, math.nan])
def test_a_gain_that_may_be_the_luck_of_the_best_is_not_called_one(low):
    line = answer(summary([record(0, 0.75)], gain=replace(GAIN, low=low)))
    assert line.startswith("Tune cannot tell whether adjustment helps: NDCG@10 gains +.040")


def test_without_gains_by_user_nothing_is_promised():
    line = answer(summary([record(0, 0.75)], gain=None))
    assert line.startswith("Open the sealed test: tune alone cannot say")


def test_no_gain_is_keep_off():
    assert answer(summary([record(0, 0.69)])).startswith("Keep adjustment off")


def test_nothing_within_the_guardrails_is_keep_off():
    assert "no trial ended within the guardrails" in answer(summary([record(0, 0.75, drift=0.9)]))


def test_a_baseline_that_beats_the_best_is_said():
    line = answer(summary([record(0, 0.75)], popularity=0.8))
    assert line.endswith("Popularity is higher at .800, without a vector.")


def test_the_logged_order_is_no_such_baseline():
    assert "logged" not in answer(summary([record(0, 0.75)]))


def test_reach_zero_is_said_in_words():
    unreached = record(0, 0.7)
    unreached.outcome.metrics["reach"] = 0.0
    assert "reach is 0" in answer(summary([unreached]))


def test_settings_equal_to_the_published_defaults_are_not_repeated():
    published = record(0, 0.71, origin="published_defaults")
    best = record(1, 0.75)
    best.values["adjustment_rate"] = 0.5
    line = answer(summary([published, best]))
    assert "Best on tune, adjustment_rate=0.5." in line


def test_a_sealed_test_says_which_command_opens_it():
    opening = "python -m experiments.export study=autumn"
    lines = verdict_lines(summary([record(3, 0.75)]), best=3, opening=opening)
    assert lines.headline == "Worth opening the sealed test"
    assert lines.more[0] == "Best on tune: trial 3, adjustment_rate=0.01, max_drift=None."
    assert lines.more[-1] == "Not decided yet: the sealed test has not been opened."
    assert lines.command == opening
    assert lines.decision == ""


def test_nothing_is_opened_where_nothing_is_hoped_for():
    lines = verdict_lines(summary([record(0, 0.69)]), best=0, opening="export")
    assert (lines.command, lines.more) == ("", ())


def test_a_verdict_has_a_headline_a_sentence_and_all_further_reasons():
    lines = verdict_lines(opened(decision="keep off", text="it may be chance."), best=12)
    assert (lines.decision, lines.headline) == ("keep off", "Keep off")
    assert lines.explanation == "It may be chance."
    assert lines.more == ("Second reason.", "A note.")
    assert lines.command == ""


def test_what_is_adopted_is_shown_and_not_the_best_on_tune():
    found = opened()
    assert verdict_lines(found, best=3).more[0] == (
        "Adopted: trial 12, adjustment_rate=0.02, max_drift=None."
    )
    assert (found.best.trial, found.tune_best.trial) == (12, 3)
    assert row_name(found, "best") == "adopted (trial 12)"
    assert row_name(found, "tune_best") == "best on tune"


def test_what_is_not_adopted_leaves_the_best_on_tune():
    found = opened(decision="cannot tell")
    assert found.best == found.tune_best
    assert "tune_best" not in found.rows
    assert row_name(found, "best") == "best"


def test_a_test_opened_on_another_trial_is_said():
    told = "The verdict is on trial 12; the best on the tune sessions is trial 3."
    assert verdict_lines(opened(), best=3).more[-1] == told
    assert told not in verdict_lines(opened(), best=12).more
    assert told not in verdict_lines(opened(), best=None).more


def test_the_first_sentence_is_the_summarys_own():
    for found in (summary([record(0, 0.75)]), summary([]), opened(), opened(decision="keep off")):
        assert verdict_lines(found, best=None).sentence == found.answer
        assert found.to_dict()["answer"] == found.answer


def test_the_best_is_compared_with_every_baseline_that_was_scored():
    found = summary([record(0, 0.75)])
    rocchio = replace(found.no_adjustment, metrics={"ndcg_at_10": 0.76, "reach": 0.0})
    found = replace(found, baselines={**found.baselines, "rocchio": rocchio})
    assert "Rocchio is higher at .760" in answer(found)
    headroom = replace(found, baselines={**found.baselines, "headroom": rocchio})
    assert "eadroom" not in answer(headroom), "it knows the future and is no rival"
