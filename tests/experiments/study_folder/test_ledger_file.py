"""The ledger's file."""

import subprocess
import sys

import pytest

from experiments.common.errors import InputError
from experiments.judging.openings import Opening, open_seal
from experiments.study_folder.ledger_file import LedgerFile

RACER = """
import sys
from pathlib import Path
from experiments.judging.openings import Opening, open_seal
from experiments.study_folder.ledger_file import LedgerFile
opening = Opening(sys.argv[2], 1, "last 30 %", "NDCG@10", sys.argv[2], "scores", 1)
try:
    open_seal([LedgerFile(Path(sys.argv[1]))], "f", opening, reopen=False)
    print("opened")
except Exception as error:
    print("refused")
"""


def test_what_is_written_is_read_back(tmp_path):
    ledger = LedgerFile(tmp_path)
    assert ledger.read("f") == []
    opening = Opening("s", 3, "last 30 %", "NDCG@10", "a", "scores", 5)
    open_seal([ledger], "f", opening, reopen=False)
    assert LedgerFile(tmp_path).read("f") == [opening.to_dict()]


@pytest.mark.parametrize("text", ["{", "[]", '{"f": 3}', '{"f": [3]}', "[" * 100_000])
def test_a_damaged_file_is_one_sentence_and_stays(tmp_path, text):
    (tmp_path / "sealed_tests.json").write_text(text)
    with pytest.raises(InputError, match=r"sealed_tests\.json is damaged"):
        LedgerFile(tmp_path).read("f")
    assert (tmp_path / "sealed_tests.json").read_text() == text


def test_of_two_exports_at_once_one_is_refused(tmp_path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    said = sorted(racer.communicate(timeout=120)[0].strip() for racer in racers)
    assert said == ["opened", "refused"]
    assert len(LedgerFile(tmp_path).read("f")) == 1
