"""Every mistake in a configuration as one sentence: which setting, what it must be, what came."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, get_args, get_origin, get_type_hints

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from adjuster.nearest import did_you_mean, nearest, nearest_first
from experiments.common.files import flatten
from experiments.config.arguments import INTERVAL, OLD_INTERVAL, split_arguments
from experiments.config.commands import COMMANDS, GROUPS
from experiments.config.dimensions import GROUP, NAME
from experiments.config.listing import kind_words
from experiments.config.written import quoted, setting_type


def explain(error: Exception, name: str, arguments: Sequence[str], conf_dir: str) -> list[str]:
    """What is wrong with a command's arguments, a sentence a fault.

    Each override is composed alone, so that all faults are told, not just the first.

    Args:
        error: What composing all of them raised.
        name: The command.
        arguments: Its arguments.
        conf_dir: Where its configuration lies.
    """
    GlobalHydra.instance().clear()
    keys = _known_keys(name, conf_dir)
    overrides, places = _overrides(arguments)
    faults = []
    with initialize_config_dir(conf_dir, version_base="1.3"):
        for override in overrides:
            try:
                compose(name, [override, *places])
            except (HydraException, OmegaConfBaseException, ValueError) as fault:
                faults.append(_sentence(fault, name, keys, override))
    return faults or [_sentence(error, name, keys, "")]


def explain_value(error: Exception, key: str) -> list[str]:
    """What is wrong with a composed value: out of range, missing, or referring to nothing."""
    if not isinstance(error, OmegaConfBaseException):
        return str(error).splitlines()
    text = str(error)
    where = _match(r"full_key: (\S+)", text) or key
    where = where if where.startswith(key) else f"{key}.{where}"
    if "missing mandatory value" in text.lower():
        return [f"{where} must be given: {where}=..."]
    return [f"{where}: {text.splitlines()[0]}."]


def unknown_keys(data: Mapping[Any, Any], schema: Any, prefix: str = "") -> list[str]:
    """A sentence for every key of plain data that the schema does not have.

    Args:
        data: Settings by name, nested.
        schema: The dataclass that they shall become.
        prefix: Where they stand, with a dot behind.
    """
    hints = get_type_hints(schema)
    faults = []
    for key, value in data.items():
        if key not in hints:
            faults.append(_unknown(f"{prefix}{key}", [prefix + name for name in sorted(hints)]))
        elif isinstance(value, Mapping):
            faults += _unknown_below(value, hints[key], f"{prefix}{key}.")
    return faults


def _unknown_below(data: Mapping[str, Any], hint: Any, prefix: str) -> list[str]:
    if is_dataclass(hint):
        return unknown_keys(data, hint, prefix)
    parts = get_args(hint)
    if get_origin(hint) is dict and is_dataclass(parts[1]):
        return [
            fault
            for name, item in data.items()
            if isinstance(item, Mapping)
            for fault in unknown_keys(item, parts[1], f"{prefix}{name}.")
        ]
    return []


def _sentence(error: Exception, name: str, keys: Sequence[str], override: str) -> str:
    cause = error.__cause__
    text = f"{error}\n{cause}" if cause is not None else str(error)
    if isinstance(error, MissingConfigException):
        return _unknown_choice(error)
    if isinstance(error, OverrideParseException):
        return f"{override!r} must be written as key=value, such as study.n_trials=50."
    place = _match(r"^In '(.+?)'", text)
    where = f"{place}.yaml: " if place and place not in (name, f"{GROUP}/{NAME}") else ""
    key = _match(r"full_key: (\S+)", text) or ""
    written = override.lstrip("+~").split("=")[0]
    if written.startswith(key) or written.endswith(f".{key}"):
        key = written
    if re.search(r"Key '.+' (is )?not in", text):
        return where + _unknown(key, keys)
    if "does not support deletion" in text:
        return f"{key} cannot be removed; give it another value."
    if "group override must be" in text or "Error merging" in text or "converted" in text:
        value = _match(r"Value '(.*)' of type", text) or override.partition("=")[2]
        return f"{where}{key or written} must be {_kind(name, key or written)}, got {value}."
    return where + " ".join(text.splitlines()[0].split())


def _unknown_choice(error: MissingConfigException) -> str:
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    if not group:
        return f"There is no configuration named {choice}.yaml."
    options = [option for option in error.options or [] if option != "schema"]
    if not options:
        return f"{group} must be null: there are no files to choose, got {choice}."
    possible = ", ".join(nearest_first(choice, options))
    return f"{group} must be one of {possible}, got {choice}{did_you_mean(choice, options)}"


def _overrides(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides among the arguments, and what makes ``--config-dir`` known to each alone."""
    flags, overrides = split_arguments(arguments)
    places = [
        f"hydra.searchpath=[{quoted(f'file://{os.path.abspath(value)}')}]"
        for flag, value in pairwise(flags)
        if flag in ("--config-dir", "-cd")
    ]
    return overrides, places


def _unknown(key: str, keys: Sequence[str]) -> str:
    if key == OLD_INTERVAL:
        return f"{key} stands under {INTERVAL} now; write it there."
    section, _, last = key.rpartition(".")
    depth = section.count(".") + 2 if section else 1
    prefix = f"{section}." if section else ""
    beside = {".".join(item.split(".")[:depth]) for item in keys if item.startswith(prefix)}
    names = {item.removeprefix(prefix): item for item in sorted(beside)}
    near = names.get(nearest(last, names)) or nearest(key, keys, close=0.8)
    if near:
        return f"{key} is not a setting; the nearest is {near}."
    possible = ", ".join(sorted(beside or {item.split(".")[0] for item in keys}))
    return f"{key} is not a setting; there are {possible}."


@lru_cache
def _known_keys(name: str, conf_dir: str) -> tuple[str, ...]:
    """All settings and groups of a command, dotted."""
    with initialize_config_dir(conf_dir, version_base="1.3"):
        plain = OmegaConf.to_container(compose(name))
        assert isinstance(plain, dict)
    groups = [item.name for item in fields(COMMANDS[name]) if item.name in GROUPS]
    return (*flatten({str(key): value for key, value in plain.items()}), *groups)


def _kind(name: str, key: str) -> str:
    """What a setting must be, from its type in the schema."""
    hint = setting_type(COMMANDS[name], key)
    if is_dataclass(hint):
        if key == "study":
            return "a group of settings (its name is study.name=NAME)"
        return f"one of the files in conf/{key}" if key in GROUPS else "a group of settings"
    return kind_words(hint) or "of another type"


def _match(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else None
