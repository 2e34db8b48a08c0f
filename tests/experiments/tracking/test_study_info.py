"""Where MLflow is, and under which experiment a study stands."""

from experiments.config.study import TrackingConfig
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.study_info import study_info, tracking_location
from tests.experiments.planted_records import DATASET


def test_the_experiment_is_the_data_sets_unless_it_is_named():
    assert study_info("u", "s", DATASET, TrackingConfig(), {}).experiment == "shop"
    named = study_info("u", "s", DATASET, TrackingConfig(experiment="mine"), {})
    assert named.experiment == "mine"


def test_the_store_lies_beside_the_studies_unless_it_is_named(tmp_path):
    folder = StudyFolder(tmp_path, "s")
    uri, artifacts = tracking_location(TrackingConfig(), folder, "my shop")
    assert uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifacts == f"file://{tmp_path}/mlartifacts/my%20shop"
    assert tracking_location(TrackingConfig(uri="http://x"), folder, "e") == ("http://x", None)
