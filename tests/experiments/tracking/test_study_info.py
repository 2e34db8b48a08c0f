"""Where MLflow is, and under which experiment a study stands."""

import pytest

from experiments.common.errors import InputError
from experiments.config.study import TrackingConfig
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.study_info import (
    review_lines,
    review_text,
    study_info,
    tracking_location,
    tracking_uri,
)
from tests.experiments.planted_records import DATASET


def test_the_experiment_is_the_data_sets_unless_it_is_named():
    assert study_info("u", "s", DATASET, TrackingConfig(), {}, "mrr").experiment == "shop"
    named = study_info("u", "s", DATASET, TrackingConfig(experiment="mine"), {}, "mrr")
    assert named.experiment == "mine"


def test_the_store_lies_beside_the_studies_unless_it_is_named(tmp_path):
    folder = StudyFolder(tmp_path, "s")
    uri, artifacts = tracking_location(TrackingConfig(), folder, "my shop")
    assert uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifacts == f"file://{tmp_path}/mlartifacts/my%20shop"
    assert tracking_location(TrackingConfig(uri="http://x"), folder, "e") == ("http://x", None)


@pytest.mark.parametrize(
    ("uri", "line"),
    [
        ("http://bob:S3cretPw@h:5000", "http://h:5000"),
        ("https://h/mlflow", "https://h/mlflow"),
        ("sqlite:////a b/mlflow.db", "mlflow ui --backend-store-uri 'sqlite:////a b/mlflow.db'"),
        (
            "postgresql://bob:S3cretPw@h/d",
            "mlflow ui --backend-store-uri postgresql://h/d, with user and password in the URI",
        ),
        ("databricks", "the experiments of the workspace databricks"),
    ],
)
def test_what_is_printed_for_the_review_can_be_opened_and_tells_no_secret(tmp_path, uri, line):
    config, folder = TrackingConfig(uri=uri), StudyFolder(tmp_path, "s")
    assert review_lines(config, folder, "") == [line]
    told = review_lines(config, folder, "#/experiments/3/runs?a=b")
    if uri.startswith("http"):
        assert told == [f"{line}/#/experiments/3/runs?a=b"]
    elif uri == "databricks":
        assert told == [line]
    else:
        assert told == [line, "http://127.0.0.1:5000/#/experiments/3/runs?a=b"]


def test_the_link_stands_on_a_line_of_its_own(tmp_path):
    told = review_text(TrackingConfig(), StudyFolder(tmp_path, "s"), "#/experiments/3/runs?a=b")
    assert told.splitlines() == [
        "review:",
        f"  python -m experiments.ui output_dir={tmp_path}",
        "  http://127.0.0.1:5000/#/experiments/3/runs?a=b",
    ]


def test_the_store_may_stand_in_the_environment(monkeypatch):
    config = TrackingConfig(uri_env="SHOP_MLFLOW")
    with pytest.raises(InputError, match="SHOP_MLFLOW, which is not set"):
        tracking_uri(config)
    monkeypatch.setenv("SHOP_MLFLOW", "http://bob:pw@h")
    assert tracking_uri(config) == "http://bob:pw@h"
