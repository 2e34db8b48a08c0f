"""A command as it is printed: whatever its settings hold, it can be pasted into a shell."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from experiments.config.commands import SweepConfig
from experiments.config.written import LEFT_ALONE, quoted


def printed_command(name: str, settings: Mapping[str, str]) -> str:
    """A command with its settings.

    Args:
        name: Of the command.
        settings: Texts by dotted name; each is meant letter by letter.

    Example:
        >>> print(printed_command("evaluate", {"config": "My Drive (1)/best.yaml"}))
        python -m experiments.evaluate 'config=My Drive (1)/best.yaml'
        >>> print(printed_command("report", {"study": "null"}))
        python -m experiments.report 'study='"'"'null'"'"''
    """
    words = (f"{key}={_literal(value)}" for key, value in settings.items())
    return " ".join([f"python -m experiments.{name}", *map(shlex.quote, words)])


def command_on_study(name: str, study: str, output_dir: str | Path, **more: str) -> str:
    """A command that reads what a sweep left.

    Args:
        name: Of the command.
        study: Name of the study.
        output_dir: Where the sweep wrote; left out where the command looks there by itself.
        more: Further settings.

    Example:
        >>> command_on_study("export", "shop", "outputs", force="true")
        'python -m experiments.export study=shop force=true'
        >>> command_on_study("export", "shop", "my runs")
        "python -m experiments.export study=shop 'output_dir=my runs'"
    """
    return printed_command(name, {"study": study, **_place(output_dir), **more})


def ui_command(output_dir: str | Path) -> str:
    """What serves the MLflow UI over the runs of all studies of an output folder.

    Example:
        >>> ui_command("outputs"), ui_command("runs")
        ('python -m experiments.ui', 'python -m experiments.ui output_dir=runs')
    """
    return printed_command("ui", _place(output_dir))


def sweep_command(study: str, output_dir: str | Path) -> str:
    """A sweep that makes a study there.

    Example:
        >>> sweep_command("shop", "outputs")
        'python -m experiments.sweep study.name=shop'
    """
    return printed_command("sweep", {"study.name": study, **_place(output_dir)})


def _place(output_dir: str | Path) -> dict[str, str]:
    there = Path(output_dir) == Path(SweepConfig.output_dir)
    return {} if there else {"output_dir": str(output_dir)}


def _literal(value: str) -> str:
    """A text in quotes of Hydra's where it would mean something else than its letters."""
    special = LEFT_ALONE.fullmatch(value)
    return quoted(value.replace("${", r"\${")) if special else value
