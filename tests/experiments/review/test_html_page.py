"""The report as a page: what it says, in which order, and that it needs nothing else."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
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


def test_question_verdict_rivals_and_figure_come_first_in_this_order(output_dir):
    page = build_page(read_study(output_dir, "adopted"))
    sentence = read_summary(output_dir / "adopted")["verdict"]["sentence"]
    question = "Should click-feedback adjustment be on for planted &lt;shop&gt; &amp; co?"
    assert f"<title>{question}</title>" in page
    places = [
        page.index(f"<h1>{question}</h1>"),
        page.index('<div class="verdict adopt">'),
        page.index("What beats it"),
        page.index("What the verdict rests on"),
        page.index('<h2 id="why">'),
        page.index('id="figure-split"'),
        page.index('id="figure-gain_by_query_frequency"'),
        page.index('<h2 id="sure">'),
        page.index("What could this test find?"),
        page.index("Finalists"),
        page.index('<h2 id="settings">'),
        page.index("Every trial"),
        page.index('<h2 id="on">'),
    ]
    assert places == sorted(places)
    assert sentence.removeprefix("Adopt: ") in visible_text(page)


def test_this_setting_stands_among_its_rivals_the_best_first(output_dir):
    text = visible_text(build_page(read_study(output_dir, "adopted")))
    found = [text.index(f" {name} .") for name in ("this setting (trial 40)", "popularity")]
    assert found == sorted(found)


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
    assert page.count("plotly.js (basic - minified) v") == 1


@pytest.mark.parametrize("name", ["adopted", "sealed"])
def test_the_page_can_be_mailed(output_dir, name):
    assert len(build_page(read_study(output_dir, name)).encode()) < 1_500_000


@pytest.mark.slow
def test_a_study_of_very_many_trials_can_be_mailed_too(output_dir):
    study = read_study(output_dir, "adopted")
    many = pd.concat([study.trials] * 500, ignore_index=True)
    many["number"] = range(len(many))
    columns = {f"param_setting_{number}": many["param_adjustment_rate"] for number in range(20)}
    for trials in (many, many.assign(**columns)):
        page = build_page(replace(study, trials=trials))
        assert len(page.encode()) < 1_500_000
        assert re.search(r"29,\d{3} of 29,500 trials are not drawn", page)


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
