"""Evaluate: figures beside those stated, and the seal on the test."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.commands.evaluate import check_seal, disagreements, figures_table, other_data
from experiments.common.errors import InputError
from experiments.config.commands import SweepConfig
from experiments.config.data import DatasetConfig
from experiments.config.study import SearchSpaceConfig, StudyConfig
from experiments.judging.openings import DRIFT, SCORES, Opening, open_seal
from experiments.study_folder.ledger_file import LedgerFile
from experiments.workflow.judgement import digest_of
from experiments.workflow.studies import base_settings
from tests.experiments.finished_folder import make_log

FINGERPRINT = "f" * 64


def config_of(tmp_path, window="test") -> SweepConfig:
    return SweepConfig(
        dataset=DatasetConfig("movielens"),
        study=StudyConfig("shop"),
        search_space=SearchSpaceConfig({}),
        output_dir=str(tmp_path),
        provenance={"window": window},
    )


def look(config, sees=SCORES):
    digest = digest_of(config, FINGERPRINT, base_settings(config))
    opening = Opening("shop", 3, "last 30 %", "ndcg_at_10 (naive)", digest, sees, 1)
    open_seal([LedgerFile(Path(config.output_dir))], FINGERPRINT, opening, reopen=True)


def test_tune_is_open_to_everybody(tmp_path):
    check_seal(config_of(tmp_path, "tune"), FINGERPRINT)
    check_seal(replace(config_of(tmp_path), provenance={}), FINGERPRINT)


@pytest.mark.parametrize("window", ["test", "all", "later"])
def test_a_window_that_holds_the_test_is_sealed(tmp_path, window):
    with pytest.raises(InputError, match="which was not opened on these settings"):
        check_seal(config_of(tmp_path, window), FINGERPRINT)


def test_what_the_test_was_opened_on_is_shown_again(tmp_path):
    config = config_of(tmp_path)
    look(config)
    check_seal(config, FINGERPRINT)


def test_other_settings_other_data_and_a_mere_reading_of_the_drift_open_nothing(tmp_path):
    config = config_of(tmp_path)
    look(config, DRIFT)
    with pytest.raises(InputError, match="not opened"):
        check_seal(config, FINGERPRINT)
    look(config)
    other = replace(config, adjuster=replace(config.adjuster, num_iterations=7))
    for asked, fingerprint in ((other, FINGERPRINT), (config, "e" * 64)):
        with pytest.raises(InputError, match="not opened"):
            check_seal(asked, fingerprint)


def test_figures_that_are_not_reached_are_named():
    now = {"mrr": 0.5, "reach": float("nan")}
    assert disagreements(now, {"mrr": 0.5 + 1e-10}) == []
    assert disagreements(now, {"mrr": 0.51, "map": 0.2, "reach": 0.1}) == [
        "mrr is 0.5, but 0.51 is stated.",
        "map is None, but 0.2 is stated.",
        "reach is nan, but 0.1 is stated.",
    ]


def test_figures_of_other_data_are_not_compared():
    log = make_log(40)
    assert other_data({"dataset": {"fingerprint": log.fingerprint}}, log) == []
    assert other_data({}, log) == []
    (line,) = other_data({"dataset": {"fingerprint": "e" * 64}}, log)
    assert line.startswith("These are not the data")


def test_stated_figures_stand_beside_those_of_now():
    lines = figures_table({"mrr": 0.5, "map": 0.25}, {"mrr": 0.5}).splitlines()
    assert lines[0].split() == ["now", "stated"]
    assert lines[1].split() == ["MRR", "0.500000000", "0.500000000"]
    assert lines[2].split() == ["MAP", "0.250000000"]
