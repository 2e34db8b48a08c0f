"""All commands by their names."""

import subprocess
import sys

import pytest

from experiments.__main__ import command_list, main, unknown_command
from experiments.config.commands import COMMANDS

LIGHT = """
import sys
from importlib import import_module
name, arguments = sys.argv[1], sys.argv[2:]
sys.argv = [name, *arguments]
status = import_module(f"experiments.{name}").main()
heavy = {"torch", "numba", "pandas", "optuna", "mlflow", "plotly", "scipy", "pyarrow"}
print(sorted(heavy & set(sys.modules)), status, file=sys.stderr)
"""


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_without_a_command_all_are_listed_with_a_sentence(capsys, argv):
    assert main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in (*COMMANDS, "benchmark", "completion"):
        (line,) = [line for line in lines if line.startswith(f"  {name} ")]
        assert line.endswith(".")
    assert max(map(len, lines)) <= 80
    assert lines == command_list()


def test_a_command_gets_its_arguments(capsys):
    assert main(["sweep", "study.n_trials=7", "--cfg", "job", "-p", "study"]) == 0
    assert "n_trials: 7" in capsys.readouterr().out
    assert main(["sweep", "study.n_trial=7"]) == 2
    assert "the nearest is study.n_trials" in capsys.readouterr().err


def test_a_mistyped_command_is_asked_back(capsys):
    assert main(["exprt"]) == 2
    assert capsys.readouterr().err == "exprt is not a command; did you mean export?\n"
    assert unknown_command("x").startswith("x is not a command; there are sweep, evaluate, ")


@pytest.mark.parametrize("argv", [["--version"], ["sweep", "--version"]])
def test_the_version_is_this_projects(capsys, argv):
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith("click-feedback-adjuster")


def test_a_mistyped_option_is_asked_back(capsys):
    assert main(["sweep", "--hlep"]) == 2
    assert capsys.readouterr().err == "--hlep is not an option; did you mean --help?\n"
    assert main(["sweep", "study.seed=1", "--qqqqq"]) == 2
    assert "--help lists what there is" in capsys.readouterr().err


def test_completion_is_printed(capsys):
    assert main(["completion", "bash"]) == 0
    assert (
        "complete -o nospace -o default -F _adjuster_tune adjuster-tune" in capsys.readouterr().out
    )
    assert main(["completion"]) == 2
    assert "completion must be for bash or zsh, got nothing" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_help_loads_no_heavy_library(name):
    command = [sys.executable, "-c", LIGHT, name, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "[] 0\n"
