"""What a command says to a mistake: one clear sentence, exit status 2, before any work."""

import pytest

from experiments.common.errors import InputError
from experiments.config.command import run_command


def never(config):
    raise AssertionError("work was done")


def told(capsys, *overrides: str, name: str = "sweep") -> str:
    assert run_command(name, never, overrides) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err.strip()


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("study.n_trial=5", "study.n_trial is not a setting; the nearest is study.n_trials."),
        ("samplr=tpe", "samplr is not a setting; the nearest is sampler."),
        ("study.n_trials=abc", "study.n_trials must be a whole number >= 1 or auto, got abc."),
        ("study.n_trials=1.5", "study.n_trials must be a whole number >= 1 or auto, got 1.5."),
        ("study.n_trials=null", "study.n_trials must be a whole number >= 1 or auto, got None."),
        ("study.n_trials=0", "study.n_trials must be a whole number >= 1 or auto, got 0."),
        ("replay.n_blocks=1.5", "replay.n_blocks must be a whole number, got 1.5."),
        ("replay.n_blocks=null", "replay.n_blocks must be a whole number, got null."),
        ("adjuster.max_drift=x", "adjuster.max_drift must be a number or null, got x."),
        (
            "adjuster.adjustment_rate=-1",
            "adjuster.adjustment_rate must be > 0 and <= 10, got -1.0.",
        ),
        (
            "sampler=tep",
            "sampler must be one of tpe, cmaes, forest, gp, grid, qmc, random, got tep; did you "
            "mean tpe?",
        ),
        ("pruner=wilcoxn", "pruner must be one of wilcoxon, hyperband, median, none, got wilcoxn;"),
        ("search_space=ful", "search_space must be one of full, default, published, got ful; did"),
        ("dataset=movielen", "dataset must be one of movielens, folder, planted, simulated, got "),
        (
            "adjuster/rate=conservativ",
            "adjuster/rate must be one of conservative, aggressive, balanced, got conservativ; did",
        ),
        ("experiment=smok", "experiment must be one of smoke, movielens_full, got smok; did you"),
        (
            "adjuster.loss=cubix",
            "adjuster.loss must be one of cubic, linear, logistic, got cubix; did you mean cubic?",
        ),
        (
            "sampler=foo",
            "sampler must be one of cmaes, forest, gp, grid, qmc, random, tpe, got foo.",
        ),
        ("tracking=foo", "tracking must be one of mlflow, none, got foo."),
        ("study=5", "study must be a group of settings (its name is study.name=NAME), got 5."),
        (
            "replay.personalize_by=me",
            "replay.personalize_by must be one of user_id, segment, none or null, got me.",
        ),
        ("study.n_trials=[", "'study.n_trials=[' must be written as key=value, such as "),
        ("fast", "'fast' must be written as key=value, such as "),
        ("~study.name", "study.name cannot be removed; give it another value."),
        ("+study.foo=1", "study.foo is not a setting; there are study.enqueue, study.min_gain,"),
        ("+other=1", "other is not a setting; there are adjuster, dataset, "),
        ("study.name=${nothing}", "study.name: Interpolation key 'nothing' not found."),
        ("study.name=a/b", "study.name must be 1 to 100 letters, digits, -, _ or ., not start"),
        (
            "search_space.parameters.num_iterations.low=abc",
            "search_space.parameters.num_iterations.low must be a number or null, got abc.",
        ),
        ("--multirun", "--multirun is not for this command."),
        ("--cfg=jb", "--cfg must be one of job, hydra, all, got jb; did you mean job?"),
        ("--info=confg", "--info must be one of config, all, defaults, defaults-tree, plugins, "),
        ("--package", "--package: expected one argument; --help lists what there is."),
    ],
)
def test_a_mistake_is_one_sentence(capsys, override, sentence):
    said = told(capsys, override)
    assert said.startswith(sentence)
    assert len(said.splitlines()) == 1


def test_all_mistakes_are_told_at_once(capsys):
    said = told(capsys, "study.n_trial=5", "sampler=foo", "study.seed=x").splitlines()
    assert len(said) == 3
    said = told(capsys, "study.n_trials=0", "objective.metric=x", "adjuster.loss=y").splitlines()
    assert len(said) == 3


def test_what_must_be_given_is_named(capsys):
    assert told(capsys, name="evaluate") == "config must be given: config=..."


@pytest.mark.parametrize("given", [[], ["study="]])
@pytest.mark.parametrize("name", ["export", "report", "track"])
def test_a_study_that_is_not_named_lists_those_there_are(capsys, tmp_path, name, given):
    place = f"output_dir={tmp_path}"
    there = f"study must be given: study=NAME; there are no studies in {tmp_path}."
    assert told(capsys, place, *given, name=name) == there
    for study in ("second", "first"):
        (tmp_path / study).mkdir()
        (tmp_path / study / "summary.json").touch()
    assert "there are first, second in" in told(capsys, place, *given, name=name)


@pytest.mark.parametrize(
    "override",
    [
        "hydra.run.dir=x",
        "hydra.sweeper.max_batch_size=3",
        "+hydra.verbose=true",
        "hydra/launcher=x",
    ],
)
def test_a_setting_of_hydra_that_would_do_nothing_is_refused(capsys, override):
    said = told(capsys, override)
    assert said.startswith(f"{override.lstrip('+').partition('=')[0]} would do nothing: ")
    assert len(said.splitlines()) == 1


def test_where_hydra_looks_for_files_can_be_told(tmp_path):
    (tmp_path / "sampler").mkdir()
    (tmp_path / "sampler" / "mine.yaml").write_text("defaults: [schema, _self_]\nname: qmc\n")
    seen = []
    arguments = [f"hydra.searchpath=[file://{tmp_path}]", "sampler=mine"]
    assert run_command("sweep", lambda config: seen.append(config) or 0, arguments) == 0
    assert seen[0].sampler.name == "qmc"


def test_a_study_to_export_may_have_any_name(capsys):
    seen = []
    assert run_command("export", lambda config: seen.append(config.study) or 0, ["study=x1"]) == 0
    assert seen == ["x1"]


def test_a_fault_in_a_file_names_the_file(capsys, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\nstudy:\n  n_trial: 5\n"
    )
    said = told(capsys, "--config-dir", str(tmp_path), "experiment=mine")
    assert "experiment/mine" in said
    assert "n_trial" in said
    assert len(said.splitlines()) == 1


def test_an_experiment_changes_what_it_names(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /sampler: qmc\nstudy:\n  n_trials: 7\n"
    )
    seen = []
    arguments = ["--config-dir", str(tmp_path), "experiment=mine"]
    assert run_command("sweep", lambda config: seen.append(config) or 0, arguments) == 0
    assert (seen[0].sampler.name, seen[0].study.n_trials) == ("qmc", 7)


@pytest.mark.parametrize("flags", [["--help"], ["--cfg", "job"], ["--cfg", "job", "--resolve"]])
def test_help_and_the_configuration_need_no_data(capsys, flags):
    assert run_command("sweep", never, flags) == 0
    assert "softmin_temperature" in capsys.readouterr().out


def test_help_says_what_the_command_does(capsys):
    assert run_command("sweep", never, ["--help"]) == 0
    assert capsys.readouterr().out.startswith("python -m experiments.sweep: replay a click log")


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_command("sweep", lambda config: 0, []) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_as_before(monkeypatch):
    import os
    import sys

    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    argv = list(sys.argv)
    run_command("sweep", lambda config: 0, ["verbose=true"])
    assert sys.argv == argv
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_the_commands_status_is_the_processs(capsys):
    assert run_command("sweep", lambda config: 1, []) == 1

    def interrupted(config):
        raise KeyboardInterrupt

    assert run_command("sweep", interrupted, []) == 130

    def refused(config):
        raise InputError("No such folder.")

    assert run_command("sweep", refused, []) == 2
    assert "No such folder." in capsys.readouterr().err


@pytest.mark.parametrize("why", ["", "Unable to allocate 745. GiB for an array"])
def test_a_machine_with_too_little_memory_is_one_sentence(capsys, why):
    def too_large(config):
        raise MemoryError(why)

    assert run_command("sweep", too_large, []) == 1
    said = capsys.readouterr().err
    assert said.startswith("The machine has not enough memory for this")
    assert why[1:] in said
    assert len(said.splitlines()) == 1


def test_v_is_short_for_verbose(capsys):
    seen = []
    assert run_command("sweep", lambda config: seen.append(config) or 0, ["-v"]) == 0
    assert seen[0].verbose
    assert "verbose is not a setting" in told(capsys, "-v", name="evaluate")
