"""What a sweep leaves behind: where its files lie, its configuration and its table of trials."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.common.errors import InputError
from experiments.common.files import to_yaml, write_atomic
from experiments.config.commands import SweepConfig
from experiments.config.printed_command import command_on_study
from experiments.config.saved import read_config, shown_config
from experiments.config.study import TrackingConfig
from experiments.judging.tune_gain import own_interval
from experiments.study.records import TrialRecord

STORE = "mlflow.db"
"""MLflow's store in an output folder."""


@dataclass(frozen=True)
class StudyFolder:
    """Where the files of a study lie.

    Args:
        root: The output folder of all studies.
        study: The study's name.
    """

    root: Path
    study: str

    @property
    def path(self) -> Path:
        """The study's own folder."""
        return self.root / self.study

    @property
    def config(self) -> Path:
        """The resolved configuration, written before work starts."""
        return self.path / "config.yaml"

    @property
    def trials(self) -> Path:
        """One row for each trial."""
        return self.path / "trials.csv"

    @property
    def summary(self) -> Path:
        """The answer, counts, baselines and the best trial."""
        return self.path / "summary.json"

    @property
    def best(self) -> Path:
        """The adopted configuration, ready to run again; until one is, the best on tune."""
        return self.path / "best.yaml"

    @property
    def tune_best(self) -> Path:
        """The best configuration on the tune sessions, whatever the sealed test said."""
        return self.path / "tune_best.yaml"

    @property
    def report(self) -> Path:
        """The report, one page that opens offline."""
        return self.path / "report.html"

    @property
    def opening(self) -> str:
        """The command that opens the study's sealed test."""
        return command_on_study("export", self.study, self.root)

    @property
    def tracking_uri(self) -> str:
        """The MLflow store of all studies in the output folder."""
        return f"sqlite:///{self.root.resolve() / STORE}"

    def keeps_runs(self, tracking: TrackingConfig) -> bool:
        """Whether a study's runs are in that store, and not on a server or elsewhere.

        Args:
            tracking: Where the study was told to track.
        """
        here = tracking.uri_env is None and tracking.uri in (None, self.tracking_uri)
        return here and tracking.name == "mlflow"

    @property
    def artifacts(self) -> Path:
        """The MLflow artifacts of all studies in the output folder."""
        return self.root.resolve() / "mlartifacts"


def write_config(folder: StudyFolder, config: SweepConfig) -> None:
    """Write the resolved configuration."""
    write_atomic(folder.config, to_yaml(shown_config(config)))


def read_study_config(folder: StudyFolder) -> SweepConfig:
    """The configuration that a study was swept with.

    Raises:
        InputError: If the file cannot be read, saying where and what to do.
    """
    try:
        return read_config(folder.config)
    except InputError as error:
        reason = str(error).rstrip(".")
        raise InputError(
            f"{reason}. The same sweep command writes the file again; no trial is lost."
        ) from None


def write_trials(folder: StudyFolder, records: Sequence[TrialRecord]) -> None:
    """Write ``trials.csv``: the same bytes for the same trials, but for ``seconds``."""
    write_atomic(folder.trials, trials_table(records))


def trials_table(records: Sequence[TrialRecord]) -> str:
    """The finished trials as CSV text.

    The columns are number, state, reason, value, ``param_<setting>`` for every setting that was
    searched, the metrics, the ends of the 95 % interval of the gain over no adjustment by itself
    (`own_interval`), and seconds.
    """
    finished = [record for record in records if record.outcome is not None or record.lost]
    params = _names([record.values for record in finished])
    metrics = _names([record.metrics for record in finished])
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    head = ["number", "state", "reason", "value"]
    found = [f"param_{name}" for name in params]
    writer.writerow([*head, *found, *metrics, "gain_low", "gain_high", "seconds"])
    for record in finished:
        ends = own_interval(record)
        writer.writerow(
            [
                record.number,
                record.state,
                " ".join(record.reason.split()),
                _cell(record.value),
                *(_cell(record.values[name], "null") for name in params),
                *(_cell(record.metrics.get(name)) for name in metrics),
                *(_cell(end) for end in ((ends.low, ends.high) if ends else (None, None))),
                f"{record.seconds:.3f}",
            ]
        )
    return lines.getvalue()


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Any, none: str = "") -> str:
    return none if value is None else repr(value) if isinstance(value, float) else str(value)
