"""The MLflow UI on the store of a finished sweep, in a real browser."""

import json
import re

import pytest

from experiments.tracking.runs import MlflowRuns
from experiments.tracking.study_info import StudyInfo
from tests.experiments.browser import needs_chromium, open_page
from tests.experiments.mlflow_server import free_port, mlflow_server
from tests.experiments.planted_records import DATASET
from tests.experiments.small_sweep import sweep_small_log

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="session")
def swept(tmp_path_factory):
    """The output folder of a finished sweep of a small log."""
    folder = tmp_path_factory.mktemp("ui")
    sweep_small_log(
        folder,
        "study.n_trials=6",
        "tracking=mlflow",
        "tracking.experiment=shop",
        "replay.n_blocks=4",
    )
    return folder


@pytest.fixture(scope="session")
def server(swept):
    """The address of an MLflow UI on that folder's store."""
    port = free_port()
    with mlflow_server(swept, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def runs(swept):
    """The runs in the store, by name."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{swept / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("shop")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def close_assistant(page):
    """Shut the panel that a first visit opens over the runs."""
    panel = page.locator('[data-component-id="mlflow.assistant.chat_panel.close"]')
    if panel.count():
        panel.click()


def test_the_runs_are_nested_in_the_study_with_its_data_set(server, runs, swept):
    experiment = runs["autumn"].info.experiment_id
    with open_page(1600, 1000) as page:
        page.goto(f"{server}/#/experiments/{experiment}/runs")
        study = page.get_by_role("link", name="autumn", exact=True)
        study.wait_for()
        close_assistant(page)
        trials = page.get_by_role("link", name=re.compile(r"^trial-\d{4}$"))
        assert trials.count() == 0, "folded into the study's run at first"
        row = page.get_by_role("row").filter(has=study)
        data = json.loads((swept / "autumn" / "summary.json").read_text())["dataset"]
        text = f"{data['name']} ({data['fingerprint'][:8]}"
        page.get_by_role("gridcell").filter(has_text=text).first.wait_for()
        row.get_by_role("button").first.click()
        page.get_by_role("link", name="trial-0000", exact=True).wait_for()
        assert trials.count() == 6
        for baseline in ("no_adjustment", "popularity", "rocchio"):
            assert page.get_by_role("link", name=baseline, exact=True).count() == 1


def test_the_printed_link_opens_on_the_runs_the_studys_first(server, runs, swept):
    uri = f"sqlite:///{swept / 'mlflow.db'}"
    info = StudyInfo(runs["autumn"].data.tags["study.uid"], "autumn", "shop", {}, DATASET, "mrr")
    found = MlflowRuns(uri, None, info)
    found.open([], [])
    with open_page(1600, 1000) as page:
        page.goto(f"{server}/{found.page}")
        page.get_by_role("link", name="autumn", exact=True).wait_for()
        close_assistant(page)
        assert page.get_by_text("Observability", exact=True).count() == 0, "not among traces"
        links = page.get_by_role("link", name=re.compile("^(autumn|trial-|popularity|rocchio)"))
        assert links.first.inner_text() == "autumn"


def test_the_studys_page_shows_note_data_set_metrics_and_trials(server, runs, swept):
    summary = json.loads((swept / "autumn" / "summary.json").read_text())
    parent = runs["autumn"].info
    with open_page(1600, 1000) as page:
        page.goto(f"{server}/#/experiments/{parent.experiment_id}/runs/{parent.run_id}")
        page.get_by_text("Not decided yet: the sealed test has not been opened.").wait_for()
        close_assistant(page)
        table = page.get_by_role("table").filter(has_text="on the tune sessions").first
        assert "published defaults" in table.inner_text()
        text = page.locator("body").inner_text()
        assert f"({summary['dataset']['fingerprint'][:36]})" in text
        assert "ndcg_at_10" in text
        assert str(summary["best"]["metrics"]["ndcg_at_10"]) in text
        children = page.get_by_role("link").filter(has_text=re.compile(r"^trial-\d{4}"))
        children.first.wait_for()


def test_a_trials_page_shows_its_figures_and_its_curve(server, runs):
    trial = runs["trial-0000"]
    with open_page(1600, 1000) as page:
        page.goto(f"{server}/#/experiments/{trial.info.experiment_id}/runs/{trial.info.run_id}")
        page.get_by_text("curve_after").first.wait_for()
        text = page.locator("body").inner_text()
        assert str(trial.data.metrics["ndcg_at_10"]) in text
        assert "adjustment_rate" in text
        assert "autumn" in text, "its parent"
