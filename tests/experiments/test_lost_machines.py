"""Whole sweeps on a Ray that loses actors and machines: equal to one that loses nothing."""

import csv
import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from experiments.config.command import run_command
from experiments.data.made.shop import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.data.partitioning import partition_log
from experiments.sweep import sweep
from tests.experiments.ray_machines import (
    NEEDS_RAY,
    holders_in,
    kill,
    kill_session,
    machines,
    processes_in,
)

pytestmark = NEEDS_RAY

ROOT = Path(__file__).parents[2]
SHOP = SimulatedConfig(
    n_sessions=400, n_users=40, n_objects=40, n_topics=3, n_queries=9, n_shown=6, dimensions=8
)
N_TRIALS = 30
N_KILLS = 8
SECONDS_TO_END = 300

SWEEP = ("-m", "experiments.sweep")
IMPATIENT = (
    "-c",
    "import sys; from experiments.replay.partitioned import ray_engine as engine; "
    "engine.READY_SECONDS = 20.0; from experiments.config.command import run_command; "
    "from experiments.commands.sweep import sweep; sys.exit(run_command('sweep', sweep))",
)
"""How a sweep is started, and one that waits less long for a core."""

LOSING = (
    "-c",
    """
import os, sys
from experiments.commands.sweep import sweep
from experiments.config.command import run_command
from experiments.replay.partitioned.ray_engine import RayEngine
from tests.experiments.ray_machines import kill, processes_in

work, begun = RayEngine.map, []

def raylets():
    here = processes_in(os.getsid(0))
    return [one for one in here if one.title.partition(" ")[0].endswith("/raylet/raylet")]

def lose(*what):
    begun.append(what)
    if len(begun) == 60:
        (raylet,) = raylets()
        print("lost", raylet.title, flush=True)
        kill(raylet.pid)
        while raylets():
            pass
    return work(*what)

RayEngine.map = lose
sys.exit(run_command("sweep", sweep))
""",
)
"""One that loses its own Ray between two calls. Where one is under way, Ray ends the process."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A log in partitions."""
    folder = tmp_path_factory.mktemp("data")
    prepare_simulated(folder / "shop", SHOP)
    partition_log(folder / "shop", folder / "parts", 4)
    return folder / "parts"


def arguments(parts, out, *more):
    data = ["dataset=folder", f"dataset.path={parts}", "objective.estimator=naive"]
    study = ["study.name=lost", f"study.n_trials={N_TRIALS}", f"output_dir={out}", "tracking=none"]
    return [*data, *study, "replay.n_blocks=4", *more]


@pytest.fixture(scope="module")
def expected(parts, tmp_path_factory):
    """What a sweep leaves that runs in one process, and says."""
    out = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch, (out / "told").open("w") as told:
        patch.setattr(sys, "stdout", told)
        assert run_command("sweep", sweep, arguments(parts, out, "engine=local")) == 0
    return left_in(out, (out / "told").read_text())


def left_in(out, told):
    """All that a sweep left and said, but for times and places."""
    folder = out / "lost"
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    summary = json.loads((folder / "summary.json").read_text())
    summary.pop("seconds")
    evidence = {path.name: path.read_bytes() for path in (folder / "evidence").iterdir()}
    trials = [{name: row[name] for name in row if name != "seconds"} for row in rows]
    return trials, summary, evidence, told.replace(str(out), "OUT")


@dataclass
class Running:
    """A sweep under way.

    Args:
        process: Its process, the first of its session.
        out: The folder of its output.
    """

    process: subprocess.Popen
    out: Path

    def n_finished(self):
        """How many trials have finished."""
        journal = self.out / "studies" / "lost.journal"
        return journal.read_text().count('"outcome"') if journal.exists() else 0

    def wait_for_trials(self, n):
        """Wait until so many trials have finished."""
        deadline = time.monotonic() + SECONDS_TO_END
        while self.n_finished() < n:
            assert self.process.poll() is None, self.told("err")
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def holders(self):
        """The processes of its own Ray that hold partitions; there are some."""
        deadline = time.monotonic() + SECONDS_TO_END
        while not (found := holders_in(self.process.pid)):
            assert self.process.poll() is None, self.told("err")
            assert time.monotonic() < deadline
        return found

    def ended(self):
        """Its exit status, once it has ended."""
        return self.process.wait(SECONDS_TO_END)

    def told(self, stream):
        """What it has printed to ``out`` or ``err``."""
        return (self.out / stream).read_text()


@contextmanager
def sweeping(parts, out, *more, environment=None, start=SWEEP):
    """A sweep with ``engine=ray`` in a session of its own, of which nothing is left afterwards."""
    out.mkdir(exist_ok=True)
    with (out / "out").open("w") as told, (out / "err").open("w") as complained:
        process = subprocess.Popen(
            [sys.executable, *start, *arguments(parts, out, "engine=ray", *more)],
            cwd=ROOT,
            env=environment,
            stdout=told,
            stderr=complained,
            start_new_session=True,
        )
    try:
        yield Running(process, out)
    finally:
        kill_session(process.pid)
        process.wait()


def assert_nothing_lost(running, expected, parts):
    """A sweep has ended as if nothing had happened."""
    assert running.ended() == 0, running.told("err")
    assert left_in(running.out, running.told("out")) == expected
    assert "Traceback" not in running.told("err")
    assert not list(parts.glob(".replay-*"))
    assert not processes_in(running.process.pid)


def test_a_sweep_whose_actors_are_killed_leaves_the_same_study(parts, expected, tmp_path):
    chance = Random(7)
    with sweeping(parts, tmp_path / "out", "engine.address=local") as running:
        for n in sorted(chance.sample(range(1, N_TRIALS - 2), N_KILLS)):
            running.wait_for_trials(n)
            time.sleep(chance.uniform(0.0, 0.5))
            kill(chance.choice(running.holders()))
        assert_nothing_lost(running, expected, parts)


def test_a_sweep_whose_machine_is_lost_leaves_the_same_study(parts, expected, tmp_path):
    with machines() as ray:
        ray.start()
        other = ray.start()
        given = [f"engine.address={ray.address}"]
        with sweeping(parts, tmp_path / "out", *given, environment=ray.environment) as running:
            running.wait_for_trials(4)
            assert holders_in(other)
            kill_session(other)
            assert_nothing_lost(running, expected, parts)


def test_a_sweep_that_loses_its_head_says_so_and_goes_on_later(parts, expected, tmp_path):
    with machines() as ray:
        head = ray.start()
        given = [f"engine.address={ray.address}"]
        with sweeping(parts, tmp_path / "out", *given, environment=ray.environment) as running:
            running.wait_for_trials(4)
            kill_session(head)
            assert_told(running, parts, "cannot go on")
    assert run_command("sweep", sweep, arguments(parts, running.out, "engine=local")) == 0
    assert running.n_finished() == N_TRIALS, "none was run twice"
    assert finished(left_in(running.out, "")[0]) == finished(expected[0])


def finished(trials):
    """The trials that were not given up; one that is run anew has another number."""
    kept = [trial for trial in trials if trial["state"] != "failed"]
    return [{name: trial[name] for name in trial if name != "number"} for trial in kept]


def test_a_sweep_that_is_left_without_a_core_says_so(parts, tmp_path):
    with machines() as ray:
        ray.start(cores=0)
        other = ray.start()
        given = [f"engine.address={ray.address}"]
        with sweeping(
            parts, tmp_path / "out", *given, environment=ray.environment, start=IMPATIENT
        ) as running:
            running.wait_for_trials(4)
            kill_session(other)
            assert_told(running, parts, "has no free core left")


def test_a_sweep_that_loses_the_ray_that_it_is_part_of_says_so(parts, tmp_path):
    given = "engine.address=local"
    with sweeping(parts, tmp_path / "out", given, start=LOSING) as running:
        assert_told(running, parts, "its process at .* has ended")
    lost = next(line for line in running.told("out").splitlines() if line.startswith("lost "))
    files = Path(re.search(r"--raylet_socket_name=(/.*?/ray-[^/]+)/", lost)[1])
    assert not files.exists()


def assert_told(running, parts, why):
    """A sweep has ended in good order, with one sentence; the trials that had finished are kept."""
    assert running.ended() == 1, running.told("err")
    told = running.told("err").splitlines()
    lines = [line for line in told if f"/{N_TRIALS} trials" not in line]
    assert len(lines) == 1, lines
    assert re.search(f"{why}.* the same command goes on from what is kept", lines[0])
    assert 4 <= running.n_finished() < N_TRIALS
    assert not list(parts.glob(".replay-*"))
