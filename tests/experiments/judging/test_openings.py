"""The seal belongs to the data: every look is counted, whoever looks."""

import pytest

from experiments.common.errors import InputError
from experiments.judging.openings import DRIFT, SCORES, Opening, look_at, open_seal, was_opened
from tests.experiments.judging.ledger_in_memory import InMemory


def opening(trial=1, setting="a", study="one", at=100, sees=SCORES):
    return Opening(study, trial, "last 30 %", "NDCG@10", setting, sees, at)


def test_the_first_look_is_written_down_under_the_lock():
    ledger = InMemory()
    look = open_seal([ledger], "f", opening(), reopen=False)
    assert look.number == 1
    assert look.openings == (opening(),)
    assert ledger.kept == {"f": [opening().to_dict()]}
    assert ledger.written_at == [1]


def test_the_same_setting_again_is_the_same_look():
    ledger = InMemory()
    open_seal([ledger], "f", opening(), reopen=False)
    again = open_seal([ledger], "f", opening(study="another name", at=200), reopen=False)
    assert again.number == 1
    assert len(ledger.kept["f"]) == 1


def test_another_study_of_the_same_data_meets_the_same_seal():
    ledger = InMemory()
    open_seal([ledger], "f", opening(), reopen=False)
    with pytest.raises(InputError, match="opened on trial 1 of study one") as caught:
        open_seal([ledger], "f", opening(7, "b", "two"), reopen=False)
    assert "reopen=true" in str(caught.value)
    assert len(ledger.kept["f"]) == 1, "a refused look leaves nothing"


def test_a_test_is_opened_once_scores_were_seen_and_not_by_its_drift():
    ledger, other = InMemory(), InMemory()
    assert not was_opened([ledger, other], "f")
    open_seal([ledger], "f", opening(sees=DRIFT), reopen=False)
    assert not was_opened([ledger, other], "f")
    open_seal([other], "f", opening(), reopen=False)
    assert was_opened([ledger, other], "f")
    assert not was_opened([ledger, other], "g")


def test_a_further_look_is_counted_for_ever():
    ledger = InMemory()
    open_seal([ledger], "f", opening(), reopen=False)
    second = open_seal([ledger], "f", opening(7, "b", "two", 200), reopen=True)
    assert second.number == 2
    assert open_seal([ledger], "f", opening(), reopen=False).number == 1
    third = open_seal([ledger], "f", opening(9, "c", "two", 300), reopen=True)
    assert third.number == 3
    assert [item.setting for item in third.openings] == ["a", "b", "c"]


def test_other_data_are_sealed_still():
    ledger = InMemory()
    open_seal([ledger], "f", opening(), reopen=False)
    assert open_seal([ledger], "g", opening(setting="b"), reopen=False).number == 1


def test_what_one_ledger_knows_the_other_learns():
    here, shared = InMemory(), InMemory()
    open_seal([shared], "f", opening(), reopen=False)
    with pytest.raises(InputError):
        open_seal([here, shared], "f", opening(2, "b"), reopen=False)
    look = open_seal([here, shared], "f", opening(2, "b", at=300), reopen=True)
    assert look.number == 2
    assert [item["setting"] for item in here.kept["f"]] == ["a", "b"]
    assert [item["setting"] for item in shared.kept["f"]] == ["a", "b"]


def test_a_setting_that_was_never_opened_has_no_look():
    ledger = InMemory()
    open_seal([ledger], "f", opening(), reopen=False)
    assert look_at([ledger], "f", "b") is None
    assert look_at([ledger], "f", "a").number == 1


@pytest.mark.parametrize(
    "damaged", [{}, {**opening().to_dict(), "trial": "x"}, {**opening().to_dict(), "more": 1}, 3]
)
def test_a_damaged_ledger_is_said_by_name(damaged):
    ledger = InMemory()
    ledger.kept["f"] = [damaged]
    with pytest.raises(InputError, match="sealed tests in memory is damaged"):
        open_seal([ledger], "f", opening(), reopen=False)


def test_reading_the_drift_is_written_down_and_is_no_look():
    ledger = InMemory()
    open_seal([ledger], "f", opening(3, "a", sees=DRIFT), reopen=False)
    assert look_at([ledger], "f", "a") is None
    first = open_seal([ledger], "f", opening(5, "b"), reopen=False)
    assert first.number == 1, "the drift of another setting costs nothing"
    assert [item.sees for item in first.openings] == [DRIFT, SCORES]


def test_the_drift_of_another_setting_is_sealed_once_scores_were_seen():
    ledger = InMemory()
    open_seal([ledger], "f", opening(5, "b"), reopen=False)
    with pytest.raises(InputError, match="was opened on trial 5"):
        open_seal([ledger], "f", opening(3, "a", sees=DRIFT), reopen=False)
