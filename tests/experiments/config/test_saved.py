"""A configuration that was written: read as data, refused with reasons."""

import os
from dataclasses import asdict, replace

import pytest
import yaml

from experiments.common.errors import InputError
from experiments.common.files import to_yaml, write_atomic
from experiments.config.saved import anchored, read_config, shown_config, with_dataset_path
from tests.experiments.fake_replay import make_config


@pytest.fixture
def written(tmp_path):
    config = make_config(tmp_path)
    path = tmp_path / "config.yaml"
    write_atomic(path, to_yaml({"defaults": ["sweep_schema"], **asdict(config)}))
    return path, config


def test_it_comes_back_as_it_was_written(written):
    assert read_config(written[0]) == written[1]


def test_an_earlier_versions_interval_of_the_replay_is_the_adjusters(written):
    path = changed(written[0], lambda data: data["replay"].update(interval_seconds=417))
    assert read_config(path).adjuster.interval_seconds == 417
    path = changed(path, lambda data: data.pop("adjuster"))
    assert read_config(path).adjuster.interval_seconds == 417


def test_a_bad_interval_of_an_earlier_version_is_refused(written):
    path = changed(written[0], lambda data: data["replay"].update(interval_seconds=-1))
    with pytest.raises(InputError, match=r"adjuster\.interval_seconds must be a whole number"):
        read_config(path)


def test_a_data_set_that_moved_is_read_where_it_lies(written):
    config = written[1]
    moved = with_dataset_path(config, "elsewhere")
    assert moved.dataset.path == "elsewhere"
    assert moved.dataset.name == config.dataset.name
    assert with_dataset_path(config, None) == config


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
        (
            lambda data: data.update(adjuster=5, replay={"interval_seconds": 3}),
            "adjuster",
        ),
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
    [
        "!!python/object/apply:os.system ['touch hacked']",
        "a: [",
        "- 1",
        "\x00",
        "",
        "a: &a [*a]",
        "a: 2024-13-45",
        "a: " + "[" * 1500,
    ],
)
def test_what_is_no_configuration_is_refused_and_builds_nothing(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "best.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="config "):
        read_config(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.yaml cannot be read: No such file or directory\.$"):
        read_config(tmp_path / "none.yaml")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "best.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="cannot be read"):
        read_config(path)


def test_no_secret_is_in_a_configuration_that_is_written_or_shown(tmp_path):
    config = make_config(tmp_path)
    secret = replace(
        config,
        study=replace(config.study, storage="postgresql://bob:S3cretPw@h/d"),
        tracking=replace(config.tracking, uri="http://bob:S3cretPw@h:5"),
    )
    shown = shown_config(secret)
    assert "S3cretPw" not in to_yaml(shown)
    assert shown["study"]["storage"] == "postgresql://h/d"
    assert shown["tracking"]["uri"] == "http://h:5"
    assert shown_config(config) == asdict(config)


def test_a_data_set_is_found_from_any_folder(tmp_path, monkeypatch):
    config = make_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    for given, kept in [("ds", f"{tmp_path}/ds"), ("/a/b", "/a/b"), ("~/x", "/home/me/x")]:
        assert anchored(with_dataset_path(config, given)).dataset.path == kept
    unnamed = replace(config, dataset=replace(config.dataset, name="simulated", path=None))
    assert anchored(unnamed).dataset.path is None
