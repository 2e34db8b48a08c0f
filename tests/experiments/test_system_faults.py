"""Each command with a call that writes failing: a sentence, and the next run completes."""

import errno
import json
import os
from dataclasses import dataclass

import pytest
import yaml

from experiments.config.command import run_command
from experiments.export import export
from experiments.inspect import inspect
from experiments.report import report
from experiments.simulate import simulate
from experiments.sweep import sweep
from tests.experiments.failing_system import FailingSystem

SIZES = {
    "n_sessions": 300,
    "n_users": 24,
    "n_objects": 60,
    "n_topics": 4,
    "n_queries": 20,
    "n_shown": 6,
    "dimensions": 8,
    "max_parts": 1,
}
MADE = [f"simulated.{name}={value}" for name, value in SIZES.items()]

FAULTS = {
    "full disk": (lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1),
    "no permission": (lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)), 2),
    "interrupt": (KeyboardInterrupt, 130),
}


@dataclass(frozen=True)
class Job:
    """A command with what it needs before."""

    command: object
    arguments: object
    needs: tuple


JOBS = {
    "simulate": Job(simulate, lambda out, shop: [f"output={out}/shop", *MADE], ()),
    "inspect": Job(inspect, lambda out, shop: [f"dataset.path={shop}", f"output_dir={out}"], ()),
    "sweep": Job(
        sweep,
        lambda out, shop: [
            "dataset=folder",
            f"dataset.path={shop}",
            f"output_dir={out}",
            "study.name=s",
            "study.enqueue=none",
            "study.n_trials=1",
            "tracking=none",
        ],
        (),
    ),
    "report": Job(report, lambda out, shop: ["study=s", f"output_dir={out}"], ("sweep",)),
    "export": Job(
        export, lambda out, shop: ["study=s", f"output_dir={out}", "force=true"], ("sweep",)
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "shop"
    assert run_command("simulate", simulate, [f"output={folder}", *MADE]) == 0
    return folder


def give(name, out, shop):
    job = JOBS[name]
    return run_command(name, job.command, job.arguments(out, shop))


def prepare(name, out, shop):
    out.mkdir()
    for earlier in JOBS[name].needs:
        assert give(earlier, out, shop) == 0


def check_files(out, *, may_be_left):
    """No file is half written; an unfinished one is left only where it could not be removed."""
    for path in out.rglob("*"):
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".yaml":
            yaml.safe_load(path.read_text(encoding="utf-8"))
    left = [path.name for path in out.rglob(".*.*") if path.is_file() and ".locks" not in str(path)]
    left = [name for name in left if not name.endswith(".lock")]
    assert may_be_left or not left


def check_fault(name, kind, at, tmp_path, shop, capsys):
    """The command with its n-th call failing, and once more without; the name of that call."""
    out = tmp_path / f"{kind}-{at}"
    prepare(name, out, shop)
    capsys.readouterr()
    error, status = FAULTS[kind]
    with pytest.MonkeyPatch.context() as patch:
        system = FailingSystem(patch, out, at, error())
        ended = give(name, out, shop)
    failed = system.calls[at]
    said = capsys.readouterr().err
    assert ended in (0, status), (failed, ended, said)
    assert "Traceback" not in said, failed
    assert ended == 0 or said.strip(), failed
    check_files(out, may_be_left=failed[0] == "unlink")
    if ended != 0:
        assert give(name, out, shop) == 0, (failed, capsys.readouterr().err)
        check_files(out, may_be_left=failed[0] == "unlink")


def calls_of(name, tmp_path, shop):
    """The calls that write of a run in which all goes well."""
    out = tmp_path / "well"
    prepare(name, out, shop)
    with pytest.MonkeyPatch.context() as patch:
        system = FailingSystem(patch, out)
        assert give(name, out, shop) == 0
    assert system.calls
    return system.calls


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("name", JOBS)
def test_a_call_in_the_middle_of_a_command_fails(name, kind, tmp_path, shop, capsys):
    calls = calls_of(name, tmp_path, shop)
    check_fault(name, kind, len(calls) // 2, tmp_path, shop, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("name", JOBS)
def test_every_call_of_a_command_fails_once(name, kind, tmp_path, shop, capsys):
    for at in range(len(calls_of(name, tmp_path, shop))):
        check_fault(name, kind, at, tmp_path, shop, capsys)
