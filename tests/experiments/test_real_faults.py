"""Real processes that the system refuses something: a size limit, a full or closed stdout."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KB = 1024
MADE = [
    "simulated.n_sessions=400",
    "simulated.n_users=24",
    "simulated.n_objects=60",
    "simulated.n_shown=6",
    "simulated.n_topics=4",
    "simulated.n_queries=20",
    "simulated.dimensions=8",
]
SWEEP = ["study.name=s", "study.enqueue=none", "study.n_trials=2", "dataset=folder"]


def run(command, *arguments, limit=None, stdout=subprocess.PIPE):
    """A command in its own process, whose files may grow to `limit` bytes; status, out, err."""

    def restrict():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", f"experiments.{command}", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=restrict,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "shop"
    assert run("simulate", f"output={folder}", *MADE)[0] == 0
    return folder


def whole(folder):
    """Whether no file in it is half written; that there are some."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
    return [path.name for path in files]


def test_a_data_set_larger_than_a_file_may_be_is_not_there(tmp_path):
    made = tmp_path / "shop"
    status, _, told = run("simulate", f"output={made}", *MADE, limit=2 * KB)
    assert status == 1
    assert "would be larger than this process may write" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_command_that_was_refused_goes_on_once_it_is_not(shop, tmp_path):
    arguments = [*SWEEP, f"dataset.path={shop}", f"output_dir={tmp_path}", "tracking=none"]
    for limit in (3 * KB, 20 * KB, 60 * KB):
        status, _, told = run("sweep", *arguments, limit=limit)
        assert status == 1, (limit, told)
        assert "would be larger than this process may write" in told
        assert not [name for name in whole(tmp_path) if name.endswith(".html")]
    assert run("sweep", *arguments)[0] == 0
    trials = (tmp_path / "s" / "trials.csv").read_text().splitlines()
    assert len([line for line in trials if ",complete," in line]) == 2


@pytest.mark.slow
def test_an_mlflow_store_that_cannot_grow_is_told_and_filled_later(shop, tmp_path):
    out = f"output_dir={tmp_path}"
    assert run("sweep", *SWEEP, f"dataset.path={shop}", out, "tracking=none")[0] == 0
    status, said, told = run("track", "study=s", out, limit=300 * KB)
    assert (status, said) == (1, "")
    assert "could not be written" in told
    assert "No trial is lost" in told
    assert len(told.strip().splitlines()) == 1
    status, said, told = run("track", "study=s", out)
    assert status == 0, told
    assert "Study s is in MLflow" in said
    assert "🏃" not in said + told


@pytest.mark.slow
def test_a_stdout_that_is_full_or_closed_is_told_and_costs_nothing(shop, tmp_path):
    out = f"output_dir={tmp_path}"
    assert run("sweep", *SWEEP, f"dataset.path={shop}", out, "tracking=none")[0] == 0
    best = tmp_path / "s" / "best.yaml"
    commands = {
        "inspect": [f"dataset.path={shop}", out],
        "compare": ["studies=s,s", out],
        "evaluate": [f"config={best}"],
        "report": ["study=s", out],
        "export": ["study=s", out, "force=true"],
    }
    for command, arguments in commands.items():
        with open("/dev/full", "w") as full:
            status, _, told = run(command, *arguments, stdout=full)
        assert (status, "the disk is full" in told) == (1, True), command
        reader, writer = os.pipe()
        os.close(reader)
        status, _, told = run(command, *arguments, stdout=writer)
        os.close(writer)
        assert status == 1, command
        assert run(command, *arguments)[0] == 0, command


PLACES = {
    "simulate": lambda place: [f"output={place}/shop", *MADE],
    "inspect": lambda place: [f"dataset.path={place}", f"output_dir={place}"],
    "sweep": lambda place: [
        "dataset=folder",
        "study.name=s",
        f"dataset.path={place}",
        f"output_dir={place}",
    ],
    "report": lambda place: ["study=s", f"output_dir={place}"],
    "export": lambda place: ["study=s", f"output_dir={place}"],
    "track": lambda place: ["study=s", f"output_dir={place}"],
    "compare": lambda place: ["studies=a,b", f"output_dir={place}"],
    "evaluate": lambda place: [f"config={place}/s/best.yaml"],
    "ingest": lambda place: ["source=ubi", f"path={place}", f"output={place}/x"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", PLACES)
@pytest.mark.parametrize("kind", ["a file", "a link to itself", "below a file"])
def test_a_place_that_is_none_is_one_sentence_and_status_2(command, kind, tmp_path):
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("x")
    elif kind == "a link to itself":
        place.symlink_to(place)
    elif kind == "below a file":
        (tmp_path / "file").write_text("x")
        place = tmp_path / "file" / "below"
    status, _, told = run(command, *PLACES[command](place))
    assert status == 2, told
    sentences = [line for line in told.strip().splitlines() if "rows/s]" not in line]
    assert len(sentences) == 1, told
