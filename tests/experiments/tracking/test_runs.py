"""The end of a study in MLflow: finalists, sealed test, files; told twice, shown once."""

import pytest

from experiments.config.commands import TrackingConfig
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.lengths import LONGEST_TAG
from experiments.tracking.run_content import Conclusion
from experiments.tracking.runs import MlflowRuns
from experiments.tracking.study_info import StudyInfo, tracking_location
from experiments.tracking.tracker import track_conclusion
from tests.experiments.planted_records import DATASET, finalist, sealed, summary

INFO = StudyInfo("uid-1", "tiny", "shop", {"study": {"name": "tiny"}, "empty": {}}, DATASET)
FILES = {"report.html": "<p>page</p>", "figures/history.json": "{}"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store that was first told of a sealed study, then twice of the opened one."""
    folder = StudyFolder(tmp_path_factory.mktemp("store"), "tiny")
    chosen = [finalist(12), finalist(3, bystanders=None)]
    for opened in (None, sealed("keep off"), sealed("keep off")):
        found = summary().with_sealed(opened)
        conclusion = Conclusion(found, chosen, FILES, "note " * LONGEST_TAG)
        assert track_conclusion(TrackingConfig(), folder, INFO, conclusion) == ""
    return folder


@pytest.fixture(scope="module")
def client(folder):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=folder.tracking_uri)


@pytest.fixture(scope="module")
def runs(client):
    experiment = client.get_experiment_by_name("shop")
    return {
        run.data.tags["study.key"]: run for run in client.search_runs([experiment.experiment_id])
    }


def test_each_finalist_has_one_run_with_its_settings_and_comparisons(runs):
    assert set(runs) == {"study", "finalist:12", "finalist:3"}
    best = runs["finalist:12"]
    assert best.data.metrics["over_nothing_gain"] == 0.02
    assert best.data.metrics["bystanders_gain"] == -0.002
    assert best.data.params["adjuster.anchor_weight"] == "0.05"
    assert best.data.tags["mlflow.parentRunId"] == runs["study"].info.run_id
    assert "bystanders_gain" not in runs["finalist:3"].data.metrics


def test_the_studys_run_shows_the_opened_test_and_is_finished(runs):
    study = runs["study"]
    assert study.info.status == "FINISHED"
    assert study.data.tags["verdict"] == "keep off"
    assert study.data.tags["verdict.sentence"] == "Keep off: NDCG@10 rises."
    assert study.data.metrics["test_gain"] == 0.02
    assert "test_reach" not in study.data.metrics, "a number that is not defined is not shown"


def test_an_empty_group_of_settings_is_no_parameter(runs):
    assert runs["study"].data.params == {"study.name": "tiny"}


def test_a_long_note_is_cut_to_what_every_server_takes(runs):
    assert len(runs["study"].data.tags["mlflow.note.content"]) == LONGEST_TAG


def test_a_text_that_is_cut_says_how_long_it_was(runs):
    assert runs["study"].data.tags["mlflow.note.content"].endswith("… (25000 characters)")


def test_long_and_odd_parameters_are_shortened_so_that_they_can_be_told(client, folder):
    config = {"search_space": {"é+" * 200: {"choices": "x" * 9000}, "é*" * 200: {"choices": "y"}}}
    info = StudyInfo("long", "long", "long names", config, DATASET)
    MlflowRuns(folder.tracking_uri, None, info).open([], [])
    (run,) = client.search_runs([client.get_experiment_by_name("long names").experiment_id])
    values = sorted(run.data.params.values(), key=len)
    assert [len(value) for value in values] == [1, 6000]
    assert values[1].endswith("… (9000 characters)")


def test_the_files_are_artifacts_of_the_studys_run(client, runs):
    run_id = runs["study"].info.run_id
    names = {item.path for item in client.list_artifacts(run_id)}
    assert {"report.html", "figures", "config.yaml"} <= names


def test_runs_of_another_process_are_found_again(folder, client):
    uri, location = tracking_location(TrackingConfig(), folder, INFO.experiment)
    later = MlflowRuns(uri, location, INFO)
    later.open([], [])
    experiment = client.get_experiment_by_name("shop")
    assert len(client.search_runs([experiment.experiment_id])) == 3


def test_a_store_that_cannot_be_written_is_said_in_words(tmp_path):
    nowhere = TrackingConfig(uri=f"sqlite:////proc/{tmp_path.name}/mlflow.db")
    conclusion = Conclusion(summary(), [], {}, "")
    said = track_conclusion(nowhere, StudyFolder(tmp_path, "tiny"), INFO, conclusion)
    assert "could not be written" in said
    assert "The files above hold everything." in said
    none = TrackingConfig(name="none")
    assert track_conclusion(none, StudyFolder(tmp_path, "tiny"), INFO, conclusion) == ""
