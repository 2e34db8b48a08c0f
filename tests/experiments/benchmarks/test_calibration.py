"""The counts, the bound and the table of verdicts on logs whose truth is known."""

import numpy as np
import pytest
from scipy.stats import binom

from experiments.benchmarks import calibration
from experiments.benchmarks.calibration import count, largest_share, measured
from experiments.benchmarks.known_truth import Answer
from experiments.common.errors import InputError
from experiments.data.made.kinds import EFFECTS, KINDS, POPULARITY, TRAPS
from experiments.judging.verdict import Verdict
from experiments.study_folder.judged_records import SealedRecord

TRAP = next(kind for kind in TRAPS if kind.says is None)
SPOKEN = next(kind for kind in TRAPS if kind.says is not None)


def answer_of(kind, decision, sentence="", *, reasons=(), notes=()):
    return Answer(kind, 0, SealedRecord(Verdict(decision, sentence, reasons, notes), test=None))


@pytest.mark.parametrize(
    ("kind", "decision", "is_wrong"),
    [
        (TRAP, "adopt", True),
        (TRAP, "keep off", False),
        (TRAP, "cannot tell", False),
        (EFFECTS[0], "adopt", False),
        (EFFECTS[0], "keep off", True),
        (EFFECTS[0], "cannot tell", False),
    ],
)
def test_wrong_is_what_is_none_of_the_right_verdicts(kind, decision, is_wrong):
    assert answer_of(kind, decision).is_wrong == is_wrong


@pytest.mark.parametrize("kind", [TRAP, EFFECTS[0]])
def test_a_study_without_a_finalist_says_nothing_wrong(kind):
    answer = Answer(kind, 0, None)
    assert (answer.decision, answer.is_wrong, answer.says_so) == ("no finalist", False, False)
    assert count([answer])["no finalist"] == 1


def test_a_gain_that_popularity_has_too_may_be_adopted_where_that_is_said():
    assert answer_of(POPULARITY, "adopt", "NDCG rises.").is_wrong
    assert not answer_of(POPULARITY, "adopt", "NDCG rises; popularity is better.").is_wrong
    assert not answer_of(POPULARITY, "cannot tell").is_wrong


@pytest.mark.parametrize("place", ["sentence", "reasons", "notes"])
def test_what_must_be_said_may_stand_anywhere_in_the_verdict(place):
    words = f"Because of the {SPOKEN.says}."
    said = words if place == "sentence" else (words,)
    assert answer_of(SPOKEN, "cannot tell", **{place: said}).says_so
    assert not answer_of(SPOKEN, "cannot tell").says_so


def test_decisions_are_counted_by_kind_and_over_all_traps_and_effects():
    found = [
        *(answer_of(TRAP, decision) for decision in ("adopt", "keep off", "keep off")),
        answer_of(SPOKEN, "cannot tell"),
        *(answer_of(EFFECTS[0], decision) for decision in ("adopt", "keep off", "cannot tell")),
        answer_of(POPULARITY, "keep off"),
    ]
    figures = measured(found).figures
    decisions = ("adopt", "keep_off", "cannot_tell", "wrong")

    def counts(name):
        return [figures[f"calibration.{name}.{item}"] for item in ("logs", *decisions)]

    assert counts("all_traps") == [4, 1, 2, 1, 1]
    assert counts("all_effects") == [3, 1, 1, 1, 1]
    assert counts("popularity_only") == [1, 0, 1, 0, 0]
    assert counts("per_user_effect_decay_0") == [3, 1, 1, 1, 1]
    assert count(found[:3])["wrong"] == 1


def test_the_table_has_a_row_a_kind_in_the_catalogues_order_and_no_row_of_nothing():
    found = [answer_of(kind, "cannot tell") for kind in reversed(KINDS[:3])]
    lines = measured(found).table.splitlines()
    assert lines[0].startswith("kind of log")
    names = [*(kind.name for kind in KINDS[:3]), "all traps"]
    assert [line.split("  ")[0] for line in lines[1:]] == names


@pytest.mark.parametrize(("wrong", "n"), [(0, 20), (1, 20), (3, 7), (19, 20)])
def test_at_the_bound_so_few_wrong_ones_come_once_in_twenty_times(wrong, n):
    assert binom.cdf(wrong, n, largest_share(wrong, n)) == pytest.approx(0.05)


def test_the_bound_holds_the_true_share_in_19_of_20_samples():
    share, n = 0.1, 30
    wrong = np.arange(n + 1)
    missed = [largest_share(int(k), n) < share for k in wrong]
    assert binom.pmf(wrong, n, share)[missed].sum() <= 0.05


def test_logs_and_kinds_are_picked(monkeypatch):
    asked = []

    def answers(kinds, n_logs, *, seed):
        asked.append(([kind.name for kind in kinds], n_logs, seed))
        return [answer_of(kind, "cannot tell") for kind in kinds]

    monkeypatch.setattr(calibration, "answers", answers)
    calibration.measure(3, ["flip", "bot, no id"])
    calibration.measure()
    first = calibration.FIRST_SEED
    assert asked == [(["flip", "bot, no id"], 3, first), ([kind.name for kind in KINDS], 20, first)]


def test_every_answer_is_told_as_it_comes_and_the_wrong_ones_as_such(monkeypatch, capsys):
    found = [answer_of(TRAP, "adopt"), answer_of(TRAP, "keep off")]
    monkeypatch.setattr(calibration, "answers", lambda *_, **__: iter(found))
    calibration.measure(2, [TRAP.name])
    told = capsys.readouterr().err.splitlines()
    n = 2 * sum(TRAP.name in kind.name for kind in KINDS)
    assert told == [
        f"1 of {n}: {TRAP.name}, seed 0: adopt, wrong",
        f"2 of {n}: {TRAP.name}, seed 0: keep off",
    ]


def test_no_logs_and_no_kinds_are_refused():
    with pytest.raises(InputError, match="--logs must be >= 1, got 0"):
        calibration.measure(0)
    with pytest.raises(InputError, match="--kind must be part of a name of fixed order"):
        calibration.measure(1, ["no such kind"])
