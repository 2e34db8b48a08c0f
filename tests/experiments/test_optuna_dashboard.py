"""A swept study in a real optuna-dashboard, in a real browser."""

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tests.experiments.browser import console_errors, needs_chromium, open_page
from tests.experiments.dashboard_server import dashboard_server
from tests.experiments.small_sweep import sweep_small_log

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """The journal of a finished sweep of a small log, whose highest trial drifts too far."""
    folder = tmp_path_factory.mktemp("dashboard")
    bound = "guardrails.max_mean_drift=0.05"
    sweep_small_log(folder, "study.n_trials=5", "tracking=none", "pruner=none", bound)
    return folder / "studies" / "autumn.journal"


@pytest.fixture(scope="module")
def dashboard(journal):
    """Its address."""
    with dashboard_server(journal, journal.parent / "dashboard.log") as address:
        yield address


def is_feasible(trial):
    """Whether it keeps every guardrail; the dashboard reads the list."""
    excesses = trial.system_attrs["constraints"]
    assert set(excesses) == set(trial.constraints.values())
    return max(excesses) <= 0


def test_the_list_names_the_study_and_its_page_shows_its_trials(dashboard, journal):
    study = optuna.load_study(
        study_name="autumn", storage=JournalStorage(JournalFileBackend(str(journal)))
    )
    assert len(study.trials) == 5
    with open_page(1500, 1000) as page:
        errors = console_errors(page)
        page.goto(dashboard)
        page.get_by_text("autumn").first.wait_for()
        page.goto(f"{dashboard}/studies/0")
        page.get_by_text("Hyperparameter Importance").first.wait_for()
        highest = max(study.trials, key=lambda trial: trial.value)
        best = max(filter(is_feasible, study.trials), key=lambda trial: trial.value)
        assert highest.number != best.number, "or the next lines say nothing"
        page.get_by_text(f"Best Trial (number={best.number})").wait_for()
        assert str(best.value) in page.locator("body").inner_text()
        assert study.best_trial.number == best.number
        page.goto(f"{dashboard}/studies/0/trials")
        page.get_by_text("5 Trials").wait_for()
        page.get_by_text("softmin_temperature").first.wait_for()
        text = page.locator("body").inner_text()
        for name, value in study.trials[0].params.items():
            assert f"{name} {value}" in text
        assert not errors
