"""Texts on the command line are taken as they are written, whatever Hydra's grammar makes of them.

Hydra reads 2024_06 and 1e5 as numbers, and takes no accent, comma or bracket without quotes.
"""

import re
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from hydra.core.override_parser.types import Quote, QuotedString

LEFT_ALONE = re.compile(r"""null|\?\?\?|'.*'|".*"|.*\$\{.*""", re.DOTALL)
"""Values that mean something else than their letters, or are quoted by their writer."""


def as_written(overrides: Sequence[str], schema: type) -> list[str]:
    """Overrides whose texts are quoted for Hydra.

    Args:
        overrides: As they were given.
        schema: The command's configuration, which tells what is a text.

    Example:
        >>> from experiments.config.commands import CompareConfig
        >>> as_written(["output_dir=My Drive (1)", "studies=1e5,été"], CompareConfig)
        ["output_dir='My Drive (1)'", "studies=['1e5','été']"]
    """
    return [_as_written(override, schema) for override in overrides]


def quoted(text: str) -> str:
    """A text as Hydra's grammar takes it literally.

    Example:
        >>> print(quoted("it's"))
        'it\\'s'
    """
    return str(QuotedString(text=text, quote=Quote.single).with_quotes())


def setting_type(schema: Any, key: str) -> Any:
    """The declared type of a setting; None where the schema has no such setting.

    Args:
        schema: A dataclass.
        key: Dotted name of the setting below it.
    """
    hint: Any = schema
    for part in key.split("."):
        if is_dataclass(hint):
            hint = get_type_hints(hint).get(part)
        elif get_origin(hint) is dict:
            hint = get_args(hint)[1]
        else:
            return None
    return hint


def _as_written(override: str, schema: type) -> str:
    key, sign, value = override.partition("=")
    if not sign or LEFT_ALONE.fullmatch(value):
        return override
    hint = setting_type(schema, key.lstrip("+"))
    if hint in (str, str | None):
        return f"{key}={quoted(value)}"
    if hint == list[str] and not value.startswith("["):
        names = [part.strip() for part in value.split(",")]
        return f"{key}=[{','.join(map(quoted, filter(None, names)))}]"
    return override
