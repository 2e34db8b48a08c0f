"""Frozen records as plain data and back: what a file holds is checked when it is read."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from experiments.common.errors import InputError
from experiments.common.files import finite

Record = TypeVar("Record")

WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def to_plain(record: Any) -> dict[str, Any]:
    """A dataclass as data that JSON holds: null for what is not finite, lists for tuples.

    Named tuples are records too, by the names of their fields.
    """
    plain: dict[str, Any] = finite(_plain(record))
    return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def from_plain(kind: type[Record], data: Any, name: str) -> Record:
    """The record that `to_plain` wrote, every value checked against its field's type.

    A field with a default may be missing, so that a record can grow and old files stay readable;
    entries without a field are left out. Null stands for NaN where a number must be.

    Args:
        kind: A dataclass or named tuple of texts, numbers, tuples, mappings and further records.
        data: Plain data.
        name: Where they stand, in words, for the sentence about a fault.

    Raises:
        ValueError: Naming the first value that cannot be read.

    Example:
        >>> from experiments.judging.verdict import Verdict
        >>> from_plain(Verdict, {"decision": "adopt", "sentence": "Adopt."}, "verdict").adopts
        True
        >>> from_plain(Verdict, {"decision": "adopt"}, "verdict")
        Traceback (most recent call last):
        ValueError: verdict.sentence is missing
    """
    if not isinstance(data, Mapping):
        raise _fault(name, "a record", data)
    types = get_type_hints(kind)
    values = {}
    for field, has_default in _fields(kind).items():
        where = f"{name}.{field}".lstrip(".")
        if field in data:
            values[field] = _value(types[field], data[field], where)
        elif not has_default:
            raise ValueError(f"{where} is missing")
    return kind(**values)


def read_json(path: Path, decode: Callable[[Any], Record], remedy: str) -> Record:
    """Read a JSON file.

    Args:
        path: Where.
        decode: Makes the record of the file's content.
        remedy: What to do about a file that cannot be read, a sentence.

    Raises:
        InputError: If the file cannot be read, naming it.
    """
    try:
        return decode(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason = str(error.strerror)
    except (ValueError, OverflowError) as error:
        reason = str(error)
    except RecursionError:
        reason = "it is nested too deeply"
    raise InputError(f"{path} cannot be read: {reason}. {remedy}")


def _fields(kind: Any) -> dict[str, bool]:
    """Field → whether it may be missing."""
    if not is_dataclass(kind):
        return {name: name in kind._field_defaults for name in kind._fields}
    return {
        item.name: item.default is not MISSING or item.default_factory is not MISSING
        for item in fields(kind)
    }


def _value(kind: Any, data: Any, name: str) -> Any:
    """A value as its field's type says."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return data
    if origin is Literal:
        return _one_of(inner, data, name)
    if origin in (Union, UnionType):
        (known,) = (item for item in inner if item is not type(None))
        return None if data is None else _value(known, data, name)
    if origin is tuple:
        return _entries(inner[0], data, name)
    if origin is Mapping:
        return _mapping(inner[1], data, name)
    if hasattr(kind, "from_dict"):
        return _other_record(kind, data, name)
    if isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "_fields")):
        return from_plain(kind, data, name)
    return _scalar(kind, data, name)


def _one_of(known: tuple[Any, ...], data: Any, name: str) -> Any:
    if data not in known:
        raise _fault(name, f"one of {', '.join(map(str, known))}", data)
    return data


def _entries(kind: Any, data: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise _fault(name, "a list", data)
    return tuple(_value(kind, item, f"{name}[{index}]") for index, item in enumerate(data))


def _mapping(kind: Any, data: Any, name: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise _fault(name, "values by name", data)
    return {str(key): _value(kind, item, f"{name}.{key}") for key, item in data.items()}


def _other_record(kind: Any, data: Any, name: str) -> Any:
    """A record that reads itself."""
    try:
        return kind.from_dict(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read: {error}") from None


def _scalar(kind: Any, data: Any, name: str) -> Any:
    if kind is float:
        if data is None:
            return math.nan
        if isinstance(data, int | float) and not isinstance(data, bool):
            return float(data)
    elif isinstance(data, kind) and (kind is bool or not isinstance(data, bool)):
        return data
    raise _fault(name, WORDS[kind], data)


def _fault(name: str, expected: str, data: Any) -> ValueError:
    shown = repr(data)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ValueError(f"{name or 'it'} must be {expected}, got {shown}")
