"""The settings page and the list behind it."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest

from adjuster.config import AdjusterConfig
from experiments.config.command import run_command
from experiments.config.commands import COMMANDS, GROUPS
from experiments.config.help_page import help_lines
from experiments.config.listing import iter_settings
from experiments.config.places import conf_dir
from experiments.config.settings_page import settings_page

PAGE = Path(conf_dir()).parent / "docs" / "settings.md"


def test_the_page_in_the_docs_is_fresh():
    remedy = "run python -m experiments.config.settings_page > docs/settings.md"
    assert PAGE.read_text(encoding="utf-8") == settings_page(), remedy


@pytest.mark.parametrize("schema", [*COMMANDS.values(), *GROUPS.values()])
def test_every_setting_has_a_type_and_a_sentence(schema):
    for item in iter_settings(schema):
        assert item.text.endswith("."), item.name
        assert item.kind or item.name.endswith((".when", ".choices", ".n_trials")), item.name


def test_every_field_stands_on_the_page_under_its_dotted_name():
    def names(schema, prefix):
        for item in fields(schema):
            hint = get_type_hints(schema)[item.name]
            if is_dataclass(hint):
                yield from names(hint, f"{prefix}{item.name}.")
            else:
                yield f"{prefix}{item.name}"

    page = settings_page()
    for schema in COMMANDS.values():
        assert all(f"| `{name}` |" in page for name in names(schema, ""))


def test_ranges_and_defaults_are_those_that_are_checked():
    listed = {item.name: item for item in iter_settings(AdjusterConfig)}
    assert listed["adjustment_rate"].must == "> 0 and <= 10"
    assert listed["adjustment_rate"].default == "0.1"
    assert listed["max_drift"].default == "null"
    sweep = {item.name: item for item in iter_settings(COMMANDS["sweep"])}
    assert sweep["study.name"].default == "must be given"
    assert sweep["search_space.parameters.NAME.low"].kind == "a number or null"


def test_help_shows_the_sentence_of_each_setting(capsys):
    assert run_command("sweep", lambda config: 1, ["--help"]) == 0
    told = capsys.readouterr().out
    words = " ".join(told.split())
    for item in iter_settings(COMMANDS["sweep"]):
        assert f"  {item.name}: " in told
        assert item.text in words


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_keeps_to_the_terminal_and_breaks_no_word(command, width):
    lines = help_lines(command, width)
    assert max(map(len, lines)) <= min(width, 120)
    words = " ".join(" ".join(lines).split())
    assert all(item.text in words for item in iter_settings(COMMANDS[command]))
