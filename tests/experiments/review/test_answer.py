"""The answer and the verdict in words."""

import math
from dataclasses import replace

import pytest

from experiments.review.answer import answer, verdict_lines
from tests.experiments.planted_records import sealed
from tests.experiments.planted_trials import GAIN, record, summary


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
    assert "Best: adjustment_rate=0.5." in line


def test_a_sealed_test_says_which_command_opens_it():
    lines = verdict_lines(None, best=3, opening="python -m experiments.export study=autumn")
    assert lines.headline == "Not decided yet"
    assert lines.explanation == "The sealed test has not been opened."
    assert lines.command == "python -m experiments.export study=autumn"
    assert lines.decision == ""


def test_a_verdict_has_a_headline_a_sentence_and_all_further_reasons():
    lines = verdict_lines(sealed("keep off", text="it may be chance."), best=12)
    assert (lines.decision, lines.headline) == ("keep off", "Keep off")
    assert lines.explanation == "It may be chance."
    assert lines.more == ("Second reason.", "A note.")
    assert lines.command == ""


def test_a_test_opened_on_another_trial_is_said():
    told = "The verdict is on trial 12; the best on the tune sessions is trial 3."
    assert verdict_lines(sealed(), best=3).more[-1] == told
    assert told not in verdict_lines(sealed(), best=12).more
    assert told not in verdict_lines(sealed(), best=None).more


def test_the_best_is_compared_with_every_baseline_that_was_scored():
    found = summary([record(0, 0.75)])
    rocchio = replace(found.no_adjustment, metrics={"ndcg_at_10": 0.76, "reach": 0.0})
    found = replace(found, baselines={**found.baselines, "rocchio": rocchio})
    assert "Rocchio is higher at .760" in answer(found)
    headroom = replace(found, baselines={**found.baselines, "headroom": rocchio})
    assert "eadroom" not in answer(headroom), "it knows the future and is no rival"
