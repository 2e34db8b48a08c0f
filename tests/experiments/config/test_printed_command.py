"""A printed command, pasted into a shell, means what was printed."""

import shlex

import pytest

from experiments.config import command
from experiments.config.command import convert
from experiments.config.commands import register
from experiments.config.printed_command import command_on_study, printed_command, sweep_command

PLACES = (
    "runs",
    "My Drive (1)",
    "a,b",
    "/été/ü",
    "2024_06",
    "1e5",
    "null",
    "'quoted'",
    '"so"',
    "it's",
    "${oc.env:HOME}",
    "~/runs",
    "a=b",
    "back\\slash",
    "end\\",
    "[x]",
    "{y: 1}",
    "$HOME",
    "a;b&c",
    "-v",
    " ",
)


def pasted(line):
    """What a command makes of a printed line."""
    program, flag, module, *arguments = shlex.split(line)
    assert (program, flag) == ("python", "-m")
    name = module.removeprefix("experiments.")
    register()
    return convert(command._composed(name, command._arguments(name, arguments)))


@pytest.mark.parametrize("place", PLACES)
def test_any_output_folder_survives_being_pasted(place):
    config = pasted(command_on_study("report", "shop", place))
    assert (config.study, config.output_dir) == ("shop", place)


@pytest.mark.parametrize("study", ["null", "1e5", "étude"])
def test_any_study_name_survives_being_pasted(study):
    assert pasted(command_on_study("export", study, "outputs", force="true")).study == study
    assert pasted(sweep_command(study, "x y")).study.name == study


@pytest.mark.parametrize("place", ["null", "My Drive (1)", "it's", "a,b"])
def test_any_path_survives_being_pasted(place):
    path = f"{place}/best.yaml"
    assert pasted(printed_command("evaluate", {"config": path})).config == path
    line = printed_command("sweep", {"dataset": "folder", "dataset.path": place})
    assert pasted(line).dataset.path == place


@pytest.mark.parametrize("place", ["outputs", "./outputs", "outputs/"])
def test_what_a_command_finds_by_itself_is_not_said(place):
    assert command_on_study("export", "shop", place) == "python -m experiments.export study=shop"
