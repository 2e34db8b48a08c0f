"""A whole small study: sweep, finalists, the sealed test, the report, a comparison."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from experiments.compare import compare, listed
from experiments.config.command import run_command
from experiments.config.saved import read_config
from experiments.data.made.kinds import SHOP
from experiments.data.made.simulated import prepare_simulated
from experiments.export import export
from experiments.report import report
from experiments.study_folder.finalist_files import read_finalists, read_sessions
from experiments.sweep import sweep

N_TRIALS = 8


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "shop"
    prepare_simulated(folder, SHOP, 0)
    return folder


def run_sweep(shop, output_dir, name, *more) -> int:
    arguments = [
        "dataset=folder",
        f"dataset.path={shop}",
        f"study.name={name}",
        f"study.n_trials={N_TRIALS}",
        "pruner=none",
        "objective.estimator=naive",
        f"output_dir={output_dir}",
        *more,
    ]
    return run_command("sweep", sweep, arguments)


@pytest.fixture(scope="module")
def swept(tmp_path_factory, shop) -> Path:
    """Two studies of one shop, by two seeds, swept and not yet opened; to be copied."""
    folder = tmp_path_factory.mktemp("swept") / "outputs"
    assert run_sweep(shop, folder, "first", "tracking=none") == 0
    assert run_sweep(shop, folder, "second", "tracking=none", "study.seed=5") == 0
    return folder


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory, swept) -> Path:
    """Both studies; tests go on with what the ones before left."""
    return shutil.copytree(swept, tmp_path_factory.mktemp("module") / "outputs")


@pytest.fixture
def fresh(tmp_path, swept) -> Path:
    """Both studies, as swept."""
    return shutil.copytree(swept, tmp_path / "outputs")


def run_export(output_dir, name, *more) -> int:
    return run_command("export", export, [f"study={name}", f"output_dir={output_dir}", *more])


def opened_on(test) -> list[int]:
    """The trials whose scores were seen, in order."""
    return [item["trial"] for item in test["openings"] if item["sees"] == "scores"]


def read_summary(output_dir, name) -> dict:
    return json.loads((output_dir / name / "summary.json").read_text())


def test_a_sweep_leaves_its_finalists_best_first(output_dir):
    folder = output_dir / "first"
    finalists = read_finalists(folder)
    assert 1 <= len(finalists) <= 5
    assert finalists[0].metrics == read_summary(output_dir, "first")["best"]["metrics"]
    values = [item.metrics["ndcg_at_10"] for item in finalists]
    assert values == sorted(values, reverse=True)
    assert all(item.metrics["drift_mean"] <= 0.2 for item in finalists)
    assert finalists[0].bystanders.n_sessions > 0
    table = read_sessions(folder, "tune", finalists[0].trial)
    by_user = table["after_ndcg_at_10"].groupby(table["user"]).mean()
    assert by_user.mean() == pytest.approx(values[0])
    assert (folder / "report.html").is_file()


def test_a_sweep_never_opens_the_test(output_dir):
    summary = read_summary(output_dir, "second")
    assert "verdict" not in summary
    assert "test" not in summary
    assert not list((output_dir / "second" / "evidence").glob("test-*"))


@pytest.mark.slow
def test_export_opens_the_test_once_and_remembers(shop, output_dir, capsys):
    assert run_export(output_dir, "first") == 0
    printed = capsys.readouterr().out
    assert "optimism of having been chosen" in printed
    summary = read_summary(output_dir, "first")
    test, verdict = summary["test"], summary["verdict"]
    assert printed.splitlines()[0] == summary["answer"] == verdict["sentence"]
    assert verdict["decision"] in ("adopt", "keep off", "cannot tell")
    assert (verdict["decision"] == "adopt") == (not verdict["reasons"])
    gain = test["evidence"]["gain"]
    assert test["optimism"]["gap"] == pytest.approx(test["tune"]["gain"] - gain["gain"])
    assert opened_on(test) == [test["trial"]]
    assert test["look"] == 1
    table = read_sessions(output_dir / "first", "test", test["trial"])
    gains = (table["after_ndcg_at_10"] - table["before_ndcg_at_10"]).groupby(table["user"]).mean()
    assert gains.mean() == pytest.approx(gain["gain"])
    tune_best = read_config(output_dir / "first" / "tune_best.yaml").provenance["trial"]
    assert (
        tune_best == read_finalists(output_dir / "first")[0].trial == summary["tune_best"]["trial"]
    )
    adopts = verdict["decision"] == "adopt"
    assert summary["best"]["trial"] == (test["trial"] if adopts else tune_best)
    provenance = read_config(output_dir / "first" / "best.yaml").provenance
    assert provenance["trial"] == summary["best"]["trial"]
    if adopts:
        assert provenance["verdict"]["sentence"] == verdict["sentence"]
        assert provenance["test"]["low"] == gain["low"]

    assert run_export(output_dir, "first") == 0, "the same trial again"
    assert read_summary(output_dir, "first")["test"] == test

    other = next(
        item.trial for item in read_finalists(output_dir / "first") if item.trial != test["trial"]
    )
    capsys.readouterr()
    assert run_export(output_dir, "first", f"trial={other}") == 2
    assert f"was opened on trial {test['trial']}" in capsys.readouterr().err
    assert read_summary(output_dir, "first")["test"] == test
    assert run_export(output_dir, "first", f"trial={other}", "reopen=true") == 0
    second = read_summary(output_dir, "first")["test"]
    assert opened_on(second) == [test["trial"], other]
    assert second["look"] == 2
    assert second["evidence"]["gain"]["confidence"] == pytest.approx(0.9948, abs=1e-4)

    assert run_sweep(shop, output_dir, "first", "tracking=none") == 0
    assert read_summary(output_dir, "first")["test"] == second, "a resumed sweep keeps the verdict"


@pytest.mark.slow
def test_every_name_and_way_meets_the_seal_of_the_data(shop, fresh, capsys):
    """Another study of the same data, a deleted journal."""
    assert run_export(fresh, "first") == 0
    opened = read_summary(fresh, "first")["test"]["trial"]
    capsys.readouterr()
    assert run_export(fresh, "second") == 2
    assert f"was opened on trial {opened} of study first" in capsys.readouterr().err
    (journal,) = (fresh / "studies").glob("first.journal*")
    journal.unlink()
    assert run_sweep(shop, fresh, "first", "tracking=none", "study.seed=5") == 0
    capsys.readouterr()
    assert run_export(fresh, "first") == 2, "the ledger outlives the journal"
    assert "reopen=true" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("guardrail", "value", "said"),
    [
        ("min_gain", 0.5, "guardrails.min_gain was 0.005, is 0.5"),
        ("bystanders", "report", "guardrails.bystanders was keep_off, is report"),
    ],
)
def test_an_edited_configuration_meets_what_the_study_was_swept_with(
    fresh, guardrail, value, said, capsys
):
    place = fresh / "second" / "config.yaml"
    edited = yaml.safe_load(place.read_text())
    edited["guardrails"][guardrail] = value
    place.write_text(yaml.safe_dump(edited))
    assert run_export(fresh, "second", "reopen=true") == 2
    assert said in capsys.readouterr().err
    assert "test" not in read_summary(fresh, "second")


@pytest.mark.slow
def test_of_two_exports_at_once_one_opens_the_test(fresh):
    command = [sys.executable, "-m", "experiments.export", f"output_dir={fresh}"]
    running = [
        subprocess.Popen([*command, f"study={name}"], stdout=subprocess.DEVNULL)
        for name in ("first", "second")
    ]
    assert sorted(process.wait() for process in running) == [0, 2]


def test_a_trial_that_is_not_there_is_refused(output_dir, capsys):
    assert run_export(output_dir, "second", "trial=99") == 2
    assert "trial must be a complete trial of the study, got 99" in capsys.readouterr().err


def test_changed_data_are_refused_before_the_test_is_opened(output_dir, tmp_path, capsys):
    prepare_simulated(tmp_path / "other", replace(SHOP, n_sessions=2300), 1)
    assert run_export(output_dir, "second", f"dataset.path={tmp_path / 'other'}") == 2
    assert "The data set has changed since the sweep" in capsys.readouterr().err
    assert "test" not in read_summary(output_dir, "second")


def tune_mean(output_dir, name) -> float:
    """The mean over users of the trial that a study stands for, the adopted one if there is one."""
    trial = read_summary(output_dir, name)["best"]["trial"]
    table = read_sessions(output_dir / name, "tune", trial)
    return table["after_ndcg_at_10"].groupby(table["user"]).mean().mean()


def test_two_studies_of_one_log_are_compared_in_pairs(output_dir, capsys):
    arguments = listed(["studies=first,second", f"output_dir={output_dir}"])
    assert run_command("compare", compare, arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "NDCG@10 on the tune sessions, over means of each user:"
    assert [line.partition(":")[0] for line in printed[1:4]] == [
        "first",
        "second",
        "second against first",
    ]
    means = {name: tune_mean(output_dir, name) for name in ("first", "second")}
    gain = float(printed[3].partition(": ")[2].split()[0].replace("+.", "+0.").replace("-.", "-0."))
    assert gain == pytest.approx(means["second"] - means["first"], abs=0.0006)


def test_a_study_and_its_own_configuration_are_the_same(output_dir, capsys):
    paths = ",".join(str(output_dir / name / "best.yaml") for name in ("second", "second"))
    assert run_command("compare", compare, listed([f"configs={paths}"])) == 0
    assert "The difference may be chance." in capsys.readouterr().out


@pytest.mark.slow
def test_other_data_are_not_compared(shop, output_dir, tmp_path, capsys):
    prepare_simulated(tmp_path / "other", SHOP, 8)
    assert run_sweep(tmp_path / "other", output_dir, "elsewhere", "tracking=none") == 0
    capsys.readouterr()
    arguments = listed(["studies=first,elsewhere", f"output_dir={output_dir}"])
    assert run_command("compare", compare, arguments) == 2
    assert "cannot be compared: the data set (fingerprint) is" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["studies=first", "studies=first,second,third", ""])
def test_a_comparison_takes_two(given, capsys):
    assert run_command("compare", compare, listed([given] if given else [])) == 2
    assert "must name two" in capsys.readouterr().err


@pytest.mark.slow
def test_the_report_of_a_real_study_shows_its_verdict(output_dir, tmp_path):
    copy = shutil.copytree(output_dir, tmp_path / "outputs")
    assert run_export(copy, "second", "reopen=true") == 0
    assert run_command("report", report, ["study=second", f"output_dir={copy}"]) == 0
    page = (copy / "second" / "report.html").read_text(encoding="utf-8")
    decision = read_summary(copy, "second")["verdict"]["decision"]
    assert f"<strong>{decision.capitalize()}</strong>" in page


@pytest.mark.slow
def test_mlflow_shows_finalists_verdict_and_report(shop, tmp_path):
    from mlflow.tracking import MlflowClient

    assert run_sweep(shop, tmp_path, "tracked") == 0
    assert run_export(tmp_path, "tracked") == 0
    assert run_export(tmp_path, "tracked") == 0, "told twice, shown once"
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    (experiment,) = [item for item in client.search_experiments() if item.name == "simulated"]
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    (parent,) = [run for run in runs if run.data.tags["kind"] == "study"]
    summary = read_summary(tmp_path, "tracked")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["verdict"] == summary["verdict"]["decision"]
    assert parent.data.metrics["test_gain"] == pytest.approx(
        summary["test"]["evidence"]["gain"]["gain"]
    )
    assert parent.data.metrics["optimism"] == pytest.approx(summary["test"]["optimism"]["optimism"])
    finalists = [run for run in runs if "finalist" in run.data.tags]
    places = {int(run.data.tags["finalist"]): int(run.data.tags["trial"]) for run in finalists}
    known = read_finalists(tmp_path / "tracked")
    assert places == {place: item.trial for place, item in enumerate(known, start=1)}
    assert all(run.data.tags["mlflow.parentRunId"] == parent.info.run_id for run in finalists)
    names = {item.path for item in client.list_artifacts(parent.info.run_id)}
    assert {"report.html", "figures", "summary.json"} <= names
    drawn = {item.path for item in client.list_artifacts(parent.info.run_id, "figures")}
    assert {"figures/evidence.json", "figures/optimism.json", "figures/curve.json"} <= drawn
    config = yaml.safe_load((tmp_path / "tracked" / "config.yaml").read_text())
    assert config["study"]["name"] == "tracked"
