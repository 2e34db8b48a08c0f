"""The report as a page: what it says, in which order, and that it needs nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest

from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import (
    read_summary,
    write_finished_study,
    write_three_studies,
)
from tests.experiments.report_page import build_page, visible_text


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory) -> Path:
    return write_three_studies(tmp_path_factory.mktemp("outputs"))


def test_verdict_table_and_figure_come_first_in_this_order(output_dir):
    page = build_page(read_study(output_dir, "adopted"))
    sentence = read_summary(output_dir / "adopted")["verdict"]["sentence"]
    places = [
        page.index('<div class="verdict adopt">'),
        page.index("<table>"),
        page.index("What the verdict rests on"),
        page.index("Finalists"),
        page.index("Every trial"),
    ]
    assert places == sorted(places)
    assert sentence.removeprefix("Adopt: ") in visible_text(page)


def test_keep_off_says_why(output_dir):
    page = build_page(read_study(output_dir, "refused"))
    assert '<div class="verdict off"><strong>Keep off</strong>' in page
    assert "Any gain is below guardrails.min_gain of .005" in visible_text(page)


def test_a_sealed_test_says_how_to_open_it(output_dir):
    page = build_page(read_study(output_dir, "sealed"))
    text = visible_text(page)
    assert read_summary(output_dir / "sealed")["answer"].startswith("Worth opening")
    assert "<strong>Worth opening the sealed test</strong>" in page
    assert "Not decided yet" in text
    assert f"python -m experiments.export study=sealed output_dir={output_dir}" in text


def test_the_page_fetches_nothing_and_holds_plotly_once(output_dir):
    page = build_page(read_study(output_dir, "adopted"))
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=", page)
    assert "default-src 'none'" in page
    assert page.count("plotly.js v") == 1


def test_names_from_the_data_are_escaped(output_dir):
    page = build_page(read_study(output_dir, "adopted"))
    assert "planted &lt;shop&gt; &amp; co" in page
    assert "planted <shop>" not in page


def test_the_same_study_makes_the_same_page(output_dir):
    study = read_study(output_dir, "adopted")
    assert build_page(study) == build_page(study)


def test_a_verdict_on_another_trial_than_the_best_says_so(tmp_path):
    folder = write_finished_study(tmp_path)
    assert "The verdict is on trial" not in build_page(read_study(tmp_path, "planted"))
    summary = read_summary(folder)
    summary["test"]["trial"] = 41
    (folder / "summary.json").write_text(json.dumps(summary))
    text = visible_text(build_page(read_study(tmp_path, "planted")))
    assert "The verdict is on trial 41; the best on the tune sessions is trial 40." in text


def test_a_study_without_a_feasible_trial_still_has_a_page(tmp_path):
    folder = write_finished_study(tmp_path, with_test=False)
    summary = {**read_summary(folder), "best": None, "tune_best": None}
    (folder / "summary.json").write_text(json.dumps(summary))
    shutil.rmtree(folder / "evidence")
    page = build_page(read_study(tmp_path, "planted"))
    assert "No trial kept the guardrails" in page
    assert "Keep adjustment off" in page
