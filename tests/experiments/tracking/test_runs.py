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
from tests.experiments.planted_trials import record

CONFIG = {"study": {"name": "tiny"}, "empty": {}}
INFO = StudyInfo("uid-1", "tiny", "shop", CONFIG, DATASET, "ndcg_at_10")
FILES = {"report.html": "<p>page</p>", "figures/history.json": "{}"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store that was first told of a sealed study, then twice of the opened one."""
    folder = StudyFolder(tmp_path_factory.mktemp("store"), "tiny")
    uri, location = tracking_location(TrackingConfig(), folder, INFO.experiment)
    MlflowRuns(uri, location, INFO).open([record(number, 0.7) for number in (3, 5, 12)], [])
    for opened in (None, sealed("keep off"), sealed("keep off")):
        chosen = [finalist(12), finalist(3, bystanders=None)] if opened else [finalist(5)]
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


def test_a_finalist_is_its_trials_run_and_no_other(runs):
    assert set(runs) == {"study", "trial:12", "trial:3", "trial:5"}
    tags = runs["trial:12"].data.tags
    assert (tags["finalist"], runs["trial:3"].data.tags["finalist"]) == ("1", "2")
    assert tags["finalist.bystanders"] == "-.002 (-.012 to +.008)"
    assert "finalist" not in runs["trial:5"].data.tags, "it was one until others were better"
    assert not [name for name in runs["trial:5"].data.tags if name.startswith("finalist.")]


def test_the_experiment_opens_on_its_runs(client):
    experiment = client.get_experiment_by_name("shop")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_an_experiment_of_an_earlier_version_is_mended(client, folder):
    made = client.create_experiment("earlier")
    info = StudyInfo("u", "s", "earlier", {}, DATASET, "ndcg_at_10")
    found = MlflowRuns(folder.tracking_uri, None, info)
    assert found.page == ""
    found.open([], [])
    assert client.get_experiment(made).tags["mlflow.experimentKind"] == "custom_model_development"
    assert len(client.search_runs([made])) == 1
    assert found.page == f"#/experiments/{made}/runs?workflowType=machine_learning"


def test_the_studys_run_shows_the_best_of_now(runs):
    assert runs["study"].data.tags["best.trial"] == "12"
    assert runs["study"].data.tags["best.adjustment_rate"] == "0.01"
    assert runs["study"].data.metrics["ndcg_at_10"] == 0.79


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
    info = StudyInfo("long", "long", "long names", config, DATASET, "ndcg_at_10")
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
    assert len(client.search_runs([experiment.experiment_id])) == 4


def test_a_store_that_cannot_be_written_is_said_in_words(tmp_path):
    nowhere = TrackingConfig(uri=f"sqlite:////proc/{tmp_path.name}/mlflow.db")
    conclusion = Conclusion(summary(), [], {}, "")
    said = track_conclusion(nowhere, StudyFolder(tmp_path, "tiny"), INFO, conclusion)
    assert "could not be written" in said
    assert "The files above hold everything." in said
    none = TrackingConfig(name="none")
    assert track_conclusion(none, StudyFolder(tmp_path, "tiny"), INFO, conclusion) == ""
