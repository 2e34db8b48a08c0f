"""End to end: what an export leaves behind, and what it refuses to."""

import errno
import json
import os
import shutil
from dataclasses import asdict

import pytest
import yaml

from adjuster.index import SearchIndexInfo
from experiments.config.command import run_command
from experiments.data.made.shop import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.deployment import personalized_vectors
from experiments.deployment.personalized_vectors import FILE
from experiments.export import export
from experiments.sweep import sweep

FILES = ("best.yaml", "best.env", "best_plugin.py", "best.json")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The output folder of a sweep too small for any verdict but cannot tell."""
    root = tmp_path_factory.mktemp("export")
    sizes = SimulatedConfig(
        n_sessions=300, n_users=15, n_objects=50, n_topics=3, n_queries=10, n_shown=6, dimensions=6
    )
    prepare_simulated(root / "shop", sizes)
    arguments = [
        "dataset=folder",
        f"dataset.path={root / 'shop'}",
        f"output_dir={root / 'out'}",
        "study.name=shop",
        "study.n_trials=4",
        "replay.n_blocks=3",
    ]
    assert run_command("sweep", sweep, arguments) == 0
    return root / "out"


@pytest.fixture
def outputs(swept, tmp_path):
    """A copy of it, so that no test sees another's files."""
    shutil.copytree(swept, tmp_path / "out")
    return tmp_path / "out"


def run(outputs, *more: str) -> int:
    # MLflow's store holds absolute addresses, so a copy of it is left alone.
    (outputs / "shop" / "config.yaml").write_text(
        yaml.safe_dump(
            yaml.safe_load((outputs / "shop" / "config.yaml").read_text())
            | {"tracking": {"name": "none", "uri": None, "experiment": None}}
        )
    )
    return run_command("export", export, ["study=shop", f"output_dir={outputs}", *more])


def test_cannot_tell_writes_the_verdict_and_nothing_to_deploy(outputs, capsys):
    before = (outputs / "shop" / "best.yaml").read_bytes()
    assert run(outputs, f"vectors={outputs / 'vectors'}") == 0
    told = capsys.readouterr().out
    assert "To know, show both rankings, interleaved, to 50% of the users" in told
    assert "Nothing to deploy was written, because the verdict is cannot tell" in told
    assert f"python -m experiments.export study=shop output_dir={outputs} force=true" in told
    summary = json.loads((outputs / "shop" / "summary.json").read_text())
    assert summary["verdict"]["decision"] == "cannot tell"
    assert (outputs / "shop" / "report.html").exists()
    assert not any((outputs / "shop" / name).exists() for name in FILES[1:])
    assert (outputs / "shop" / "best.yaml").read_bytes() == before
    assert not (outputs / "vectors").exists()


def test_force_writes_all_formats_and_the_vectors_and_says_so_inside(outputs, capsys):
    vectors = outputs / "vectors"
    assert run(outputs, "format=all", "force=true", f"vectors={vectors}") == 0
    told = capsys.readouterr().out
    assert "The sealed test says CANNOT TELL: this was exported all the same" in told
    assert f"personalized vectors: {vectors / FILE}" in told
    for name in FILES:
        assert str(outputs / "shop" / name) in told
        assert "cannot tell" in (outputs / "shop" / name).read_text()
    best = yaml.safe_load((outputs / "shop" / "best.yaml").read_text())
    data = json.loads((outputs / "shop" / "best.json").read_text())
    assert data["adjuster"] == best["adjuster"] | {
        "logit_bias": data["adjuster"]["logit_bias"],
        "interval_seconds": best["adjuster"]["interval_seconds"],
    }
    assert data["provenance"]["trial"] == best["provenance"]["trial"]
    assert data["provenance"]["test"]["low"] == best["provenance"]["test"]["low"]
    source = (outputs / "shop" / "best_plugin.py").read_text()
    module: dict = {}
    exec(compile(source, "best_plugin.py", "exec"), module)
    config = module["get_vectors_adjuster"](SearchIndexInfo(**data["index"])).config
    assert {**asdict(config), "interval_seconds": 0} == {**data["adjuster"], "interval_seconds": 0}


def test_one_format_is_one_file(outputs):
    (outputs / "shop" / "best.yaml").unlink()
    assert run(outputs, "format=env", "force=true") == 0
    assert [name for name in FILES if (outputs / "shop" / name).exists()] == ["best.env"]


def test_files_of_an_earlier_export_are_pointed_out(outputs, capsys):
    assert run(outputs, "format=env", "force=true") == 0
    capsys.readouterr()
    assert run(outputs) == 0
    told = capsys.readouterr().out
    assert f"An earlier export's is still there: {outputs / 'shop' / 'best.env'}" in told
    assert "best.json" not in told


def test_vectors_that_cannot_be_written_are_said(outputs, capsys):
    place = outputs / "shop" / "config.yaml"
    assert run(outputs, "force=true", f"vectors={place}") == 2
    assert (
        f"vectors must be a folder that can be written to, got {place}" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (errno.ENOSPC, 1, "the disk is full. Make room"),
        pytest.param(
            errno.EDQUOT, 1, "the quota of this user is used up. Make room", marks=pytest.mark.slow
        ),
        pytest.param(errno.EIO, 1, "the disk reports an error", marks=pytest.mark.slow),
        pytest.param(
            errno.EFBIG, 1, "would be larger than this process may write", marks=pytest.mark.slow
        ),
        (errno.EACCES, 2, "vectors must be a folder that can be written to"),
        pytest.param(
            errno.EROFS,
            2,
            "vectors must be a folder that can be written to",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_vectors_that_the_machine_refuses_are_not_the_users_fault(
    outputs, capsys, monkeypatch, number, status, said
):
    def refused(path, *arguments):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(personalized_vectors, "_write", refused)
    assert run(outputs, "force=true", "format=all", f"vectors={outputs / 'v'}") == status
    assert said in capsys.readouterr().err
    assert list((outputs / "v").iterdir()) == []
    assert not any((outputs / "shop" / name).exists() for name in FILES[1:])


def test_an_edited_configuration_is_to_be_restored_or_swept_anew(outputs, capsys):
    file = outputs / "shop" / "config.yaml"
    data = yaml.safe_load(file.read_text())
    data["replay"]["seed"] += 1
    data["guardrails"]["max_mean_drift"] = 0.123
    file.write_text(yaml.safe_dump(data))
    # Whoever opens a journal adds a line to it.
    others = [path for path in outputs.rglob("*") if path.is_file() and path != file]
    others = [path for path in others if path.suffix != ".journal"]
    before = [path.read_bytes() for path in others]
    assert run(outputs, "force=true") == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "guardrails.max_mean_drift was 0.2, is 0.123; replay.seed was 0, is 1" in told
    assert f"Set them back in {file}, or sweep a new study with them" in told
    assert "study.name=" not in told
    assert [path.read_bytes() for path in others] == before


def test_an_unknown_format_is_refused(outputs, capsys):
    assert run(outputs, "format=xml") == 2
    assert "format must be one of all, yaml, env, plugin, json, got xml" in capsys.readouterr().err


@pytest.mark.slow
def test_the_exported_trial_becomes_the_champion(swept, capsys):
    from mlflow.tracking import MlflowClient

    arguments = ["study=shop", f"output_dir={swept}", "force=true", "format=json"]
    assert run_command("export", export, arguments) == 0
    assert "model:  models:/simulated@champion" in capsys.readouterr().out
    client = MlflowClient(tracking_uri=f"sqlite:///{swept / 'mlflow.db'}")
    champion = client.get_model_version_by_alias("simulated", "champion")
    data = json.loads((swept / "shop" / "best.json").read_text())
    assert champion.tags["trial"] == str(data["provenance"]["trial"])
    assert champion.tags["verdict"] == "cannot tell"
    (best,) = (swept / "mlartifacts").rglob("artifacts/best.json")
    assert json.loads(best.read_text()) == data
