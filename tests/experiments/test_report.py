"""The report's command, and the page in a browser without network."""

from pathlib import Path

import pytest

from experiments.config.command import run_command
from experiments.report import report
from experiments.study_folder.finished_study import read_study
from tests.experiments.browser import console_errors, needs_chromium, open_page
from tests.experiments.finished_folder import write_three_studies
from tests.experiments.report_page import build_page


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory) -> Path:
    return write_three_studies(tmp_path_factory.mktemp("outputs"))


def test_the_command_writes_the_page_whole(output_dir, capsys):
    status = run_command("report", report, ["study=adopted", f"output_dir={output_dir}"])
    path = output_dir / "adopted" / "report.html"
    assert status == 0
    assert str(path) in capsys.readouterr().out
    assert path.read_text(encoding="utf-8").endswith("</html>\n")


def test_the_command_names_a_missing_study(tmp_path, capsys):
    assert run_command("report", report, ["study=nope", f"output_dir={tmp_path}"]) == 2
    assert "study nope has not been swept" in capsys.readouterr().err


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
