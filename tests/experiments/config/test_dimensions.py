"""A dimension of the search space may be made on the command line."""

import pytest

from experiments.config.command import run_command


def dimensions(*arguments):
    seen = []
    assert run_command("sweep", lambda config: seen.append(config) or 0, arguments) == 0
    return seen[0].search_space.parameters


PLACE = "search_space.parameters"


@pytest.mark.parametrize(
    "arguments",
    [
        ["+{}.max_drift={{type: categorical, choices: [null, 0.1]}}"],
        ["+{}.max_drift.type=categorical", "+{}.max_drift.choices=[null,0.1]"],
        ["{}={{max_drift: {{type: categorical, choices: [null, 0.1]}}}}"],
        ["++{}.max_drift={{type: categorical, choices: [null, 0.1]}}", "study.seed=4"],
    ],
)
def test_a_new_dimension_is_made_beside_the_others(arguments):
    found = dimensions(*(argument.format(PLACE) for argument in arguments))
    assert found["max_drift"].type == "categorical"
    assert found["max_drift"].choices == [None, 0.1]
    assert "num_iterations" in found


def test_a_dimension_that_is_there_is_changed_as_before():
    assert dimensions(f"{PLACE}.num_iterations.high=20")["num_iterations"].high == 20


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("+{}.mine.lowest=3", "search_space.parameters.mine.lowest is not a setting"),
        ("+{}.mine={{type: float, low: x}}", "must be a number or null, got x"),
        ("+{}.mine=3", "search_space.parameters.mine must be a group of settings, got 3."),
        ("{}.mine.low=3", "mine.low is not a setting"),
    ],
)
def test_a_dimension_that_cannot_be_is_a_sentence(capsys, override, sentence):
    assert run_command("sweep", lambda config: 1, [override.format(PLACE)]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_the_composed_configuration_that_is_shown_has_it_too(capsys):
    argument = f"+{PLACE}.margin={{type: float, low: 0.1, high: 1}}"
    assert run_command("sweep", lambda config: 1, [argument, "--cfg", "job"]) == 0
    assert "margin:" in capsys.readouterr().out
