"""Two pages of the MLflow UI: the study with its trials, and trials beside each other."""

import json
import re
from pathlib import Path
from urllib.parse import quote

from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from playwright.sync_api import Page

N_COMPARED = 5

KIND = "workflowType=machine_learning"
BY_GAIN = "orderByKey=metrics.%60gain%60&orderByAsc=false"
LEFT_OUT = ("Dataset", "Source", "Models")
SHOWN = ("gain", "drift_mean", "feasible", "adjustment_rate", "num_iterations")
"""Columns that are on by themselves and tell nothing here, and those that tell."""

A_MOMENT, AT_REST = 1_000, 5_000
"""Milliseconds until a list is filtered, and until nothing moves any more."""

LOOKS = 20
"""Times that a column is looked for."""


def picture_list(page: Page, address: str, study: str, output_dir: Path) -> bytes:
    """The experiment's list of runs, the highest gain first.

    Args:
        page: An empty one.
        address: Of the server.
        study: Its name.
        output_dir: Whose store the server shows.
    """
    parent = _parent(output_dir, study)
    page.goto(f"{address}/#/experiments/{parent.info.experiment_id}/runs?{KIND}&{BY_GAIN}")
    page.get_by_role("link", name=study, exact=True).first.wait_for()
    _close_assistant(page)
    page.get_by_role("button", name="Columns").first.click()
    for name in (*SHOWN, *LEFT_OUT):
        _toggle(page, name)
    page.keyboard.press("Escape")
    return _shot(page)


def _toggle(page: Page, column: str) -> None:
    """Show a column that is not shown, and the other way round; its group may be folded."""
    page.get_by_placeholder("Search columns").fill(column)
    row = page.locator("[class*=tree-treenode]").filter(has_text=re.compile(f"^{column}$"))
    for _ in range(LOOKS):
        page.wait_for_timeout(A_MOMENT)
        if row.count():
            break
        folded = page.locator("[class*=tree-switcher_close]")
        folded.evaluate_all("nodes => nodes.forEach((node) => node.click())")
    row.first.locator("[class*=tree-checkbox]").first.click()


def picture_compare(page: Page, address: str, study: str, output_dir: Path) -> bytes:
    """The trials of highest gain beside each other.

    Args:
        page: A page of the server.
        address: Of the server.
        study: Its name.
        output_dir: Whose store the server shows.
    """
    parent = _parent(output_dir, study)
    found = _client(output_dir).search_runs(
        [parent.info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
        " and attributes.run_name LIKE 'trial-%'",
        order_by=["metrics.gain DESC"],
        max_results=N_COMPARED,
    )
    runs = quote(json.dumps([run.info.run_id for run in found]))
    experiments = quote(json.dumps([parent.info.experiment_id]))
    page.goto(f"{address}/#/compare-runs?runs={runs}&experiments={experiments}&{KIND}")
    page.get_by_text(f"Comparing {len(found)} Runs").first.wait_for()
    _close_assistant(page)
    return _shot(page)


def _client(output_dir: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{output_dir.resolve() / 'mlflow.db'}")


def _parent(output_dir: Path, study: str) -> Run:
    """The study's own run.

    Raises:
        ValueError: If the store holds none.
    """
    client = _client(output_dir)
    experiments = [item.experiment_id for item in client.search_experiments()]
    found = client.search_runs(experiments, f"attributes.run_name = '{study}'", max_results=1)
    if not found:
        raise ValueError(f"{output_dir}/mlflow.db must hold the study {study!r}: sweep it first.")
    return found[0]


def _close_assistant(page: Page) -> None:
    """Shut the panel that a first visit opens over the runs."""
    panel = page.locator('[data-component-id="mlflow.assistant.chat_panel.close"]')
    if panel.count():
        panel.click()


def _shot(page: Page) -> bytes:
    """A picture once the page is at rest; it never stops asking the server for news."""
    page.wait_for_timeout(AT_REST)
    return page.screenshot()
