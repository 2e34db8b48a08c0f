"""End to end: how the work is cut, by threads or by blocks, changes no bit of what a sweep says."""

import csv
import json

import pytest

from experiments.config.command import run_command
from experiments.config.data import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.sweep import sweep

SHOP = SimulatedConfig(
    n_sessions=900, n_users=120, n_objects=60, n_topics=3, n_queries=12, n_shown=8, dimensions=9
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A log with enough users for 20 blocks of them."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    prepare_simulated(folder, SHOP)
    return folder


@pytest.fixture(scope="module", params=["user_id", pytest.param("none", marks=pytest.mark.slow)])
def swept(request, shop, tmp_path_factory):
    """(blocks, threads) → trials and summary of the same study."""

    def run(n_blocks, n_threads):
        folder = tmp_path_factory.mktemp("outputs")
        code = run_command(
            "sweep",
            sweep,
            [
                "dataset=folder",
                f"dataset.path={shop}",
                f"output_dir={folder}",
                "study.name=cut",
                "study.n_trials=6",
                "tracking=none",
                "pruner=none",
                f"replay.personalize_by={request.param}",
                f"replay.n_blocks={n_blocks}",
                f"replay.n_threads={n_threads}",
            ],
        )
        assert code == 0
        trials = list(csv.DictReader((folder / "cut" / "trials.csv").open()))
        return trials, json.loads((folder / "cut" / "summary.json").read_text())

    return {cut: run(*cut) for cut in ((3, 1), (3, 2), (20, 1))}


def figures(trials):
    """Every column but the wall time, as text: to the last bit."""
    return [{name: row[name] for name in row if name != "seconds"} for row in trials]


@pytest.mark.parametrize("other", [(3, 2), (20, 1)])
def test_every_trial_has_the_same_figures_to_the_last_bit(swept, other):
    first, second = (figures(swept[cut][0]) for cut in ((3, 1), other))
    assert len(first) == 6
    assert first == second
    assert len({row["drift_mean"] for row in first}) > 3


@pytest.mark.parametrize("other", [(3, 2), (20, 1)])
def test_the_summary_says_the_same_to_the_last_bit(swept, other):
    first, second = (
        {name: value for name, value in swept[cut][1].items() if name != "seconds"}
        for cut in ((3, 1), other)
    )
    assert first["best"]["metrics"]["drift_mean"] > 0
    assert first["rocchio"]["metrics"]["drift_mean"] > 0
    assert first == second
