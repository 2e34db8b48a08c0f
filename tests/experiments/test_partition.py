"""`partition`: what it prints can be pasted, and sweeps the partitions."""

import shlex

import pytest

from experiments.config.command import run_command
from experiments.partition import partition
from experiments.simulate import simulate
from experiments.sweep import sweep

SMALL = [
    *("simulated.n_sessions=300", "simulated.n_users=30", "simulated.n_objects=60"),
    *("simulated.n_topics=3", "simulated.n_queries=12", "simulated.dimensions=8"),
]


@pytest.mark.parametrize("log_truth", ["true", pytest.param("false", marks=pytest.mark.slow)])
def test_the_command_that_is_printed_works(tmp_path, capsys, log_truth):
    shop, parts = tmp_path / "shop", tmp_path / "parts of it"
    truth = f"simulated.log_truth={log_truth}"
    assert run_command("simulate", simulate, [f"output={shop}", truth, *SMALL]) == 0
    capsys.readouterr()  # simulate prints such a line, too.
    arguments = [f"dataset.path={shop}", f"output={parts}", "parts=2"]
    assert run_command("partition", partition, arguments) == 0
    printed = capsys.readouterr().out.partition("replay it: ")[2].replace("\\\n", " ")
    python, _, module, *settings = shlex.split(printed)  # python -m experiments.sweep …
    assert (python, module) == ("python", "experiments.sweep")
    quickly = ["study.n_trials=1", "tracking=none", f"output_dir={tmp_path / 'outputs'}"]
    assert run_command("sweep", sweep, [*settings, *quickly]) == 0
