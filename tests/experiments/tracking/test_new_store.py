"""A new store is whole or not there."""

import os

import pytest

from experiments.tracking.new_store import file_of, make_store


def client_of(uri):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def test_a_store_is_made_whole_and_left_alone_then(tmp_path):
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    make_store(uri)
    assert os.listdir(tmp_path / "new") == ["mlflow.db"]
    made = client_of(uri).create_experiment("mine")
    make_store(uri)
    assert client_of(uri).get_experiment(made).name == "mine"


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, pytest.param(OSError, marks=pytest.mark.slow)]
)
def test_one_that_could_not_be_finished_leaves_nothing(tmp_path, monkeypatch, error):
    from mlflow.tracking import MlflowClient

    def stopped(self, **named):
        raise error

    monkeypatch.setattr(MlflowClient, "search_experiments", stopped)
    with pytest.raises(error):
        make_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "uri", ["http://h:5000", "postgresql://h/db", "sqlite:///", "sqlite:///:memory:", "/a/mlruns"]
)
def test_what_is_no_file_is_not_made(uri):
    assert file_of(uri) is None
    make_store(uri)
