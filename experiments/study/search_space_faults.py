"""What can be wrong with a search space, a sentence a fault."""

from collections.abc import Mapping
from dataclasses import fields
from itertools import combinations
from math import isfinite
from typing import Any

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.study import ParameterConfig
from experiments.replay.settings import Settings

SECTION = "search_space.parameters"


def space_faults(parameters: Mapping[str, ParameterConfig], base: Settings) -> list[str]:
    """Every fault of a search space.

    Args:
        parameters: The space.
        base: The settings that it varies.
    """
    faults = [] if parameters else [f"{SECTION} must have a parameter, got none."]
    if any((item.field or name) == "optimizer" for name, item in parameters.items()):
        # What the given optimizer asks of others is not asked of those that are searched with it.
        base = base.with_values({"optimizer": AdjusterConfig.optimizer})
    earlier: dict[str, ParameterConfig] = {}
    for name, parameter in parameters.items():
        faults += _faults(name, parameter, base) or _when_faults(name, parameter, earlier)
        earlier[name] = parameter
    return faults or _shared_faults(parameters)


def conditions(parameter: ParameterConfig) -> dict[str, tuple[Any, ...]]:
    """Other parameter → the values with which this one is searched."""
    return {
        name: tuple(value) if isinstance(value, list) else (value,)
        for name, value in (parameter.when or {}).items()
    }


def _faults(name: str, parameter: ParameterConfig, base: Settings) -> list[str]:
    where = f"{SECTION}.{name}"
    known, setting = _known(), parameter.field or name
    if setting not in known:
        return [f"{where} must be named after a setting ({', '.join(known)}), got {setting}."]
    if parameter.type not in ("float", "int", "categorical"):
        return [f"{where}.type must be one of float, int, categorical, got {parameter.type}."]
    if parameter.type == "categorical":
        faults = _choice_faults(where, parameter)
        ends = {"choices": parameter.choices or []}
    else:
        faults = _range_faults(where, parameter)
        ends = {"low": [parameter.low], "high": [parameter.high]}
    return faults or [
        f"{where}.{end}: {fault}"
        for end, values in ends.items()
        for value in values
        for fault in _value_faults(base, setting, value, parameter.type)
    ]


def _known() -> list[str]:
    return [item.name for kind in (AdjusterConfig, SelectionConfig) for item in fields(kind)]


def _choice_faults(where: str, parameter: ParameterConfig) -> list[str]:
    faults = []
    choices = parameter.choices or []
    if not choices:
        faults.append(f"{where}.choices must have at least one value, got none.")
    elif any(isinstance(value, list | dict) for value in choices):
        faults.append(f"{where}.choices must be plain values, got {choices}.")
    elif len(set(choices)) < len(choices):
        faults.append(f"{where}.choices must differ from each other, got {choices}.")
    for name in ("low", "high"):
        if getattr(parameter, name) is not None:
            faults.append(f"{where}.{name} must be left out of a categorical parameter.")
    return faults


def _range_faults(where: str, parameter: ParameterConfig) -> list[str]:
    low, high = parameter.low, parameter.high
    faults = [
        f"{where}.{name} must be a finite number, got {value}."
        for name, value in (("low", low), ("high", high))
        if value is None or not isfinite(value)
    ]
    if parameter.choices is not None:
        faults.append(f"{where}.choices must be left out of a {parameter.type} parameter.")
    if faults or low is None or high is None:
        return faults
    if parameter.type == "int" and (low % 1 or high % 1):
        faults.append(f"{where} must have whole ends, got {low:g} and {high:g}.")
    if low > high:
        faults.append(f"{where}.low must be <= {where}.high ({high:g}), got {low:g}.")
    if parameter.log and low <= 0:
        faults.append(f"{where}.low must be > 0 with log: true, got {low:g}.")
    return faults


def _value_faults(base: Settings, setting: str, value: Any, kind: str) -> list[str]:
    try:
        base.with_values({setting: int(value) if kind == "int" else value})
    except (ValueError, TypeError) as error:
        # What a value asks of other settings is for each trial to see.
        others = [f".{item} must be" for item in _known() if item != setting]
        return [line for line in str(error).splitlines() if not any(o in line for o in others)]
    return []


def _when_faults(
    name: str, parameter: ParameterConfig, earlier: Mapping[str, ParameterConfig]
) -> list[str]:
    faults = []
    for other, values in conditions(parameter).items():
        where = f"{SECTION}.{name}.when.{other}"
        if other not in earlier:
            faults.append(f"{where} must name a parameter that stands above {name}.")
            continue
        choices = earlier[other].choices
        for value in values:
            if choices is not None and value not in choices:
                faults.append(f"{where} must be one of {choices}, got {value}.")
    return faults


def _shared_faults(parameters: Mapping[str, ParameterConfig]) -> list[str]:
    """Parameters that give the same setting a value at the same time."""
    return [
        f"{SECTION}.{a} and {SECTION}.{b} both set {parameters[a].field or a}; "
        "give them conditions (when) that never hold together."
        for a, b in combinations(parameters, 2)
        if (parameters[a].field or a) == (parameters[b].field or b)
        and not _exclusive(_needed(a, parameters), _needed(b, parameters))
    ]


def _needed(name: str, parameters: Mapping[str, ParameterConfig]) -> dict[str, set[Any]]:
    """All conditions of a parameter, those of the parameters it depends on included."""
    needed: dict[str, set[Any]] = {}
    for other, values in conditions(parameters[name]).items():
        needed[other] = set(values)
        needed |= _needed(other, parameters)
    return needed


def _exclusive(a: Mapping[str, set[Any]], b: Mapping[str, set[Any]]) -> bool:
    return any(not a[name] & b[name] for name in a.keys() & b.keys())
