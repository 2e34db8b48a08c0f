"""The files that a group of settings can be taken from."""

from pathlib import Path

from experiments.config.commands import COMMANDS, GROUPS
from experiments.config.listing import iter_settings
from experiments.config.places import conf_dir

EVERYWHERE = ("debug", "experiment")
"""Groups of whole sweeps, which are no settings of their own."""


def choices(command: str) -> dict[str, list[str]]:
    """Group → its files, by name, in order; groups inside groups too.

    Args:
        command: Whose settings they are.

    Example:
        >>> choices("sweep")["sampler"]
        ['cmaes', 'forest', 'gp', 'grid', 'qmc', 'random', 'tpe']
    """
    root = Path(conf_dir())
    settings = {item.name.split(".")[0] for item in iter_settings(COMMANDS[command])}
    groups = settings & set(GROUPS) | set(EVERYWHERE if "study" in settings else ())
    found: dict[str, list[str]] = {}
    for group in sorted(groups):
        for path in sorted((root / group).rglob("*.yaml")):
            found.setdefault(str(path.parent.relative_to(root)), []).append(path.stem)
    return found
