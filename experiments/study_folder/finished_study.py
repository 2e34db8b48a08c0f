"""A study as its folder holds it: what the report, the notebooks and other tools read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from experiments.common.errors import InputError
from experiments.config.study import GuardrailsConfig
from experiments.study_folder.finalist_files import read_json, read_sessions


@dataclass(frozen=True)
class FinishedStudy:
    """What a sweep, and perhaps an export, left behind.

    Args:
        folder: The study's folder.
        config: The resolved configuration of the sweep, as nested dictionaries.
        summary: The content of ``summary.json``.
        trials: The content of ``trials.csv``.
        finalists: A record a finalist, best first; empty if no trial was feasible.
        importances: Parameter → share; empty if there were too few trials.
    """

    folder: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    trials: pd.DataFrame
    finalists: list[dict[str, Any]]
    importances: dict[str, float]

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.summary["study"])

    @property
    def metric(self) -> str:
        """The metric that the study maximized."""
        return str(self.config["objective"]["metric"])

    @property
    def guardrails(self) -> GuardrailsConfig:
        """The bounds of the study."""
        return GuardrailsConfig(**self.config["guardrails"])

    @property
    def best(self) -> int | None:
        """Number of the best feasible trial."""
        return int(self.finalists[0]["trial"]) if self.finalists else None

    @property
    def parameters(self) -> list[str]:
        """Settings that the trials tried, as `trials` names them after ``param_``."""
        names = [str(name) for name in self.trials.columns]
        return [name.removeprefix("param_") for name in names if name.startswith("param_")]

    @property
    def log_scaled(self) -> list[str]:
        """Those of them that were searched in the logarithm."""
        space = self.config["search_space"]["parameters"]
        return sorted({item.get("field") or name for name, item in space.items() if item["log"]})

    @property
    def test(self) -> dict[str, Any] | None:
        """What the sealed test said; None while it is sealed."""
        return self.summary.get("test")

    def sessions(self, window: str) -> pd.DataFrame | None:
        """The session table of the best trial on ``tune``, or of the opened one on ``test``."""
        trial = self.best
        if window == "test":
            trial = self.test["trial"] if self.test else None
        return None if trial is None else read_sessions(self.folder, window, trial)


def read_study(output_dir: str | Path, study: str) -> FinishedStudy:
    """Read a study's folder.

    Args:
        output_dir: Where the sweep wrote.
        study: The study's name.

    Raises:
        InputError: If the study left no summary there.
    """
    folder = Path(output_dir) / study
    missing = [
        name
        for name in ("config.yaml", "summary.json", "trials.csv")
        if not (folder / name).is_file()
    ]
    if missing:
        raise InputError(
            f"study {study!r} has no {', '.join(missing)} in {folder}. "
            f"Run python -m experiments.sweep study.name={study} first, or name the folder that "
            "it wrote to with output_dir=."
        )
    return FinishedStudy(
        folder=folder,
        config=yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")),
        summary=json.loads((folder / "summary.json").read_text(encoding="utf-8")),
        trials=pd.read_csv(folder / "trials.csv"),
        finalists=read_json(folder, "finalists.json") or [],
        importances=read_json(folder, "importances.json") or {},
    )
