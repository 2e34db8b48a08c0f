"""The report's tables as rows of text."""

import math
import re
from pathlib import Path

import pytest

from experiments.review.rows import finalist_rows, gain_text, result_rows, setting_rows
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_three_studies
from tests.experiments.planted_records import comparison, finalist


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory) -> Path:
    return write_three_studies(tmp_path_factory.mktemp("outputs"))


def test_result_rows_hold_every_configuration_and_the_test(output_dir):
    rows = result_rows(read_study(output_dir, "adopted"))
    assert rows[0] == ("on the tune sessions", "NDCG@10", "gain", "drift", "harmed", "reach")
    assert rows[1] == ("no adjustment", ".700", ".000", ".000", "0 %", "0 %")
    assert [row[0] for row in rows[1:]] == [
        "no adjustment",
        "logged order *",
        "popularity",
        "published defaults",
        "best",
        "trial 40 on the sealed test",
    ]


def test_finalist_rows_show_gain_interval_strength_and_bystanders(output_dir):
    header, first, *_ = finalist_rows(read_study(output_dir, "adopted").finalists)
    assert header[0] == "trial"
    assert first[0] == "40"
    assert re.fullmatch(r"\+\.0\d\d\n\+\.0\d\d to \+\.0\d\d\np = \.\d{3}, d = \d\.\d\d", first[1])
    assert first[3].count("\n") == 1


def test_a_comparison_that_was_not_made_is_said():
    assert gain_text(None) == "none scored"


def test_settings_stand_beside_the_published_ones(output_dir):
    rows = setting_rows(read_study(output_dir, "adopted"))
    assert rows[1] == ("adjustment_rate", "0.1", "0.1")


def test_an_effect_size_that_is_not_defined_is_left_out():
    assert gain_text(comparison(effect_size=math.nan)).splitlines()[-1] == "p = .002"


def test_a_metric_that_was_not_measured_leaves_its_cell_empty():
    record = finalist(metrics={"ndcg_at_10": 0.7, "drift_mean": math.nan})
    assert finalist_rows([record])[1][-1] == ""
