"""``best.yaml``: a trial as a configuration that runs again, with where it comes from inside."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.common.code_version import PACKAGES
from experiments.common.files import finite, to_yaml, write_atomic
from experiments.config.commands import SweepConfig
from experiments.config.printed_command import printed_command
from experiments.config.saved import read_config, shown_config
from experiments.study.records import TrialRecord
from experiments.study_folder.judged_records import SealedRecord
from experiments.study_folder.summary import DatasetRecord, Summary

HEAD = """\
# {what}
# Replay it to the figures it states:
#   {evaluate}
# Sweep on from it:
#   python -m experiments.sweep --config-dir {folder} --config-name {name} study.name=NEW
"""


def write_best(
    path: Path, config: SweepConfig, record: TrialRecord, provenance: "Provenance"
) -> None:
    """Write a trial's whole configuration with its provenance.

    Args:
        path: Where.
        config: The sweep's configuration.
        record: The trial.
        provenance: Where it comes from.
    """
    data = {
        "defaults": ["sweep_schema", "_self_"],
        **shown_config(config),
        **record.settings,
        "provenance": provenance.to_dict(),
    }
    evaluate = printed_command("evaluate", {"config": str(path)})
    head = HEAD.format(
        what=_what(provenance),
        evaluate=evaluate,
        folder=shlex.quote(str(path.parent)),
        name=path.stem,
    )
    write_atomic(path, head + to_yaml(data))


def trial_in(path: Path) -> int | None:
    """Number of the trial that a file written by `write_best` holds; None without the file.

    Raises:
        InputError: If it is no such file.
    """
    if not path.is_file():
        return None
    trial = read_config(path).provenance.get("trial")
    return trial if isinstance(trial, int) else None


def _what(provenance: "Provenance") -> str:
    """What the file holds, in a sentence."""
    trial = f"Trial {provenance.trial} of study {provenance.study}"
    sealed = provenance.sealed
    if sealed is None:
        return f"{trial}, the best on the tune sessions; no sealed test was opened on it."
    if sealed.verdict.adopts:
        return f"{trial}, which the sealed test adopts."
    return f"{trial}; the sealed test says {sealed.verdict.decision}."


@dataclass(frozen=True)
class Provenance:
    """Where a trial comes from and what it reached.

    Args:
        study: Name of the study.
        trial: Number of the trial.
        dataset: Which data it was tuned on.
        objective: The metric that was maximized.
        metrics: Metric → value of the trial on the tune sessions.
        versions: Package → version.
        sealed: What the sealed test said of this very trial; None if it was not opened on it.
    """

    study: str
    trial: int
    dataset: DatasetRecord
    objective: str
    metrics: Mapping[str, float]
    versions: Mapping[str, str]
    sealed: SealedRecord | None = None

    @classmethod
    def of(cls, record: TrialRecord, summary: Summary) -> "Provenance":
        """Where a trial of a summarized study comes from."""
        test = summary.test
        return cls(
            study=summary.study,
            trial=record.number,
            dataset=summary.dataset,
            objective=summary.objective,
            metrics=record.metrics,
            versions={name: version(name) for name in PACKAGES},
            sealed=summary.sealed if test and test.trial == record.number else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "study": self.study,
            "trial": self.trial,
            "dataset": asdict(self.dataset),
            "objective": self.objective,
            "window": "tune",
            "metrics": dict(self.metrics),
            **(_told(self.sealed) if self.sealed else {}),
            "versions": dict(self.versions),
        }


def _told(sealed: SealedRecord) -> dict[str, Any]:
    """The verdict, and the gain that it rests on."""
    gain = sealed.test.test
    return {
        "verdict": {"decision": sealed.verdict.decision, "sentence": sealed.verdict.sentence},
        "test": {
            "look": sealed.test.look,
            **{name: finite(getattr(gain, name)) for name in ("gain", "low", "high", "confidence")},
        },
    }
