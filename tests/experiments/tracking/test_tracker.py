"""MLflow and the study agree trial by trial, whatever died in between."""

import threading
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from experiments.config.study import TrackingConfig
from experiments.study.records import BaselineRecord
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.courier import Courier
from experiments.tracking.runs import MlflowRuns
from experiments.tracking.study_info import StudyInfo
from experiments.tracking.tracker import MlflowTracker, NoTracker, open_tracker
from tests.experiments.fake_replay import FakeReplay, Killed, make_config, run_study
from tests.experiments.planted_records import DATASET, summary

BASELINE = BaselineRecord("popularity", {"strength": 10}, {"ndcg_at_10": 0.8, "reach": 0.0})


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A study with a complete, a failed and a lost trial, and its summary."""
    folder = tmp_path_factory.mktemp("swept")

    def on_run(number, settings):
        if number == 2:
            raise ValueError("no such thing")
        if number == 3:
            raise Killed

    config = make_config(folder, n_trials=5)
    run_study(config, FakeReplay(on_run))
    records = run_study(config)
    return config, records, summary()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A store that is set up once."""
    return StudyFolder(tmp_path_factory.mktemp("store"), "tiny").tracking_uri


@pytest.fixture
def info(swept, request):
    uid = f"{request.node.name}-{time.time_ns()}"
    return StudyInfo(uid, "tiny", "shop", asdict(swept[0]), DATASET, "ndcg_at_10")


def client_of(uri):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def tracked(uri, info):
    client = client_of(uri)
    experiment = client.get_experiment_by_name("shop")
    query = f"tags.`study.uid` = '{info.uid}'"
    runs = client.search_runs([experiment.experiment_id], query, max_results=1000)
    return {run.data.tags["study.key"]: run for run in runs}, len(runs)


def deliver(uri, info, swept, location=None):
    _, records, found = swept
    tracker = MlflowTracker(uri, location, info)
    tracker.start([], [BASELINE])
    for record in records:
        tracker.trial(record)
    return tracker.finish(records, found)


@pytest.fixture
def location(tmp_path):
    return (tmp_path / "artifacts").as_uri()


def test_every_trial_and_baseline_is_a_run_nested_in_the_studys(server, info, swept, location):
    assert deliver(server, info, swept, location) == ""
    runs, n_runs = tracked(server, info)
    assert n_runs == len(runs) == 1 + 1 + len(swept[1])
    parent = runs.pop("study")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert {run.info.status for key, run in runs.items()} == {"FINISHED", "FAILED"}


def test_a_trials_run_says_what_the_study_says(server, info, swept, location):
    deliver(server, info, swept, location)
    runs, _ = tracked(server, info)
    for record in swept[1]:
        run = runs[f"trial:{record.number}"]
        assert run.data.tags["state"] == record.state
        assert run.data.tags["reason"] == record.reason
        assert run.data.params == {name: str(value) for name, value in record.values.items()}
        assert len(run.data.metrics) <= 10
        if record.state == "complete":
            assert run.data.metrics["ndcg_at_10"] == record.metrics["ndcg_at_10"]
            assert run.data.metrics["feasible"] == float(record.is_feasible)
        assert (run.info.status == "FAILED") == (record.state == "failed")


def test_all_settings_of_a_trial_are_in_its_file(server, info, swept, location):
    deliver(server, info, swept, location)
    runs, _ = tracked(server, info)
    text = client_of(server).download_artifacts(runs["trial:0"].info.run_id, "config.yaml")
    config = yaml.safe_load(Path(text).read_text())
    assert config["replay"]["n_blocks"] == 8
    assert config["adjuster"] == swept[1][0].settings["adjuster"]


def test_the_curve_is_steps(server, info, swept, location):
    deliver(server, info, swept, location)
    runs, _ = tracked(server, info)
    history = client_of(server).get_metric_history(runs["trial:0"].info.run_id, "curve_after")
    assert [item.step for item in history] == [0, 1, 2]


def test_the_studys_run_holds_configuration_best_and_counts(server, info, swept, location):
    deliver(server, info, swept, location)
    runs, _ = tracked(server, info)
    parent = runs["study"]
    assert parent.data.params["study.name"] == "tiny"
    assert parent.data.tags["dataset.fingerprint"] == DATASET.fingerprint
    assert parent.data.tags["best.adjustment_rate"] == "0.01"
    assert parent.data.metrics["trials_complete"] == 4
    assert parent.data.tags["version.numpy"] == np.__version__
    (used,) = parent.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("shop", "f" * 36)
    assert {tag.key: tag.value for tag in used.tags} == {"mlflow.data.context": "tune"}
    assert any(name.startswith("search_space.") for name in parent.data.params)


def test_delivering_again_makes_no_twins(server, info, swept, location):
    deliver(server, info, swept, location)
    before, n_before = tracked(server, info)
    assert deliver(server, info, swept, location) == ""
    after, n_after = tracked(server, info)
    assert n_after == n_before
    assert {key: run.info.run_id for key, run in after.items()} == {
        key: run.info.run_id for key, run in before.items()
    }


def test_what_a_dead_process_left_is_finished_not_doubled(server, info, swept, location):
    records = swept[1]
    first = MlflowRuns(server, location, info)
    first.open([], [])
    first.deliver_trial(records[0])
    begun = first._create("trial:1", "trial-0001", {})
    first._log(begun, {"study.n_trials": 3}, [], {})
    assert deliver(server, info, swept, location) == ""
    runs, n_runs = tracked(server, info)
    assert n_runs == len(runs) == 2 + len(records)
    assert runs["trial:1"].info.run_id != begun, "its parameters could not be changed"
    assert runs["trial:1"].info.status == "FINISHED"
    assert runs["trial:1"].data.metrics["ndcg_at_10"] == records[1].value


def test_two_machines_that_deliver_one_study_make_no_twins(server, info, swept, location):
    lock = threading.Lock()

    @contextmanager
    def alone():
        with lock:
            yield

    machines = [MlflowTracker(server, location, info, alone) for _ in range(2)]
    for tracker in machines:
        tracker.start(swept[1], [BASELINE])
    assert [tracker.finish(swept[1], swept[2]) for tracker in machines] == ["", ""]
    runs, n_runs = tracked(server, info)
    assert n_runs == len(runs) == 2 + len(swept[1])


def test_two_studies_of_one_name_are_kept_apart(server, info, swept, location):
    other = StudyInfo(f"{info.uid}-other", "tiny", "shop", info.config, info.dataset, "ndcg_at_10")
    deliver(server, info, swept, location)
    deliver(server, other, swept, location)
    assert tracked(server, info)[1] == tracked(server, other)[1] == 2 + len(swept[1])


def test_a_server_that_is_down_costs_no_trial_and_is_said(info, swept, tmp_path, monkeypatch):
    nowhere = f"sqlite:////proc/{tmp_path.name}/mlflow.db"
    said = deliver(nowhere, info, swept)
    assert "could not be written" in said
    assert "No trial is lost" in said


def test_no_tracker_says_nothing(swept, tmp_path, info):
    tracker = open_tracker(TrackingConfig(name="none"), StudyFolder(tmp_path, "tiny"), info)
    assert isinstance(tracker, NoTracker)
    tracker.start([], [])
    assert tracker.finish(swept[1], swept[2]) == ""


def test_the_environment_names_no_store_afterwards(server, info, swept, location, monkeypatch):
    import os

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    deliver(server, info, swept, location)
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_courier_delivers_in_order_and_stops_at_the_first_error():
    courier, delivered = Courier(), []
    courier.send(lambda: delivered.append(1))
    courier.send(lambda: delivered.append(1 // 0))
    courier.send(lambda: delivered.append(3))
    courier.close()
    assert delivered == [1]
    assert isinstance(courier.error, ZeroDivisionError)
