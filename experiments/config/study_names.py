"""The studies that there are, for the sentence about one that there is not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adjuster.nearest import nearest
from experiments.common.errors import InputError

NAMED = "study must be "


def studies_in(output_dir: str | Path) -> list[str]:
    """Names of the studies that were swept into an output folder, in order."""
    root = Path(output_dir).expanduser()
    return sorted(path.parent.name for path in root.glob("*/summary.json"))


def unknown_study(name: str, output_dir: str | Path) -> str:
    """What is said of a study that was not swept: the nearest name, else all there are.

    Args:
        name: As it was given.
        output_dir: Where it was looked for.
    """
    return f"study {name} has not been swept in {output_dir}{instead(name, studies_in(output_dir))}"


def instead(name: str, names: Sequence[str]) -> str:
    """The end of a sentence about a study that there is not: the nearest name, else all there are.

    Args:
        name: As it was given.
        names: The studies that there are.

    Example:
        >>> instead("frist", ["first"]), instead("x", ["first", "second"])
        ('; did you mean first?', '; there are first, second.')
    """
    near = nearest(name, [study for study in names if study != name])
    return f"; did you mean {near}?" if near else f"; {_listed(names)}."


def check_study(name: str, output_dir: str | Path) -> None:
    """Refuse a study that was never begun, before anything heavy is loaded to read it.

    Args:
        name: As it was given.
        output_dir: Where it is looked for.

    Raises:
        InputError: As `unknown_study` says it.
    """
    folder = Path(output_dir).expanduser() / name
    if not (folder / "config.yaml").exists() and not (folder / "summary.json").exists():
        raise InputError(unknown_study(name, output_dir))


def nearest_study(name: str, output_dir: str | Path) -> str:
    """The study whose name is nearest to one that was mistyped; "" where none is near.

    Args:
        name: As it was given.
        output_dir: Where it was looked for.
    """
    others = [study for study in studies_in(output_dir) if study != name]
    return nearest(name, others)


def with_studies(faults: Sequence[str], data: Mapping[Any, Any]) -> list[str]:
    """Faults of a configuration; one about a study that is not named lists those there are.

    Args:
        faults: A sentence each.
        data: The composed configuration, as plain data.
    """
    output_dir = data.get("output_dir")
    if data.get("study") not in ("???", "") or not isinstance(output_dir, str):
        return list(faults)
    there = _listed(studies_in(output_dir))
    return [
        f"study must be given: study=NAME; {there} in {output_dir}."
        if fault.startswith(NAMED)
        else fault
        for fault in faults
    ]


def _listed(names: Sequence[str]) -> str:
    return f"there are {', '.join(names)}" if names else "there are no studies"
