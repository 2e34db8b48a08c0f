"""The finalists and the sealed test as text."""

from experiments.judging.finalists import Candidate
from experiments.review.finalist_table import finalist_table, sealed_text
from experiments.study_folder.finalist_files import finalist_record, sealed_record
from tests.experiments.judging.test_finalists import judge
from tests.experiments.judging.test_sealed_test import GOOD, Memory, open_on
from tests.experiments.planted_replay import make_settings


def test_no_finalists_make_no_table():
    assert finalist_table([]) == ""


def test_a_row_a_finalist_with_both_references_and_bystanders():
    candidates = [Candidate(7, make_settings(anchor_weight=0.05)), Candidate(12, make_settings())]
    finalists, _ = judge(candidates)
    lines = finalist_table([finalist_record(item) for item in finalists]).splitlines()
    assert lines[0].split("  ")[0] == "finalists"
    assert lines[1].startswith("trial 7 ")
    assert lines[2].startswith("trial 12 ")
    assert "+.050 (+.050 to +.050)" in lines[1]
    assert len({line.index("(") for line in lines[1:3]}) == 1, "columns are aligned"


def test_unscored_bystanders_are_said():
    finalists, _ = judge([Candidate(7, make_settings())])
    record = {**finalist_record(finalists[0]), "bystanders": None}
    assert finalist_table([record]).splitlines()[1].endswith("none scored")


def test_the_sealed_text_holds_verdict_gains_and_optimism():
    opened = open_on(GOOD, Memory([3]), reopen=True)
    lines = sealed_text(sealed_record(opened)).splitlines()
    assert lines[0] == opened.verdict.sentence
    assert "opened on 2 trials (3, 12)" in lines[1]
    assert lines[-1].endswith("+.030")
