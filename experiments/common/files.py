"""Files that are whole or absent, and plain data as they hold it."""

from collections.abc import Mapping
from typing import Any


def flatten(data: Mapping[str, Any]) -> dict[str, Any]:
    """Nested data by dotted names; an empty mapping is a value of its own.

    Example:
        >>> flatten({"a": {"b": 1, "c": {}}, "d": 2})
        {'a.b': 1, 'a.c': {}, 'd': 2}
    """
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping) and value:
            flat |= {f"{name}.{inner}": part for inner, part in flatten(value).items()}
        else:
            flat[name] = value
    return flat
