"""The report: what it says, that it needs nothing else, and that a browser shows it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from experiments.config.command import run_command
from experiments.report import report
from experiments.review.figures.of_study import study_figures
from experiments.review.html_page import build_page as page_of
from experiments.review.rows import finalist_rows, gain_text, result_rows, setting_rows
from experiments.study_folder.finished_study import FinishedStudy, read_study
from tests.experiments.browser import console_errors, needs_chromium, open_page
from tests.experiments.finished_folder import read_summary, write_finished_study


def build_page(study: FinishedStudy) -> str:
    return page_of(study, study_figures(study))


def visible_text(page: str) -> str:
    """The page without scripts, styles and tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_finished_study(folder, "adopted")
    write_finished_study(folder, "refused", test_factor=0.0)
    write_finished_study(folder, "sealed", with_test=False)
    return folder


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
    assert "The interval of the gain includes 0" in visible_text(page)


def test_a_sealed_test_says_how_to_open_it(output_dir):
    text = visible_text(build_page(read_study(output_dir, "sealed")))
    assert "Not decided yet" in text
    assert "python -m experiments.export study=sealed" in text


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
    summary = {**read_summary(folder), "best": None}
    (folder / "summary.json").write_text(json.dumps(summary))
    shutil.rmtree(folder / "evidence")
    page = build_page(read_study(tmp_path, "planted"))
    assert "No trial kept the guardrails" in page
    assert "Keep adjustment off" in page


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


def test_the_command_writes_the_page_whole(output_dir, capsys):
    status = run_command("report", report, ["study=adopted", f"output_dir={output_dir}"])
    path = output_dir / "adopted" / "report.html"
    assert status == 0
    assert str(path) in capsys.readouterr().out
    assert path.read_text(encoding="utf-8").endswith("</html>\n")


def test_the_command_names_a_missing_study(tmp_path, capsys):
    assert run_command("report", report, ["study=nope", f"output_dir={tmp_path}"]) == 2
    assert "has no config.yaml" in capsys.readouterr().err


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_browser_without_network_shows_everything(output_dir, tmp_path, width, height):
    study = read_study(output_dir, "adopted")
    path = tmp_path / "report.html"
    path.write_text(build_page(study), encoding="utf-8")
    with open_page(width, height, offline=True) as page:
        errors = console_errors(page)
        page.goto(path.as_uri())
        page.wait_for_function(
            "[...document.querySelectorAll('.plotly-graph-div')].every(d => d._fullLayout)"
        )
        assert page.locator(".verdict strong").inner_text() == "Adopt"
        assert page.locator(".first table tbody tr").count() == 6
        plots = page.locator(".plotly-graph-div")
        assert plots.count() == 16
        for index in range(plots.count()):
            box = plots.nth(index).locator("svg.main-svg").first.bounding_box()
            assert box["width"] > 200
            assert box["height"] > 90
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        verdict, table = (page.locator(css).bounding_box() for css in (".verdict", ".first table"))
        assert verdict["y"] + verdict["height"] < height / 2
        assert table["y"] < height / 2
        assert errors == []
