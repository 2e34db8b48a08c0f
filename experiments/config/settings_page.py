"""``python -m experiments.config.settings_page``: every setting of every command, as Markdown."""

import sys

from experiments.config.commands import COMMANDS
from experiments.config.listing import Listed, iter_settings

HEAD = """\
# Settings

Every setting of every command, made from the dataclasses that check them. A setting is given as
`NAME=VALUE` behind the command: `python -m experiments.sweep study.n_trials=50`.

This page is written by `python -m experiments.config.settings_page > docs/settings.md`.
"""
COLUMNS = ("setting", "type", "range", "default", "what it means")


def settings_page() -> str:
    """The page: a chapter for each command, a table for each of its groups."""
    chapters = []
    for command, schema in COMMANDS.items():
        what = (schema.__doc__ or "").splitlines()[0]
        chapters.append(f"## {command}\n\n{what}\n\n{_table(list(iter_settings(schema)))}\n")
    return "\n".join([HEAD, *chapters])


def _table(items: list[Listed]) -> str:
    rows = [
        (f"`{item.name}`", item.kind or "any", item.must, f"`{item.default}`", item.text)
        for item in items
    ]
    head = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(settings_page())
