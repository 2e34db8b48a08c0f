"""Mutation testing: change the source a little, a thousand times, and see whether a test notices.

    python -m tests.mutants.run_mutants [NAME ...]

runs mutmut over the modules named below, all of them if none is named, each against its own
tests, and prints how many of its mutants were killed and which survived. Every module is worked
on in a copy of the tree under ``outputs/mutants``, where `mutmut show MUTANT` prints a survivor.
"""

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
REPLAY = ("experiments/replay", "tests/experiments/replay")
JUDGING = ("experiments/judging", "tests/experiments/judging")
ENGINE = ("adjuster/fused_engine", "tests/adjuster/fused_engine")


class Target(NamedTuple):
    """A module to mutate, and the tests that are to notice."""

    module: str
    tests: tuple[str, ...]


def target(rooms: tuple[str, str], name: str, *more: str) -> Target:
    """The module `name` of a room with the tests of its name, and `more` tests of that room."""
    source, tests = rooms
    return Target(f"{source}/{name}.py", tuple(f"{tests}/test_{item}.py" for item in (name, *more)))


TARGETS = {
    "statistics": target(JUDGING, "statistics"),
    "comparison": target(JUDGING, "comparison"),
    "verdict": target(JUDGING, "verdict"),
    "sealed_test": target(JUDGING, "sealed_test"),
    "schedule": target(REPLAY, "schedule"),
    "lessons": target(REPLAY, "lessons"),
    "scoreboard": target(REPLAY, "scoreboard"),
    "kernel": target(ENGINE, "kernel"),
    "steps": target(ENGINE, "steps"),
}

SETTINGS = """
[tool.mutmut]
source_paths = ["adjuster", "experiments"]
only_mutate = ["{module}"]
also_copy = ["conf"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-m", "not slow", "-W", "error::RuntimeWarning:experiments"]
use_git_change_detection = false
max_stack_depth = -1

[tool.pytest.ini_options]
addopts = "-ra --import-mode=importlib -p no:cacheprovider"
markers = ["slow: takes long"]
"""


def main(names: list[str]) -> int:
    """Run the targets of these names; 1 if any of them has no test or no mutant."""
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    return max([run(name, TARGETS[name]) for name in names or TARGETS])


def run(name: str, item: Target) -> int:
    """Mutate one module, and print its line and its survivors."""
    folder = prepare(name, item)
    mutmut = [sys.executable, "-m", "mutmut"]
    with (folder / "mutmut.log").open("w") as log:
        done = subprocess.run(
            [*mutmut, "run", "--max-children", "2"], cwd=folder, stdout=log, stderr=log
        )
    if done.returncode:
        print(f"{name}: mutmut failed, see {folder / 'mutmut.log'}", file=sys.stderr)
        return 1
    subprocess.run([*mutmut, "export-cicd-stats"], cwd=folder, check=True, capture_output=True)
    listed = subprocess.run([*mutmut, "results"], cwd=folder, check=True, capture_output=True)
    print(summary(name, json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())))
    print(listed.stdout.decode(), end="", flush=True)
    return 0


def prepare(name: str, item: Target) -> Path:
    """A copy of the tree in which mutmut works on one module."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    for part in COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    engine = folder / "adjuster" / "fused_engine"
    for path in engine.glob("*.py"):
        path.write_text(interpreted(path.read_text("utf-8")), "utf-8")
    if (engine / "lanes.py").exists():
        shutil.copy(folder / "tests" / "mutants" / "interpreted_lanes.py", engine / "lanes.py")
    settings = SETTINGS.format(module=item.module, tests=json.dumps(item.tests))
    (folder / "pyproject.toml").write_text(settings, "utf-8")
    return folder


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
        'till: 9 of 10 mutants killed, 90 %'
    """
    killed = counts["killed"] + counts["timeout"]
    share = 100 * killed // counts["total"]
    return f"{name}: {killed} of {counts['total']} mutants killed, {share} %"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
