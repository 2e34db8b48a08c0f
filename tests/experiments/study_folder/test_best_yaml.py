"""An exported configuration: the same after a round trip, and saying where it comes from."""

from dataclasses import replace

import pytest

from experiments.config.saved import read_config
from experiments.study.records import best_feasible
from experiments.study_folder.best_yaml import write_best
from tests.experiments.fake_replay import make_config, run_study


@pytest.fixture
def written(tmp_path):
    config = make_config(tmp_path)
    best = best_feasible(run_study(config))
    summary = {
        "study": "tiny",
        "dataset": {"name": "shop", "fingerprint": "f"},
        "objective": "ndcg_at_10",
    }
    path = tmp_path / "best.yaml"
    write_best(path, config, best, summary)
    return path, config, best


def test_it_comes_back_with_the_trials_settings(written):
    path, config, best = written
    read = read_config(path)
    assert read.adjuster.adjustment_rate == best.values["adjustment_rate"]
    assert read.replay == config.replay
    assert read.search_space == config.search_space


def test_a_searched_interval_comes_back(written, tmp_path):
    _, config, best = written
    adjuster = {**best.settings["adjuster"], "interval_seconds": 417}
    searched = replace(best, settings={**best.settings, "adjuster": adjuster})
    summary = {"study": "tiny", "dataset": {"name": "s", "fingerprint": "f"}, "objective": "mrr"}
    write_best(tmp_path / "other.yaml", config, searched, summary)
    read = read_config(tmp_path / "other.yaml")
    assert read.adjuster.interval_seconds == 417


def test_it_says_where_it_comes_from(written):
    path, _, best = written
    provenance = read_config(path).provenance
    assert provenance["study"] == "tiny"
    assert provenance["trial"] == best.number
    assert provenance["dataset"]["fingerprint"] == "f"
    assert provenance["metrics"] == best.metrics
    assert "torch" in provenance["versions"]
