"""``best.yaml``: a trial as a configuration that runs again, with where it comes from inside."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.common.code_version import PACKAGES
from experiments.common.files import to_yaml, write_atomic
from experiments.config.commands import SweepConfig
from experiments.study.records import TrialRecord

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
    data = {
        "defaults": ["sweep_schema", "_self_"],
        **asdict(config),
        **record.settings,
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
