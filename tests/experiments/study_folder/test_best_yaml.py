"""An exported configuration: read as data, refused with reasons, the same after a round trip."""

import os
from dataclasses import replace

import pytest
import yaml

from experiments.common.errors import InputError
from experiments.study.records import best_feasible
from experiments.study_folder.best_yaml import read_config, write_best
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


def test_a_searched_interval_is_the_replays_too(written, tmp_path):
    _, config, best = written
    adjuster = {**best.settings["adjuster"], "interval_seconds": 417}
    searched = replace(best, settings={**best.settings, "adjuster": adjuster})
    summary = {"study": "tiny", "dataset": {"name": "s", "fingerprint": "f"}, "objective": "mrr"}
    write_best(tmp_path / "other.yaml", config, searched, summary)
    read = read_config(tmp_path / "other.yaml")
    assert read.replay.interval_seconds == read.adjuster.interval_seconds == 417


def test_it_says_where_it_comes_from(written):
    path, _, best = written
    provenance = read_config(path).provenance
    assert provenance["study"] == "tiny"
    assert provenance["trial"] == best.number
    assert provenance["dataset"]["fingerprint"] == "f"
    assert provenance["metrics"] == best.metrics
    assert "torch" in provenance["versions"]


def changed(path, change):
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.update(extra=1), "extra is not a setting"),
        (lambda data: data["adjuster"].update(rate=1), "adjuster.rate is not a setting"),
        (lambda data: data["adjuster"].update(loss="x"), "adjuster.loss must be one of cubic"),
        (lambda data: data["study"].update(n_trials="many"), "n_trials"),
        (lambda data: data["dataset"].update(path="${oc.env:HOME}"), "dataset.path must be plain"),
    ],
)
def test_a_fault_is_named(written, change, told):
    path = changed(written[0], change)
    with pytest.raises(InputError) as refused:
        read_config(path)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)
    assert os.environ["HOME"] not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["!!python/object/apply:os.system ['touch hacked']", "a: [", "- 1", "\x00", "", "a: &a [*a]"],
)
def test_what_is_no_configuration_is_refused_and_builds_nothing(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "best.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="config "):
        read_config(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path / "none.yaml")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "best.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="cannot be read"):
        read_config(path)
