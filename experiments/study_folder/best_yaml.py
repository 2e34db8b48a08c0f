"""``best.yaml``: a trial as a configuration that runs again, with where it comes from inside."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.common.code_version import PACKAGES
from experiments.common.errors import InputError
from experiments.common.files import to_yaml, write_atomic
from experiments.config.commands import SweepConfig
from experiments.config.faults import explain_value, unknown_keys
from experiments.study.records import TrialRecord

COMPOSITION = ("defaults", "hydra")
"""Keys that only Hydra reads."""

HEAD = """\
# The best configuration of a study. Replay it to the figures it states:
#   python -m experiments.evaluate config={path}
# Sweep on from it:
#   python -m experiments.sweep --config-dir {folder} --config-name best study.name=NEW
"""


def write_best(
    path: Path, config: SweepConfig, record: TrialRecord, summary: Mapping[str, Any]
) -> None:
    """Write a trial's whole configuration with its provenance.

    Args:
        path: Where.
        config: The sweep's configuration.
        record: The trial.
        summary: The content of ``summary.json``.
    """
    # The replay's interval is the adjuster's, which may have been searched.
    interval = record.settings["adjuster"]["interval_seconds"]
    data = {
        "defaults": ["sweep_schema", "_self_"],
        **asdict(config),
        **record.settings,
        "replay": {**asdict(config.replay), "interval_seconds": interval},
        "provenance": provenance(record, summary),
    }
    head = HEAD.format(path=path, folder=path.parent)
    write_atomic(path, head + to_yaml(data))


def provenance(record: TrialRecord, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Where a trial comes from and what it reached."""
    return {
        "study": summary["study"],
        "trial": record.number,
        "dataset": dict(summary["dataset"]),
        "objective": summary["objective"],
        "window": "tune",
        "metrics": dict(record.metrics),
        **_sealed(record, summary),
        "versions": {name: version(name) for name in PACKAGES},
    }


def _sealed(record: TrialRecord, summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the sealed test said of this very trial."""
    test = summary.get("test")
    if not test or test["trial"] != record.number:
        return {}
    return {"verdict": summary["verdict"], "test": test}


def read_config(path: str | Path) -> SweepConfig:
    """Read ``best.yaml`` or ``config.yaml`` as data: nothing in it is run, built or looked up.

    Raises:
        InputError: If it is not such a file, a sentence for every fault.
    """
    plain = _read_plain(path)
    faults = [f"{place} must be plain data, got {text}." for place, text in _references(plain, "")]
    faults += unknown_keys(plain, SweepConfig)
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
        text = Path(path).read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise InputError(f"config {path} must not use aliases (*name).")
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
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
