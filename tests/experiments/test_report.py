"""The report's command, and the page in a browser without network."""

import json
from itertools import combinations
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


def test_beside_the_page_lie_a_picture_and_tables_for_mail_and_papers(output_dir):
    assert run_command("report", report, ["study=sealed", f"output_dir={output_dir}"]) == 0
    folder = output_dir / "sealed"
    answer = json.loads((folder / "summary.json").read_text())["answer"]
    assert (folder / "report.png").read_bytes().startswith(b"\x89PNG")
    assert answer.partition(": ")[0] in (folder / "report.md").read_text(encoding="utf-8")
    assert (folder / "report.csv").read_text().startswith("sessions,configuration,metric,value")


TEXTS_AND_PLOTS = """() => [...document.querySelectorAll(".plot")].map((plot) => {
  const box = (node) => { const r = node.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom]; };
  const isSeen = (r) => r[2] > r[0] && r[3] > r[1];
  const texts = [...plot.querySelectorAll("svg text")]
    .map((node) => ({ text: node.textContent, box: box(node) }))
    .filter((item) => item.text.trim() && isSeen(item.box));
  const { l, t, w, h } = plot._fullLayout._size, [left, top] = box(plot);
  return { name: plot.id, texts, frame: box(plot),
    area: [left + l, top + t, left + l + w, top + t + h] };
})"""

SLACK = 1.5
"""Pixels by which boxes of letters may touch: their corners are empty."""


def overlap(a, b):
    """Whether two boxes (left, top, right, bottom) cover each other."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return across > SLACK and down > SLACK


def misplaced(plot):
    """Labels of a figure that lie on its drawing, on each other, or are cut off."""
    texts, (left, top, right, bottom) = plot["texts"], plot["frame"]
    faults = [item["text"] for item in texts if overlap(item["box"], plot["area"])]
    faults += [
        f"{one['text']} | {other['text']}"
        for one, other in combinations(texts, 2)
        if overlap(one["box"], other["box"])
    ]
    return faults + [
        f"cut off: {item['text']}"
        for item in texts
        if item["box"][0] < left - SLACK
        or item["box"][1] < top - SLACK
        or item["box"][2] > right + SLACK
        or item["box"][3] > bottom + SLACK
    ]


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize(
    ("width", "height", "is_dark"), [(1280, 900, False), (390, 844, True)], ids=["desk", "phone"]
)
def test_a_browser_without_network_shows_everything(output_dir, tmp_path, width, height, is_dark):
    study = read_study(output_dir, "adopted")
    path = tmp_path / "report.html"
    path.write_text(build_page(study), encoding="utf-8")
    with open_page(width, height, offline=True, is_dark=is_dark) as page:
        errors = console_errors(page)
        page.goto(path.as_uri())
        page.wait_for_function(
            "() => [...document.querySelectorAll('.plot')].every((plot) => plot._fullLayout)"
        )
        assert page.locator(".verdict strong").inner_text() == "Adopt"
        assert page.locator("#rivals tbody tr").count() == 4
        plots = page.evaluate(TEXTS_AND_PLOTS)
        assert len(plots) == 17
        assert {plot["name"]: misplaced(plot) for plot in plots if misplaced(plot)} == {}
        for left, top, right, bottom in (plot["area"] for plot in plots):
            assert right - left > 100
            assert bottom - top > 80
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sideways = "nodes => nodes.map(node => node.scrollWidth - node.clientWidth)"
        assert max(page.locator(".scroll").evaluate_all(sideways)) <= 0
        verdict, table = (page.locator(css).bounding_box() for css in (".verdict", "#rivals table"))
        assert verdict["y"] + verdict["height"] < height / 2
        assert table["y"] < height / 2
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        drawn = page.locator(".plot .main-svg").first.evaluate(
            "node => getComputedStyle(node).backgroundColor"
        )
        assert ground == drawn == ("rgb(18, 23, 29)" if is_dark else "rgb(255, 255, 255)")
        assert errors == []
