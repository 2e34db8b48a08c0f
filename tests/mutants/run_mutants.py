"""Mutation testing: change the source a little, a thousand times, and see whether a test notices.

    python -m tests.mutants.run_mutants [--children=N] [--again] [NAME ...]

runs mutmut over the modules named below, all of them if none is named, each against its own
tests, and prints how many of its mutants were killed and which survived. Every module is worked
on in a copy of the tree under ``outputs/mutants``, where `mutmut show MUTANT` prints a survivor.

A mutant meets only the tests that run the function it changed, the quickest first, up to the
first that fails; one that takes five times as long as it should has timed out, which counts as
killed and is listed. With ``--again``, after tests were added, only those that survived last time
are run: the module must be what it was.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
WORK = ROOT / "outputs" / "mutants"
COPIED = ("adjuster", "experiments", "conf", "tests")
COMPILED = shutil.ignore_patterns("__pycache__")
MUTMUT = (sys.executable, "-m", "mutmut")
REPLAY = ("experiments/replay", "tests/experiments/replay")
JUDGING = ("experiments/judging", "tests/experiments/judging")
ENGINE = ("adjuster/fused_engine", "tests/adjuster/fused_engine")


class Target(NamedTuple):
    """A module to mutate, the tests that are to notice, and which of those by name (``-k``)."""

    module: str
    tests: tuple[str, ...]
    chosen: str = ""


def target(rooms: tuple[str, str], name: str, *more: str) -> Target:
    """The module `name` of a room with the tests of its name, and `more` tests of that room."""
    source, tests = rooms
    return Target(f"{source}/{name}.py", tuple(f"{tests}/test_{item}.py" for item in (name, *more)))


TARGETS = {
    # Simulations of hundreds of logs tell of rates of error, and take longer than all the rest.
    "statistics": target(JUDGING, "statistics")._replace(
        chosen="not (is_rarely_found or is_not_wider)"
    ),
    "comparison": target(JUDGING, "comparison"),
    "verdict": target(JUDGING, "verdict", "verdict_sentences"),
    "sealed_test": target(JUDGING, "sealed_test", "sealed_evidence"),
    "schedule": target(REPLAY, "schedule"),
    "lessons": target(REPLAY, "lessons"),
    "scoreboard": target(REPLAY, "scoreboard", "scoring"),
    "kernel": target(ENGINE, "kernel"),
    "steps": target(ENGINE, "steps"),
}

SETTINGS = """
[tool.mutmut]
source_paths = ["adjuster", "experiments"]
only_mutate = ["{module}"]
also_copy = ["conf"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
  "-m", "not slow", "-k", "{chosen}", "-W", "error::RuntimeWarning:experiments",
  "-p", "no:unraisableexception", "-p", "no:xdist", "-p", "no:logging",
]
use_git_change_detection = false
max_stack_depth = -1
timeout_multiplier = 5.0
timeout_constant = 5.0

[tool.pytest.ini_options]
addopts = "-ra --import-mode=importlib -p no:cacheprovider"
markers = ["slow: takes long"]
"""


class Way(NamedTuple):
    """How to go about it: how many mutants at a time, and whether only those left from before."""

    children: int
    again: bool


def main(arguments: list[str]) -> int:
    """Run the targets that are named; 1 if any of them has no test or no mutant."""
    parser = argparse.ArgumentParser(prog="run_mutants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--children", type=int, default=2, help="mutants run at a time")
    parser.add_argument("--again", action="store_true", help="only what survived last time")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in TARGETS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(TARGETS)}")
    way = Way(chosen.children, chosen.again)
    return max([run(name, TARGETS[name], way) for name in chosen.names or TARGETS])


def run(name: str, item: Target, way: Way) -> int:
    """Mutate one module, and print its line and its survivors."""
    folder = WORK / name
    left = survivors(name, item) if way.again else []
    if way.again and not left:
        return report(name)
    if not way.again:
        prepare(folder, item)
    with (folder / "mutmut.log").open("w") as log:
        command = [*MUTMUT, "run", f"--max-children={way.children}", *left]
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=log)
    if done.returncode:
        print(f"{name}: mutmut failed, see {folder / 'mutmut.log'}", file=sys.stderr)
        return 1
    return report(name)


def report(name: str) -> int:
    """Print what became of a module's mutants; 1 if it has none."""
    folder = WORK / name
    subprocess.run([*MUTMUT, "export-cicd-stats"], cwd=folder, check=True, capture_output=True)
    counts = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())
    print(summary(name, counts))
    print(results(folder), end="", flush=True)
    return 0 if counts["total"] else 1


def results(folder: Path) -> str:
    """The mutants that were not killed, one a line with what became of it."""
    done = subprocess.run([*MUTMUT, "results"], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode()


def survivors(name: str, item: Target) -> list[str]:
    """The mutants that no test noticed last time, with today's tests beside them."""
    folder = WORK / name
    made_of = {item.module: source_of(item), "pyproject.toml": settings(item)}
    if any(text_at(folder / path) != text for path, text in made_of.items()):
        raise SystemExit(f"{name}: was not run before, or has changed since. Run without --again.")
    shutil.copytree(ROOT / "tests", folder / "tests", dirs_exist_ok=True, ignore=COMPILED)
    return unnoticed(results(folder))


def unnoticed(listed: str) -> list[str]:
    """Names of the mutants that mutmut lists as run and unnoticed, or not run at all.

    Example:
        >>> unnoticed("    a.x_f__mutmut_1: survived\\n    a.x_f__mutmut_2: timeout\\n")
        ['a.x_f__mutmut_1']
    """
    pairs = (line.strip().rsplit(": ", 1) for line in listed.splitlines())
    return [name for name, status in pairs if status != "timeout"]


def prepare(folder: Path, item: Target) -> None:
    """A copy of the tree in which mutmut works on one module."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=COMPILED)
    engine = folder / "adjuster" / "fused_engine"
    for path in engine.glob("*.py"):
        path.write_text(interpreted(path.read_text("utf-8")), "utf-8")
    if (engine / "lanes.py").exists():
        shutil.copy(folder / "tests" / "mutants" / "interpreted_lanes.py", engine / "lanes.py")
    (folder / "pyproject.toml").write_text(settings(item), "utf-8")


def settings(item: Target) -> str:
    """What mutmut and pytest are told about one module."""
    return SETTINGS.format(module=item.module, tests=json.dumps(item.tests), chosen=item.chosen)


def source_of(item: Target) -> str:
    """The module as it is mutated."""
    return interpreted(text_at(ROOT / item.module))


def text_at(path: Path) -> str:
    """What a file holds; nothing where there is none."""
    return path.read_text("utf-8") if path.exists() else ""


def interpreted(source: str) -> str:
    """Source without its ``@compiled(...)``: a mutant of plain Python needs no compilation.

    Example:
        >>> interpreted("x = 1\\n@compiled(inline=True)\\ndef f(): pass\\n")
        'x = 1\\ndef f(): pass\\n'
    """
    return re.sub(r"^@compiled\(.*\)\n", "", source, flags=re.MULTILINE)


def summary(name: str, counts: dict[str, int]) -> str:
    """How many mutants were noticed; one that never ends is noticed too.

    Example:
        >>> summary("till", {"killed": 8, "timeout": 1, "total": 10})
        'till: 9 of 10 mutants killed (1 by time), 90 %'
    """
    killed = counts["killed"] + counts["timeout"]
    share = 100 * killed // max(counts["total"], 1)
    by_time = f" ({counts['timeout']} by time)" if counts["timeout"] else ""
    return f"{name}: {killed} of {counts['total']} mutants killed{by_time}, {share} %"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
