"""Flags and overrides in any order; one interval."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.arguments import arranged, one_interval, split_arguments
from experiments.config.command import run_command

FLAGS = (["--cfg", "job"], ["--resolve"], ["--config-dir", "x"], ["--package", "study"])
OVERRIDES = (["study.seed=1"], ["sampler=gp"], ["+a=b"], ["~c"], ["d={e: [1, 2]}"])


@given(st.permutations([*FLAGS, *OVERRIDES]))
def test_flags_and_overrides_are_told_apart_in_any_order(parts):
    flags, overrides = split_arguments([word for part in parts for word in part])
    assert flags == [word for part in parts if part in FLAGS for word in part]
    assert overrides == [word for part in parts if part in OVERRIDES for word in part]


@pytest.mark.parametrize(
    "arguments",
    [
        ["study.n_trials=5", "--cfg", "job"],
        ["--cfg", "job", "study.n_trials=5"],
        ["study.seed=1", "--cfg", "job", "study.n_trials=5", "--resolve"],
        ["--cfg", "job", "study.seed=1", "-p", "study", "study.n_trials=5"],
    ],
)
def test_a_flag_may_stand_anywhere(capsys, arguments):
    assert run_command("sweep", lambda config: 1, arguments) == 0
    assert "n_trials: 5" in capsys.readouterr().out


@pytest.fixture
def logging_as_before():
    """``--info`` sets up Hydra's log for the whole process."""
    loggers = [logging.root, logging.getLogger("hydra")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def test_a_flag_whose_value_may_be_missing_takes_no_override_for_it(capsys, logging_as_before):
    assert run_command("sweep", lambda config: 1, ["study.n_trials=5", "--info"]) == 0
    assert "n_trials: 5" in capsys.readouterr().out


def test_an_interval_of_the_replay_is_the_adjusters(capsys):
    seen = []
    arguments = ["replay.interval_seconds=60", "adjuster=interval_batch"]
    assert run_command("sweep", lambda config: seen.append(config) or 0, arguments) == 0
    assert seen[0].adjuster.interval_seconds == 60


def test_an_interval_given_twice_must_be_the_same():
    same = ["adjuster.interval_seconds=60", "replay.interval_seconds=60"]
    assert set(one_interval(same)) == {"adjuster.interval_seconds=60"}
    with pytest.raises(InputError, match=r"=900 and .*=60 are one setting with two values"):
        arranged(["adjuster.interval_seconds=60", "replay.interval_seconds=900"])


def test_an_interval_of_the_replay_in_a_file_is_told_its_new_place(capsys, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\nreplay:\n  interval_seconds: 5\n"
    )
    arguments = ["--config-dir", str(tmp_path), "experiment=mine"]
    assert run_command("sweep", lambda config: 0, arguments) == 2
    assert "stands under adjuster.interval_seconds now" in capsys.readouterr().err
