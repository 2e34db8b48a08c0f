"""What ``--help`` prints: choices, settings and options of a command, at once and without data."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from experiments.config.choices import choices
from experiments.config.commands import COMMANDS
from experiments.config.listing import iter_settings
from experiments.config.places import conf_dir

OPTIONS = (
    ("--help, -h", "This page."),
    ("--version", "The version of this project."),
    ("--cfg job, -c job", "The configuration as it is composed; nothing is run."),
    ("--resolve", "With --cfg: what refers to other settings is replaced by their values."),
    ("--package NAME, -p NAME", "With --cfg: only this part of it."),
    ("--config-dir DIR, -cd DIR", "A folder with further choices of files."),
    ("--config-name NAME, -cn NAME", "A whole configuration, such as best from a study's folder."),
    ("--info [WHAT], -i [WHAT]", "How the configuration is put together."),
)
"""Options of Hydra's that are of use here; they may stand anywhere among the settings."""

NARROWEST, WIDEST = 40, 120


def help_lines(command: str, width: int | None = None) -> list[str]:
    """The page, line by line.

    Args:
        command: Its name.
        width: Characters of a line; the terminal's by default.
    """
    wide = shutil.get_terminal_size().columns if width is None else width
    texts = (
        (0, header(command)),
        *_section("Choices of files (GROUP=FILE):", _choices(command)),
        *_section("Settings (NAME=VALUE):", _settings(command)),
        *_section("Options:", _options()),
    )
    return [line for indent, text in texts for line in _wrapped(text, indent, max(NARROWEST, wide))]


def header(command: str) -> str:
    """What a command says of itself: the comment on top of its configuration.

    Args:
        command: Its name.
    """
    first = (Path(conf_dir()) / f"{command}.yaml").read_text(encoding="utf-8").splitlines()[0]
    return first.lstrip("# ").replace('"', "'")


Text = tuple[int, str]
"""How far a text stands in, and the text."""


def _section(head: str, texts: Iterator[Text]) -> list[Text]:
    return [(0, ""), (0, head), *texts]


def _choices(command: str) -> Iterator[Text]:
    for group, names in choices(command).items():
        yield 2, f"{group}: {', '.join(names)}"


def _settings(command: str) -> Iterator[Text]:
    """Name, range and default, and below it the sentence."""
    for item in iter_settings(COMMANDS[command]):
        default = "" if len(item.default) > NARROWEST else f" [{item.default}]"
        yield 2, f"{item.name}: {item.must or item.kind or 'any value'}{default}"
        yield 6, item.text


def _options() -> Iterator[Text]:
    for names, text in OPTIONS:
        yield 2, names
        yield 6, text


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    """A text in lines, the later ones further in; a word is never broken."""
    space = " " * indent
    further = space if indent > 2 else f"{space}    "
    return wrap(
        text,
        min(width, WIDEST),
        initial_indent=space,
        subsequent_indent=further if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
