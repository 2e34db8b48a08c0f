"""The whole job at a terminal of 80 columns: sweep, export, report, UI; one answer everywhere."""

import json
import re
import sys
import urllib.request

import pytest
import yaml

from tests.experiments.pseudo_terminal import run_in_terminal
from tests.experiments.report_page import visible_text

pytestmark = pytest.mark.slow

COLUMNS = 80
QUIET_SECONDS = 3.0
"""Longer than this nothing may stand still without a line that says what is being done."""


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """What each command showed, and what the study's summary and MLflow's note were after it."""
    folder = tmp_path_factory.mktemp("job")
    seen = {}
    for name, *arguments in (
        ("sweep", "experiment=smoke", "tracking=mlflow", "study.n_trials=8"),
        ("export", "study=smoke"),
        ("report", "study=smoke"),
    ):
        command = [sys.executable, "-m", "experiments", name, *arguments]
        shown = run_in_terminal(command, folder, columns=COLUMNS)
        assert shown.status == 0, shown.text
        summary = json.loads((folder / "outputs/smoke/summary.json").read_text())
        page = (folder / "outputs/smoke/report.html").read_text(encoding="utf-8")
        seen[name] = (shown, summary, study_run(folder), page)
    notes = []
    shown = run_in_terminal(
        [sys.executable, "-m", "experiments", "ui", "port=0"],
        folder,
        columns=COLUMNS,
        until="Ctrl-C ends it.",
        meanwhile=lambda text: notes.append(served_note(text)),
    )
    seen["ui"] = (shown, summary, notes[0], page)
    return folder, seen


def served_note(text):
    """The note of the study's run, asked of the server whose page a command has printed."""
    page = re.search(r"(http://127\.0\.0\.1:\d+)/#/experiments/(\d+)/runs", text)
    asked = {"experiment_ids": [page[2]], "filter": "tags.kind = 'study'"}
    request = urllib.request.Request(
        f"{page[1]}/api/2.0/mlflow/runs/search",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        (run,) = json.load(answer)["runs"]
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    return tags["mlflow.note.content"]


def study_run(folder):
    """The study's run in MLflow."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'outputs/mlflow.db'}")
    (experiment,) = [item for item in client.search_experiments() if item.name == "simulated"]
    (run,) = client.search_runs([experiment.experiment_id], "tags.kind = 'study'")
    return run


@pytest.mark.parametrize("name", ["sweep", "export", "report", "ui"])
def test_no_line_is_wider_than_the_terminal(job, name):
    shown = job[1][name][0]
    assert [line for line in shown.lines if len(line) > COLUMNS] == []


@pytest.mark.parametrize("name", ["sweep", "export", "report", "ui"])
def test_nothing_stands_still_without_a_line_that_says_what_is_done(job, name):
    silences = job[1][name][0].silences[1:]  # The first is Python's own start.
    assert [item for item in silences if item[0] > QUIET_SECONDS and not item[1]] == []


@pytest.mark.parametrize("name", ["sweep", "export"])
def test_the_first_sentence_is_the_same_everywhere(job, name):
    shown, summary, run, page = job[1][name]
    answer = summary["answer"]
    assert answer in shown.words
    note = run.data.tags["mlflow.note.content"]
    assert note.replace("\\", "").startswith(f"**{answer}**")
    headline, _, explanation = answer.partition(": ")
    text = visible_text(page)
    assert headline in text
    assert f"{explanation[:1].upper()}{explanation[1:]}" in text


def test_the_sweeps_answer_comes_before_its_table_and_the_exports_first(job):
    swept, summary, *_ = job[1]["sweep"]
    assert swept.words.index(summary["answer"]) < swept.words.index("no adjustment")
    exported, summary, *_ = job[1]["export"]
    before = exported.words.partition(summary["answer"])[0]
    assert "sealed test rises" not in before
    assert "Adopted: trial" not in before


def test_the_settings_shown_are_the_adopted_trials(job):
    folder, seen = job
    shown, summary, run, page = seen["export"]
    assert summary["verdict"]["decision"] == "adopt", "the shop's effect is planted"
    adopted = summary["test"]["trial"]
    rate = summary["best"]["params"]["adjustment_rate"]
    assert summary["best"]["trial"] == adopted
    assert f"Adopted: trial {adopted}, adjustment_rate={rate:.4g}" in shown.words
    assert run.data.tags["best.trial"] == str(adopted)
    assert run.data.tags["best.adjustment_rate"] == str(rate)
    assert f"adopted trial {adopted}" in page
    assert re.search(rf"<td>adjustment_rate</td><td>{rate:.5g}</td>", page)
    best = yaml.safe_load((folder / "outputs/smoke/best.yaml").read_text())
    assert best["provenance"]["trial"] == adopted
    assert best["adjuster"]["adjustment_rate"] == rate
    data = json.loads((folder / "outputs/smoke/best.json").read_text())
    assert data["provenance"]["trial"] == adopted
    assert f"ADJUSTMENT_RATE={rate}" in (folder / "outputs/smoke/best.env").read_text()
    assert seen["report"][1] == summary, "a report changes nothing"


def test_the_sweep_links_to_the_studys_experiment_on_one_line(job):
    shown, _, run, _ = job[1]["sweep"]
    runs = f"#/experiments/{run.info.experiment_id}/runs?workflowType=machine_learning"
    assert f"http://127.0.0.1:5000/{runs}" in [line.strip() for line in shown.lines]


def test_the_ui_shows_the_same_sentence_and_ctrl_c_ends_it_and_its_server(job):
    shown, summary, note, _ = job[1]["ui"]
    assert shown.status == 130
    assert note.replace("\\", "").startswith(f"**{summary['answer']}**")
    address = re.search(r"http://127\.0\.0\.1:\d+", shown.text)[0]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{address}/health", timeout=5)
