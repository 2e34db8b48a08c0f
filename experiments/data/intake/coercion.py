"""From a source's raw values to the format's types: whole columns where one cast will do."""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ARROW_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "time": pa.int64(),
    "flag": pa.bool_(),
    "number": pa.float64(),
    "share": pa.float64(),
    "position": pa.int64(),
    "vector": pa.list_(pa.float32()),
}
"""Kind of a column → the type it has on its way; the output is narrower for numbers."""

TIME_UNITS: dict[str, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
RAW_WORDS: dict[str, str] = {
    "id": "a string or a whole number",
    "text": "a string",
    "time": "a time",
    "flag": "true or false",
    "number": "a number",
    "share": "a number",
    "position": "a whole number",
    "vector": "a list of numbers",
}
FLOAT_ID = re.compile(r"-?\d+\.0")
"""A whole number as a float is written."""

MAX_EXACT = 2**53
"""Whole numbers up to here are exact as floats."""

FLAG_WORDS = {"true": 1, "t": 1, "1": 1, "false": 0, "f": 0, "0": 0}
Raw: TypeAlias = Sequence[Any] | Any
"""A list of Python values, or an Arrow column (whose class carries no types)."""


def coerce(values: Raw, kind: str, *, time_unit: str = "s") -> tuple[pa.Array, NDArray[np.bool_]]:
    """Turn raw values into a column of the format.

    Args:
        values: A list of Python values, or an Arrow column.
        kind: ``id``, ``text``, ``time``, ``flag``, ``number``, ``share``, ``position`` or
            ``vector``. Ids that are floats, which pandas makes of whole numbers with gaps,
            are the whole numbers they were.
        time_unit: What a number that stands for a time counts: ``s``, ``ms``, ``us`` or ``ns``
            since 1970. Texts are read as such a number or as ISO 8601 (UTC where they name no
            zone).

    Returns:
        The column, null where a value is missing or does not fit, and a flag for those that do
        not fit.

    Example:
        >>> column, bad = coerce(["1", 2, [3], None], "position")
        >>> column.to_pylist(), bad.tolist()
        ([1, 2, None, None], [False, False, True, False])
    """
    whole = _whole(values, kind, time_unit)
    if whole is not None:
        return whole, np.zeros(len(whole), bool)
    raw = values.to_pylist() if isinstance(values, pa.Array | pa.ChunkedArray) else values
    convert = _CONVERTERS[kind]
    converted: list[Any] = []
    bad = np.zeros(len(raw), bool)
    for row, value in enumerate(raw):
        try:
            converted.append(None if value is None else convert(value, time_unit))
        except (ValueError, TypeError, OverflowError, RecursionError):
            converted.append(None)
            bad[row] = True
    return pa.array(converted, ARROW_TYPES[kind]), bad


def _whole(values: Raw, kind: str, time_unit: str) -> pa.Array | None:
    """The column, if one cast does for all of it."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not isinstance(values, pa.Array):
        try:
            values = pa.array(values)
        except (pa.ArrowException, UnicodeError, ValueError, TypeError, OverflowError):
            return None
    target = ARROW_TYPES[kind]
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), target)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not _fits(values.type, kind):
        return None
    try:
        if kind == "time":
            return _times(values, time_unit)
        if kind == "id":
            return _ids(values)
        return values.cast(target)
    except pa.ArrowException:
        return None


def _fits(kind_of: pa.DataType, kind: str) -> bool:
    """Whether a cast to the kind says the same as converting value by value."""
    is_number = pa.types.is_integer(kind_of) or pa.types.is_floating(kind_of)
    is_text = pa.types.is_string(kind_of) or pa.types.is_large_string(kind_of)
    fits = {
        "id": is_text or is_number,
        "text": is_text,
        "time": pa.types.is_integer(kind_of) or pa.types.is_timestamp(kind_of),
        "number": is_number,
        "share": is_number,
        "position": pa.types.is_integer(kind_of),
        "vector": _is_list_of_numbers(kind_of),
        "flag": pa.types.is_boolean(kind_of),
    }
    return bool(fits[kind])


def _is_list_of_numbers(kind_of: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind_of) or pa.types.is_large_list(kind_of)
    if not is_list and not pa.types.is_fixed_size_list(kind_of):
        return False
    value = kind_of.value_type
    return bool(pa.types.is_floating(value) or pa.types.is_integer(value))


def _ids(values: pa.Array) -> pa.Array:
    """Ids as texts; whole numbers that pandas made floats of, for gaps, as what they were.

    Raises:
        pa.ArrowInvalid: If a float is no whole number that a float holds exactly.
    """
    if pa.types.is_floating(values.type):
        return _whole_numbers(values.cast(pa.float64())).cast(pa.string())
    return values.cast(pa.string())


def _whole_numbers(values: pa.Array) -> pa.Array:
    numbers = pc.if_else(pc.is_nan(values), None, values)
    large = pc.greater(pc.abs(numbers), float(MAX_EXACT))
    if pc.any(large).as_py():
        raise pa.ArrowInvalid("an id that is a float is too large to be exact")
    return numbers.cast(pa.int64())


def _times(values: pa.Array, time_unit: str) -> pa.Array:
    if pa.types.is_timestamp(values.type):
        if values.type.tz is None:
            values = pc.assume_timezone(values, "UTC")
        return (
            pc.floor_temporal(values, unit="second").cast(pa.timestamp("s", "UTC")).cast(pa.int64())
        )
    whole = values.cast(pa.int64())
    scale = TIME_UNITS[time_unit]
    if scale == 1:
        return whole
    seconds = np.floor_divide(pc.fill_null(whole, 0).to_numpy(zero_copy_only=False), scale)
    return pa.array(seconds, pa.int64(), mask=pc.is_null(whole).to_numpy(zero_copy_only=False))


def _id(value: Any, _: str) -> str | None:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if abs(value) > MAX_EXACT or value != int(value):
            raise ValueError
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _text(value, "")


def _text(value: Any, _: str) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # A lone surrogate is no text.
    return value


def _time(value: Any, unit: str) -> int | None:
    if _is_gap(value):
        return None
    if isinstance(value, datetime):
        return _seconds_of(value)
    if isinstance(value, str):
        try:
            value = float(value) if not value.strip().lstrip("-").isdigit() else int(value)
        except ValueError:
            return _seconds_of(datetime.fromisoformat(value.strip()))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return _int64(math.floor(value / TIME_UNITS[unit]) if unit != "s" else math.floor(value))


def _seconds_of(moment: datetime) -> int:
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return math.floor(zoned.timestamp())


def _flag(value: Any, _: str) -> bool | None:
    if _is_gap(value):
        return None
    if isinstance(value, str):
        value = FLAG_WORDS.get(value.strip().lower().removesuffix(".0"))
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise ValueError


def _number(value: Any, _: str) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _position(value: Any, _: str) -> int | None:
    if _is_gap(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = int(value.strip().removesuffix(".0")) if isinstance(value, str) else value
    if number != int(number):
        raise ValueError
    return _int64(int(number))


def _vector(value: Any, _: str) -> list[float | None]:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, list | tuple) or any(isinstance(x, bool | str) for x in value):
        raise TypeError
    return [None if x is None else float(x) for x in value]


def _is_gap(value: Any) -> bool:
    """Whether pandas wrote it for a missing number."""
    return isinstance(value, float) and math.isnan(value)


def plain_text(value: Any) -> str:
    """A value as text, to be compared: a float that is whole as the whole number.

    Example:
        >>> plain_text(1.0), plain_text("1.0"), plain_text("1.50"), plain_text(True)
        ('1', '1', '1.50', 'True')
    """
    text = str(value)
    return text.removesuffix(".0") if FLOAT_ID.fullmatch(text) else text


def _int64(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    return number


_CONVERTERS: dict[str, Callable[[Any, str], Any]] = {
    "id": _id,
    "text": _text,
    "time": _time,
    "flag": _flag,
    "number": _number,
    "share": _number,
    "position": _position,
    "vector": _vector,
}
