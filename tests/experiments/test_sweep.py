"""End to end: sweep a small log, resume it, export it, replay it to the same figures."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from experiments.config.command import run_command
from experiments.data.made.shop import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.evaluate import evaluate
from experiments.export import export
from experiments.replay.baseline_names import BASELINES
from experiments.study.file_lock import FileLock
from experiments.sweep import sweep
from experiments.track import track
from tests.experiments.mlflow_server import free_port, mlflow_server, stop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A log of 400 searches."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    sizes = SimulatedConfig(
        n_sessions=400, n_users=20, n_objects=60, n_topics=3, n_queries=12, n_shown=8, dimensions=8
    )
    prepare_simulated(folder, sizes)
    return folder


def arguments(shop, output_dir, *more: str) -> list[str]:
    return [
        "dataset=folder",
        f"dataset.path={shop}",
        f"output_dir={output_dir}",
        "study.name=shop",
        "study.n_trials=6",
        "tracking=none",
        "replay.n_blocks=4",
        *more,
    ]


def run_sweep(shop, output_dir, *more: str) -> int:
    return run_command("sweep", sweep, arguments(shop, output_dir, *more))


def rows(output_dir):
    return list(csv.DictReader((output_dir / "shop" / "trials.csv").open()))


def without_seconds(output_dir):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows(output_dir)]


@pytest.fixture(scope="session")
def swept(shop, tmp_path_factory):
    """The output folder of a finished sweep with MLflow."""
    folder = tmp_path_factory.mktemp("out")
    assert run_sweep(shop, folder, "tracking=mlflow") == 0
    return folder


def test_a_sweep_leaves_what_it_promises(swept):
    there = {str(path.relative_to(swept)) for path in swept.rglob("*") if path.is_file()}
    assert there >= {
        "mlflow.db",
        "studies/shop.journal",
        "shop/config.yaml",
        "shop/trials.csv",
        "shop/summary.json",
        "shop/best.yaml",
        "shop/tune_best.yaml",
    }
    summary = json.loads((swept / "shop" / "summary.json").read_text())
    assert sum(summary["trials"].values()) == len(rows(swept)) == 6
    for name in ("no_adjustment", "logged_order", "popularity", "rocchio", "published_defaults"):
        assert 0 < summary[name]["metrics"]["ndcg_at_10"] <= 1
    config = yaml.safe_load((swept / "shop" / "config.yaml").read_text())
    assert config["study"]["n_trials"] == 6


def test_mlflow_and_the_study_agree(swept):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{swept / 'mlflow.db'}")
    experiments = [item.experiment_id for item in client.search_experiments()]
    runs = client.search_runs(experiments, max_results=1000)
    trials = {run.data.tags["trial"]: run for run in runs if "trial" in run.data.tags}
    kinds = [run.data.tags["kind"] for run in runs]
    assert (kinds.count("study"), kinds.count("baseline")) == (1, len(BASELINES))
    assert kinds.count("trial") == len(trials)
    assert set(trials) == {row["number"] for row in rows(swept)}
    objective = json.loads((swept / "shop" / "summary.json").read_text())["objective"]
    for row in rows(swept):
        run = trials[row["number"]].data
        name = "value_when_pruned" if row["state"] == "pruned" else objective
        assert run.metrics[name] == float(row["value"])
        assert run.tags["state"] == row["state"]


@pytest.mark.slow
def test_what_was_not_tracked_is_delivered_afterwards_and_once(shop, tmp_path, capsys):
    from mlflow.tracking import MlflowClient

    out, store = tmp_path / "out", f"sqlite:///{tmp_path / 'later.db'}"
    assert run_sweep(shop, out) == 0
    for _ in range(2):
        command = ["study=shop", f"output_dir={out}", f"uri={store}"]
        assert run_command("track", track, command) == 0
    assert store in capsys.readouterr().out
    client = MlflowClient(tracking_uri=store)
    experiments = [item.experiment_id for item in client.search_experiments()]
    tags = [run.data.tags for run in client.search_runs(experiments, max_results=1000)]
    assert sorted(tag["trial"] for tag in tags if tag["kind"] == "trial") == sorted(
        row["number"] for row in rows(out)
    )
    assert [tag["kind"] for tag in tags].count("study") == 1


def test_the_same_name_goes_on_and_a_shorter_total_runs_nothing(shop, swept, capsys):
    before = rows(swept)
    assert run_sweep(shop, swept, "study.n_trials=3") == 0
    assert rows(swept) == before


def test_an_exported_configuration_replays_to_its_figures(swept, capsys, monkeypatch):
    monkeypatch.chdir(swept)
    (swept / "shop" / "best.yaml").unlink()
    assert run_command("export", export, ["study=shop", f"output_dir={swept}", "force=true"]) == 0
    best = swept / "shop" / "best.yaml"
    assert run_command("evaluate", evaluate, [f"config={best}"]) == 0
    assert "figures are as stated, to 1e-09" in capsys.readouterr().out


def test_a_figure_that_does_not_hold_is_a_failure(swept, tmp_path, capsys):
    data = yaml.safe_load((swept / "shop" / "best.yaml").read_text())
    data["provenance"]["metrics"]["ndcg_at_10"] += 1e-6
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(data))
    assert run_command("evaluate", evaluate, [f"config={tmp_path / 'best.yaml'}"]) == 1
    assert "ndcg_at_10 is" in capsys.readouterr().err


def test_other_data_are_not_compared(swept, tmp_path, capsys):
    data = yaml.safe_load((swept / "shop" / "best.yaml").read_text())
    data["provenance"]["dataset"]["fingerprint"] = "f" * 64
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(data))
    assert run_command("evaluate", evaluate, [f"config={tmp_path / 'best.yaml'}"]) == 0
    assert "not the data" in capsys.readouterr().err


def test_the_best_configuration_can_be_swept_on_from(shop, swept, tmp_path):
    folder = swept / "shop"
    more = ["study.name=again", f"output_dir={tmp_path}", "study.n_trials=4", "tracking.name=none"]
    assert (
        run_command("sweep", sweep, ["--config-dir", str(folder), "--config-name", "best", *more])
        == 0
    )
    origins = json.loads((tmp_path / "again" / "summary.json").read_text())
    assert origins["trials"]["failed"] == 0


def test_a_changed_replay_is_refused_saying_what_differs(shop, swept, capsys):
    assert run_sweep(shop, swept, "replay.interval_seconds=60") == 2
    assert "adjuster.interval_seconds was 3600, is 60" in capsys.readouterr().err


def test_two_sweeps_write_the_same_rows(shop, swept, tmp_path):
    assert run_sweep(shop, tmp_path) == 0
    assert without_seconds(tmp_path) == without_seconds(swept)


def test_a_missing_data_set_is_said_before_anything_is_written(tmp_path, capsys):
    assert run_sweep(tmp_path / "nowhere", tmp_path / "out") == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_faulty_space_is_said_before_the_data_are_read(tmp_path, capsys):
    fault = "search_space.parameters.num_iterations.low=60"
    assert run_sweep(tmp_path / "nowhere", tmp_path / "out", fault) == 2
    assert "num_iterations.low must be <=" in capsys.readouterr().err


def test_all_trials_failing_is_exit_status_1(shop, tmp_path, capsys, monkeypatch):
    def broken(self, settings):
        raise RuntimeError("out of order")

    monkeypatch.setattr("experiments.replay.replay.Replay.iter_blocks", broken)
    monkeypatch.setattr(
        "experiments.workflow.baselines.score_baselines", lambda replay, settings: {}
    )
    monkeypatch.setattr("experiments.workflow.outlook._reference", lambda replay, base: None)
    monkeypatch.setattr("experiments.commands.sweep.result_table", lambda *given, **more: "")
    monkeypatch.setattr("experiments.study_folder.summary.Summary.answer", "")
    assert run_sweep(shop, tmp_path) == 1
    assert "All trials failed: RuntimeError: out of order" in capsys.readouterr().err
    assert {row["state"] for row in rows(tmp_path)} == {"failed"}


def test_ctrl_c_keeps_finished_trials_and_says_how_to_go_on(
    shop, swept, tmp_path, capsys, monkeypatch
):
    from experiments.replay.replay import Replay

    real, calls = Replay.iter_blocks, []

    def interrupted(self, settings):
        calls.append(settings)
        if len(calls) == 5:  # the first is what the data can tell, the others are trials
            raise KeyboardInterrupt
        return (yield from real(self, settings))

    with monkeypatch.context() as patch:
        patch.setattr(Replay, "iter_blocks", interrupted)
        assert run_sweep(shop, tmp_path) == 130
    told = capsys.readouterr().err
    assert "3 finished trials of study shop are kept; the same command goes on" in told
    assert [row["state"] for row in rows(tmp_path)].count("complete") >= 2
    assert run_sweep(shop, tmp_path) == 0
    values = [row["value"] for row in rows(tmp_path) if row["value"]]
    assert values == [row["value"] for row in rows(swept)]


@pytest.mark.slow
def test_four_workers_finish_100_trials_none_lost_or_doubled(shop, tmp_path):
    assert run_sweep(shop, tmp_path, "study.workers=4", "study.n_trials=100") == 0
    found = rows(tmp_path)
    assert [int(row["number"]) for row in found] == list(range(100))
    params = [tuple(v for k, v in row.items() if k.startswith("param_")) for row in found]
    assert len(set(params)) == 100
    journal = (tmp_path / "studies" / "shop.journal").read_text()
    assert len({json.loads(line)["worker_id"] for line in journal.splitlines()}) >= 4


@pytest.mark.slow
def test_a_sweep_killed_with_its_workers_goes_on(shop, tmp_path):
    command = [sys.executable, "-m", "experiments.sweep"]
    command += arguments(shop, tmp_path, "study.workers=2", "study.n_trials=12")
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    journal = tmp_path / "studies" / "shop.journal"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (
        journal.exists() and journal.read_text().count('"origin"') > 3
    ):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until_free(tmp_path / "studies" / ".locks" / "shop.run")
    assert run_sweep(shop, tmp_path, "study.n_trials=12") == 0
    done = [row for row in rows(tmp_path) if row["state"] != "failed"]
    assert len(done) == 12


def wait_until_free(path):
    """Wait for workers that were killed to end: a process in a system call ends only behind it."""
    lock, deadline = FileLock(path), time.monotonic() + 60
    while not lock.try_acquire():
        assert time.monotonic() < deadline, f"{path} is still held"
        time.sleep(0.1)
    lock.release()


@pytest.mark.slow
def test_a_server_stopped_half_way_leaves_mlflow_and_study_equal(shop, tmp_path):
    port, out = free_port(), tmp_path / "out"
    more = ["tracking=mlflow", f"tracking.uri=http://127.0.0.1:{port}", "study.n_trials=30"]
    with mlflow_server(tmp_path, port) as server:
        watch = threading.Thread(target=stop_after, args=(server, tmp_path, 5))
        watch.start()
        assert run_sweep(shop, out, *more) == 0
        watch.join()
    assert [row["state"] for row in rows(out)].count("failed") == 0
    assert 0 < len(tracked(tmp_path)) < 30
    with mlflow_server(tmp_path, port):
        assert run_sweep(shop, out, *more) == 0
    assert sorted(tracked(tmp_path)) == sorted((row["number"], row["value"]) for row in rows(out))


def stop_after(server, folder, n_trials):
    """Stop a server once it holds so many trials."""
    while len(tracked(folder)) < n_trials:
        time.sleep(0.05)
    stop(server)


def tracked(folder):
    """(number, value) of every trial in a folder's store, twins included.

    A pruned trial's value stands under a name of its own.
    """
    store = sqlite3.connect(folder / "mlflow.db")
    try:
        found = store.execute(
            "select tags.value, metrics.value from tags join metrics using (run_uuid) "
            "join runs using (run_uuid) where tags.key = 'trial' "
            "and metrics.key in ('judged_ndcg_at_10', 'value_when_pruned') "
            "and runs.lifecycle_stage = 'active'"
        ).fetchall()
    except sqlite3.OperationalError:
        found = []  # busy, or not made yet
    finally:
        store.close()
    return [(number, str(value)) for number, value in found]
