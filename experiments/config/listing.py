"""Every setting of a command: its name, its type, its range, its default and its sentence."""

import types
from collections.abc import Iterator
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, fields, is_dataclass
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from omegaconf import MISSING

from adjuster.ranges import must_of, text_of

KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    list: "a list",
    dict: "settings by name",
}


class Listed(NamedTuple):
    """One setting, in words.

    Args:
        name: Dotted, as it is written on the command line.
        kind: Its type; "" for something of no fixed type.
        must: Its range; "" where every value of its type will do.
        default: As it is written on the command line.
        text: What it means.
        choices: The words that it may be, if it may be words.
    """

    name: str
    kind: str
    must: str
    default: str
    text: str
    choices: tuple[str, ...] = ()


def iter_settings(schema: type, prefix: str = "") -> Iterator[Listed]:
    """The settings of a dataclass and of the groups inside it, in their order.

    Args:
        schema: A dataclass whose fields were made by `adjuster.ranges.setting`.
        prefix: Stands before each name, with a dot behind.
    """
    hints = get_type_hints(schema)
    for item in fields(schema):
        hint, name = hints[item.name], f"{prefix}{item.name}"
        if is_dataclass(hint):
            assert isinstance(hint, type)
            yield from iter_settings(hint, f"{name}.")
        else:
            kind, must = kind_words(hint), must_of(item)
            choices = ("true", "false") if hint is bool else must.choices
            yield Listed(name, kind, must.words, _default(item), text_of(item), choices)
            inner = (*get_args(hint), None, None)[1]
            if get_origin(hint) is dict and is_dataclass(inner):
                assert isinstance(inner, type)
                yield from iter_settings(inner, f"{name}.NAME.")


def kind_words(hint: Any) -> str:
    """What a value of a type is, in words.

    Example:
        >>> kind_words(int | float | None), kind_words(list[str]), kind_words(Any)
        ('a number or null', 'a list', '')
    """
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    bare = [get_origin(option) or option for option in options]
    kinds = [KINDS[option] for option in bare if option in KINDS]
    if kinds[:2] == ["a whole number", "a number"]:
        kinds = kinds[1:]
    if type(None) in options:
        kinds.append("null")
    return " or ".join(kinds)


def _default(item: "Field[Any]") -> str:
    value = item.default if item.default_factory is NO_DEFAULT else item.default_factory()
    if value == MISSING:
        return "must be given"
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
