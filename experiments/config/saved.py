"""``config.yaml`` and ``best.yaml`` read back: the configuration of a sweep as it was written."""

import os
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.common.errors import InputError
from experiments.common.plain_yaml import load_plain
from experiments.common.secrets import without_user_info
from experiments.config.commands import SweepConfig
from experiments.config.faults import explain_value, unknown_keys

COMPOSITION = ("defaults", "hydra")
"""Keys that only Hydra reads."""


def read_config(path: str | Path) -> SweepConfig:
    """Read ``best.yaml`` or ``config.yaml`` as data: nothing in it is run, built or looked up.

    Raises:
        InputError: If it is not such a file, a sentence for every fault.
    """
    plain = _with_one_interval(_read_plain(path))
    faults = [f"{place} must be plain data, got {text}." for place, text in _references(plain, "")]
    faults += unknown_keys(plain, SweepConfig)
    faults += _no_groups(plain)
    if not faults:
        try:
            merged = OmegaConf.merge(OmegaConf.structured(SweepConfig), plain)
            config = OmegaConf.to_object(merged)
            assert isinstance(config, SweepConfig)
            return config
        except (ValueError, OmegaConfBaseException) as error:
            faults = explain_value(error, "")
    raise InputError("\n".join(f"config {path}: {fault}" for fault in faults))


def _read_plain(path: str | Path) -> dict[str, Any]:
    """The settings in a file, without what only Hydra reads.

    Aliases are refused: they can refer to themselves, or grow a small file without bound.
    """
    try:
        data = load_plain(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"config {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"config {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise InputError(f"config {path} must hold settings by name, got {type(data).__name__}.")
    return {key: value for key, value in data.items() if key not in COMPOSITION}


def _references(data: Any, place: str) -> list[tuple[str, str]]:
    """Values that would be looked up or run when read as a configuration."""
    if isinstance(data, dict):
        return [
            found
            for key, value in data.items()
            for found in _references(value, f"{place}.{key}".lstrip("."))
        ]
    if isinstance(data, list):
        return [found for value in data for found in _references(value, place)]
    return [(place, data)] if isinstance(data, str) and "${" in data else []


def _no_groups(data: Mapping[str, Any]) -> list[str]:
    """A sentence for every group of settings that is something else."""
    hints = get_type_hints(SweepConfig)
    return [
        f"{name} must be a group of settings, got {value}."
        for name, value in data.items()
        if is_dataclass(hints.get(name)) and not isinstance(value, dict)
    ]


def _with_one_interval(data: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the interval in its one home, `adjuster`.

    Files of earlier versions hold it under ``replay`` too, and that one counted.
    """
    replay = data.get("replay")
    if not isinstance(replay, dict) or "interval_seconds" not in replay:
        return dict(data)
    rest = {name: value for name, value in replay.items() if name != "interval_seconds"}
    adjuster = data.get("adjuster") or {}
    if not isinstance(adjuster, dict):
        return dict(data)
    adjuster = {**adjuster, "interval_seconds": replay["interval_seconds"]}
    return {**data, "replay": rest, "adjuster": adjuster}


def with_dataset_path(config: SweepConfig, path: str | None) -> SweepConfig:
    """A configuration whose data set lies elsewhere now.

    Args:
        config: As it was written.
        path: The folder; null keeps the one that it names.
    """
    if path is None:
        return config
    return replace(config, dataset=replace(config.dataset, path=path))


def anchored(config: SweepConfig) -> SweepConfig:
    """A configuration whose data set is found from any folder."""
    path = config.dataset.path
    return with_dataset_path(config, path and os.path.abspath(os.path.expanduser(path)))


def shown_config(config: SweepConfig) -> dict[str, Any]:
    """A configuration as nested plain data that may be written and shown: no secret is in it."""
    plain = asdict(config)
    for group, name in (("study", "storage"), ("tracking", "uri")):
        url = plain[group][name]
        plain[group][name] = None if url is None else without_user_info(url)
    return plain
