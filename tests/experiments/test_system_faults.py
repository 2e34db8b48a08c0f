"""Each command with a call that writes failing: a sentence, and the next run completes."""

import errno
import gc
import json
import os
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import pytest
import yaml

from experiments import benchmark
from experiments.benchmarks.parts import Measured
from experiments.compare import compare
from experiments.config import command as config_command
from experiments.config.command import run_command
from experiments.data.format.folder import load_click_log
from experiments.evaluate import evaluate
from experiments.export import export
from experiments.ingest import ingest
from experiments.inspect import inspect
from experiments.report import report
from experiments.simulate import simulate
from experiments.sweep import sweep
from experiments.track import track
from experiments.workflow import publishing
from tests.experiments.failing_system import FailingSystem

SIZES = {
    "n_sessions": 120,
    "n_users": 24,
    "n_objects": 60,
    "n_topics": 4,
    "n_queries": 20,
    "n_shown": 6,
    "dimensions": 8,
    "max_parts": 1,
}
MADE = [f"simulated.{name}={value}" for name, value in SIZES.items()]
STUDY = [
    "dataset=folder",
    "study.enqueue=none",
    "study.n_trials=1",
    "tracking=none",
    "replay.n_threads=1",
    "replay.n_blocks=1",
]


@dataclass(frozen=True)
class Fault:
    """What a call that fails raises, the exit status for it, and whether it goes on failing."""

    error: Callable[[], BaseException]
    status: int
    lasts: bool = False


FAULTS = {
    "full disk": Fault(lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, lasts=True),
    "no permission": Fault(lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)), 2),
    "interrupt": Fault(KeyboardInterrupt, 130),
}


@dataclass(frozen=True)
class Job:
    """A command with its arguments, and whether it works on a study that was swept before."""

    run: Callable[[list[str]], int]
    arguments: Callable[..., list[str]]
    on_study: bool = False


def command(name, function, arguments, *, on_study=False):
    return Job(partial(run_command, name, function), arguments, on_study)


JOBS = {
    "simulate": command("simulate", simulate, lambda out, shop: [f"output={out}/shop", *MADE]),
    "inspect": command(
        "inspect", inspect, lambda out, shop: [f"dataset.path={shop}", f"output_dir={out}"]
    ),
    "ingest": command(
        "ingest",
        ingest,
        lambda out, shop: [
            "source=table",
            "on_error=quarantine",
            f"path={shop}",
            f"mapping={shop}/mapping.yaml",
            f"output={out}/shop",
        ],
    ),
    "sweep": command(
        "sweep",
        sweep,
        lambda out, shop: [
            *STUDY,
            f"dataset.path={shop}",
            f"output_dir={out}",
            "study.name=s",
        ],
    ),
    "report": command(
        "report", report, lambda out, shop: ["study=s", f"output_dir={out}"], on_study=True
    ),
    "export": command(
        "export",
        export,
        lambda out, shop: ["study=s", f"output_dir={out}", "force=true", f"vectors={out}/v"],
        on_study=True,
    ),
    "track": command(
        "track", track, lambda out, shop: ["study=s", f"output_dir={out}"], on_study=True
    ),
    "compare": command(
        "compare", compare, lambda out, shop: ["studies=[s,s]", f"output_dir={out}"], on_study=True
    ),
    "evaluate": command(
        "evaluate", evaluate, lambda out, shop: [f"config={out}/s/best.yaml"], on_study=True
    ),
    "benchmark": Job(benchmark.main, lambda out, shop: ["known", "--output", f"{out}/b.json"]),
}

QUICK = [name for name in JOBS if name != "track"]

COLUMNS = {
    "sessions": ("session_id", "query_id", "user_id", "created_at"),
    "impressions": ("session_id", "position", "object_id"),
    "events": ("event_id", "session_id", "object_id", "created_at"),
    "items": ("object_id", "vector"),
    "queries": ("query_id", "vector"),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A small data set, with a mapping that reads it as tables of one's own."""
    folder = tmp_path_factory.mktemp("made") / "shop"
    assert run_command("simulate", simulate, [f"output={folder}", *MADE]) == 0
    tables = {
        name: {"file": f"{name}.parquet", "columns": {column: column for column in columns}}
        for name, columns in COLUMNS.items()
    }
    (folder / "mapping.yaml").write_text(yaml.safe_dump(tables))
    return folder


@pytest.fixture(scope="module")
def swept(tmp_path_factory, shop):
    """The output folder of a finished study, made once."""
    out = tmp_path_factory.mktemp("swept") / "out"
    assert give("sweep", out, shop) == 0
    # What is alive now stays: looking through it after every command would take most of the time.
    gc.freeze()
    yield out
    gc.unfreeze()


@pytest.fixture(scope="module")
def tracked(tmp_path_factory, shop, swept):
    """One that MLflow knows: making its store takes longer than all that is told to it."""
    out = tmp_path_factory.mktemp("tracked") / "out"
    shutil.copytree(swept, out)
    assert give("track", out, shop) == 0
    return out


@pytest.fixture(autouse=True)
def quick_parts(monkeypatch):
    """What writes nothing is done once for all runs; a part of the benchmark takes no time."""
    for name in ("study_figures", "build_page", "static_image"):
        monkeypatch.setattr(publishing, name, done_once(getattr(publishing, name)))
    monkeypatch.setattr(config_command, "_composed", composed_once)
    monkeypatch.setattr(benchmark, "PARTS", {"known": "nowhere"})
    monkeypatch.setattr(
        benchmark, "measure_part", lambda name: Measured({f"{name}.seconds": 2.5}, "a table")
    )


def done_once(function):
    """A function that remembers its first answer."""
    answers = []

    def remembering(*arguments):
        if not answers:
            answers.append(function(*arguments))
        return answers[0]

    return remembering


COMPOSED = {}


def composed_once(name, arguments, compose=config_command._composed):
    """The configuration of these arguments; composing it takes longer than most commands."""
    key = (name, *arguments)
    if key not in COMPOSED:
        COMPOSED[key] = compose(name, arguments)
    return COMPOSED[key]


def give(name, out, shop):
    job = JOBS[name]
    return job.run(job.arguments(out, shop))


def prepare(name, out, swept):
    if JOBS[name].on_study:
        shutil.copytree(swept, out)
    else:
        out.mkdir()


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


def check_fault(name, kind, at, folders, capsys):
    """The command with its n-th call failing, and once more without."""
    out, shop, swept = folders
    if name == "track":
        # MLflow keeps a connection to a store's file: it must not be another's.
        out = out.with_name(f"{kind}-{at}")
    prepare(name, out, swept)
    capsys.readouterr()
    fault, unheard = FAULTS[kind], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda lost: unheard.append(lost.exc_value))
        system = FailingSystem(patch, out, at, fault.error, lasts=fault.lasts)
        ended = give(name, out, shop)
        gc.collect()
    # What MLflow is told is written by a thread, which no two runs do in quite the same calls.
    assert system.failed or name == "track"
    failed = (kind, at, system.failed)
    assert not unheard, (failed, unheard)
    said = capsys.readouterr().err
    assert ended in (0, fault.status), (failed, ended, said)
    assert "Traceback" not in said, (failed, said)
    assert ended == 0 or said.strip(), failed
    stays = system.failed is not None and system.failed[0] == "unlink"
    check_files(out, may_be_left=stays)
    if ended != 0:
        again = give(name, out, shop)
        said = capsys.readouterr().err
        # An import that was interrupted after its last step is there; another would replace it.
        assert again == 0 or "which holds a data set" in said, (failed, said)
        assert name != "ingest" or load_click_log(out / "shop").n_sessions
        check_files(out, may_be_left=stays)
    shutil.rmtree(out)


def calls_of(name, folders):
    """Numbers of the calls that write of a run in which all goes well.

    Of calls that are alike the first and the last stand for all.
    """
    out, shop, swept = folders
    prepare(name, out, swept)
    with pytest.MonkeyPatch.context() as patch:
        system = FailingSystem(patch, out)
        assert give(name, out, shop) == 0
    shutil.rmtree(out)
    alike = defaultdict(list)
    for at, (call, file) in enumerate(system.calls):
        alike[call, re.sub(r"[0-9a-f]{12}|[0-9]+", "#", file)].append(at)
    return sorted({at for group in alike.values() for at in (group[0], group[-1])})


@pytest.fixture
def folders(request, tmp_path, shop, name):
    before = request.getfixturevalue("tracked" if name == "track" else "swept")
    return tmp_path / "out", shop, before


@pytest.mark.parametrize(("name", "kind"), list(zip(QUICK, cycle(FAULTS), strict=False)))
def test_a_call_in_the_middle_of_a_command_fails(name, kind, folders, capsys):
    calls = calls_of(name, folders)
    check_fault(name, kind, calls[len(calls) // 2], folders, capsys)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "name"), list(enumerate(JOBS)))
def test_every_call_of_a_command_fails_once(name, first, folders, capsys):
    for turn, at in enumerate(calls_of(name, folders), first):
        check_fault(name, list(FAULTS)[turn % len(FAULTS)], at, folders, capsys)
