"""Files that are whole or absent, and plain data as they hold it."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import yaml


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that it is whole or unchanged, whatever happens meanwhile.

    Args:
        path: The file; its folder is made where it is missing.
        content: The whole of it; text is written as UTF-8 with its line ends as they are.
    """
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to that takes the place of `path` once all went well.

    Args:
        path: The file; its folder is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name[:200]}.{os.urandom(6).hex()}")
    try:
        # Made as any new file is: the system takes the user's umask off.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def aside_name(path: Path) -> Path:
    """The first free name beside a damaged file for what was in it.

    Example:
        >>> aside_name(Path("/nowhere/a.json")).name
        'a.json.damaged-1'
    """
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON; a number that is not finite is null."""
    write_atomic(path, json.dumps(finite(data), indent=2, ensure_ascii=False) + "\n")


def finite(data: Any) -> Any:
    """A copy of plain data with null for NaN and infinity, which JSON does not have.

    Example:
        >>> finite({"a": (1.5, float("nan"))})
        {'a': [1.5, None]}
    """
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def to_yaml(data: Any) -> str:
    """Plain data as YAML, in the order given.

    Example:
        >>> print(to_yaml({"b": [1, 2], "a": None}), end="")
        b:
        - 1
        - 2
        a: null
    """
    return yaml.dump(data, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)


class _PlainDumper(yaml.SafeDumper):
    """Writes out what stands twice, instead of an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def flatten(data: Mapping[str, Any], *, keep_empty: bool = True) -> dict[str, Any]:
    """Nested data by dotted names.

    Args:
        data: Values by name; a value that is a mapping is nested data again.
        keep_empty: An empty mapping below is a value of its own; else it leaves no trace.

    Example:
        >>> flatten({"a": {"b": 1, "c": {}}, "d": 2})
        {'a.b': 1, 'a.c': {}, 'd': 2}
        >>> flatten({"a": {"b": 1, "c": {}}, "d": 2}, keep_empty=False)
        {'a.b': 1, 'd': 2}
    """
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if not isinstance(value, Mapping):
            flat[str(name)] = value
        elif value:
            inside = flatten(value, keep_empty=keep_empty)
            flat |= {f"{name}.{inner}": part for inner, part in inside.items()}
        elif keep_empty:
            flat[str(name)] = value
    return flat
