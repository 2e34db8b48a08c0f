"""The report's tables as rows of text."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.judging.optimism import Optimism
from experiments.review.rows import finalist_rows, gain_text, result_rows, sealed_rows, setting_rows
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_three_studies
from tests.experiments.planted_records import comparison, finalist, sealed


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
        "adopted (trial 40)",
        "trial 40 on the sealed test",
    ]


def test_finalist_rows_show_gain_interval_and_bystanders(output_dir):
    header, first, *_ = finalist_rows(read_study(output_dir, "adopted").finalists)
    assert header[0] == "trial"
    assert first[0] == "40"
    assert re.fullmatch(r"\+\.0\d\d\n\+\.0\d\d to \+\.0\d\d", first[1])
    assert first[3].count("\n") == 1


def test_a_comparison_that_was_not_made_is_said():
    assert gain_text(None) == "none scored"


def test_settings_stand_beside_the_published_ones(output_dir):
    rows = setting_rows(read_study(output_dir, "adopted"))
    assert rows[1] == ("adjustment_rate", "0.1", "0.1")


def test_an_end_that_is_not_known_is_said():
    assert gain_text(comparison(low=math.nan)).splitlines() == ["+.020", "undetermined to +.030"]


def test_rows_of_a_sealed_test_hold_every_rival_and_both_parts_of_the_gain():
    rows = dict(sealed_rows(sealed().test))
    assert rows["over no adjustment (.700)"] == "+.020 (+.010 to +.030)"
    assert rows["over popularity (.750)"] == "-.030 (-.040 to -.020)"
    assert rows["clicks as they are, NDCG@10"] == "+.030 (+.020 to +.040)"
    assert rows["of it on objects clicked before"] == "+.015 (+.005 to +.025)"
    assert rows["optimism of having been chosen"].startswith("+.006: the finalist falls by +.010")


def test_optimism_without_other_trials_is_unknown():
    record = sealed().test
    alone = replace(record, optimism=Optimism(0.01, math.nan, math.nan, math.nan))
    assert sealed_rows(alone)[-1][1].startswith("unknown: the finalist falls by +.010")


def test_a_metric_that_was_not_measured_leaves_its_cell_empty():
    record = finalist(metrics={"ndcg_at_10": 0.7, "drift_mean": math.nan})
    assert finalist_rows([record])[1][-1] == ""
