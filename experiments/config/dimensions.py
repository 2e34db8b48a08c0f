"""New dimensions of the search space on the command line.

Hydra can change a dimension that is there, but not make one: what it adds has no type. So what
is given under `search_space.parameters` is handed to it as if it stood in a file.
"""

from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

PLACE = "search_space.parameters"
GROUP, NAME = "given", "dimensions"


def with_dimensions(overrides: Sequence[str]) -> list[str]:
    """Overrides in which those that give dimensions are one made-up file.

    Args:
        overrides: As they were given; ``+search_space.parameters.NAME=…``, parts of one below
            it, and ``search_space.parameters={…}`` give dimensions.

    Example:
        >>> with_dimensions(["+search_space.parameters.max_drift.low=0.1", "study.seed=1"])
        ['study.seed=1', '+given=dimensions']
        >>> with_dimensions(["search_space.parameters.max_drift.low=0.1"])
        ['search_space.parameters.max_drift.low=0.1']
    """
    given: dict[str, Any] = {}
    rest = []
    for override in overrides:
        if not (_gives_one(override) and _add(given, override)):
            rest.append(override)
    if not given:
        return rest
    node = {"search_space": {"parameters": given}}
    ConfigStore.instance().store(group=GROUP, name=NAME, node=node, package="_global_")
    return [*rest, f"+{GROUP}={NAME}"]


def _gives_one(override: str) -> bool:
    key, sign, _ = override.partition("=")
    is_new = key.startswith("+") and key.lstrip("+").startswith(f"{PLACE}.")
    return bool(sign) and (is_new or key.lstrip("+") == PLACE)


def _add(given: dict[str, Any], override: str) -> bool:
    """Put an override's value in its place; whether it could be read."""
    try:
        value = OverridesParser.create().parse_override(override.lstrip("+")).value()
    except HydraException:
        return False
    path = override.partition("=")[0].lstrip("+").removeprefix(PLACE).lstrip(".")
    if not path:
        if not isinstance(value, dict):
            return False
        given.update(value)
        return True
    *above, last = path.split(".")
    if not above and not isinstance(value, dict):
        return False
    for name in above:
        given = given.setdefault(name, {})
        if not isinstance(given, dict):
            return False
    given[last] = value
    return True
