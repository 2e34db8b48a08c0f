"""A study as its folder holds it: what the report, the notebooks and other tools read."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from experiments.common.errors import InputError
from experiments.config.commands import SweepConfig
from experiments.config.printed_command import sweep_command
from experiments.config.study import GuardrailsConfig
from experiments.config.study_names import nearest_study
from experiments.study_folder.finalist_files import (
    read_finalists,
    read_importances,
    read_sessions,
)
from experiments.study_folder.judged_records import FinalistRecord, TestRecord
from experiments.study_folder.layout import StudyFolder, read_study_config
from experiments.study_folder.summary import Summary, read_summary

NEEDED, NUMBERS = ("number", "state", "reason", "value", "seconds"), ("number", "value", "seconds")
"""Columns of every table of trials, and those of them that hold numbers."""

ENDS = ("gain_low", "gain_high")
"""Columns that hold numbers, too, in tables of this version on."""


@dataclass(frozen=True)
class FinishedStudy:
    """What a sweep, and perhaps an export, left behind.

    Args:
        folder: The study's folder.
        config: The resolved configuration of the sweep.
        summary: The content of ``summary.json``.
        trials: The content of ``trials.csv``.
        finalists: Best first; empty if no trial was feasible.
        importances: Parameter → share; empty if there were too few trials.
    """

    folder: Path
    config: SweepConfig
    summary: Summary
    trials: pd.DataFrame
    finalists: list[FinalistRecord]
    importances: dict[str, float]

    @property
    def name(self) -> str:
        """The study's name."""
        return self.summary.study

    @property
    def opening(self) -> str:
        """The command that opens its sealed test."""
        return StudyFolder(self.folder.parent, self.name).opening

    @property
    def metric(self) -> str:
        """The metric that the study maximized."""
        return self.summary.objective

    @property
    def guardrails(self) -> GuardrailsConfig:
        """The bounds of the study."""
        return self.config.guardrails

    @property
    def best(self) -> int | None:
        """Number of the trial that the sealed test adopts; until it does, of the best on tune."""
        adopted = self.summary.adopted
        return self.tune_best if adopted is None else adopted

    @property
    def tune_best(self) -> int | None:
        """Number of the best feasible trial on the tune sessions."""
        return self.finalists[0].trial if self.finalists else None

    @property
    def parameters(self) -> list[str]:
        """Settings that the trials tried, as `trials` names them after ``param_``."""
        names = [str(name) for name in self.trials.columns]
        return [name.removeprefix("param_") for name in names if name.startswith("param_")]

    @property
    def log_scaled(self) -> list[str]:
        """Those of them that were searched in the logarithm."""
        space = self.config.search_space.parameters
        return sorted({item.field or name for name, item in space.items() if item.log})

    @property
    def test(self) -> TestRecord | None:
        """What the sealed test said; None while it is sealed."""
        return self.summary.test

    def sessions(self, window: str) -> pd.DataFrame | None:
        """The session table of `best` on ``tune``, or of the opened trial on ``test``."""
        trial = self.best
        if window == "test":
            trial = self.test.trial if self.test else None
        return None if trial is None else read_sessions(self.folder, window, trial)


def read_study(output_dir: str | Path, study: str) -> FinishedStudy:
    """Read a study's folder.

    Args:
        output_dir: Where the sweep wrote.
        study: The study's name.

    Raises:
        InputError: If the study left no files there, or one of them is damaged.
    """
    folder = StudyFolder(Path(output_dir), study)
    needed = (folder.config, folder.summary, folder.trials)
    missing = [path.name for path in needed if not path.is_file()]
    if missing:
        sweep = sweep_command(study, output_dir)
        near = nearest_study(study, output_dir)
        hint = f"Did you mean {near}? Else run" if near else "Run"
        raise InputError(
            f"study {study!r} has no {', '.join(missing)} in {folder.path}. "
            f"{hint} {sweep} first, or name the folder that it wrote to with output_dir=."
        )
    return FinishedStudy(
        folder=folder.path,
        config=read_study_config(folder),
        summary=read_summary(folder.summary),
        trials=read_trials(folder.trials),
        finalists=read_finalists(folder.path),
        importances=read_importances(folder.path),
    )


def read_trials(path: Path) -> pd.DataFrame:
    """Read ``trials.csv``.

    Raises:
        InputError: If it cannot be read, naming it.
    """
    try:
        trials = pd.read_csv(path)
        _check_trials(trials)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {' '.join(str(error).split()).rstrip('.')}. The same sweep "
            "command writes it again; no trial is lost."
        ) from None
    return trials


def _check_trials(trials: pd.DataFrame) -> None:
    """Check the columns that every table of trials has.

    Raises:
        ValueError: Saying which is not there, or on which line a number is none.
    """
    for name in NEEDED:
        if name not in trials:
            raise ValueError(f"it has no column {name}")
    for name in [*NUMBERS, *(name for name in ENDS if name in trials)]:
        column = trials[name]
        wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise ValueError(f"line {row + 2}: {name} must be a number, got {column[row]!r}")
