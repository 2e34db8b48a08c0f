"""The numbers of a study in one record: what ``summary.json`` holds and everything else reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from experiments.common.files import write_json
from experiments.data.format.click_log import ClickLog
from experiments.judging.tune_gain import TuneGain
from experiments.replay.baseline_names import BASELINES, NO_ADJUSTMENT
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study.records import (
    COMPLETE,
    FAILED,
    PRUNED,
    BaselineRecord,
    TrialRecord,
    best_feasible,
)
from experiments.study_folder.judged_records import SealedRecord, TestRecord
from experiments.study_folder.plain_data import from_plain, read_json, to_plain

BEST = "best"

REMEDY = "The same sweep command writes it again; no trial is lost."


@dataclass(frozen=True)
class ScoredRow:
    """Parameters and metrics of one row of the table."""

    params: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class DatasetRecord:
    """Which data a study saw.

    Args:
        name: Name of the data set.
        fingerprint: SHA-256 of its content.
        n_sessions: Sessions in it.
        n_users: Known users in it.
    """

    name: str
    fingerprint: str
    n_sessions: int
    n_users: int

    @classmethod
    def of(cls, log: ClickLog) -> "DatasetRecord":
        """What is kept of a log."""
        return cls(log.name, log.fingerprint, log.n_sessions, log.n_users)


@dataclass(frozen=True)
class TrialCounts:
    """Trials by state."""

    complete: int
    pruned: int
    failed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.complete + self.pruned + self.failed

    def by_state(self) -> dict[str, int]:
        """State → trials."""
        return {COMPLETE: self.complete, PRUNED: self.pruned, FAILED: self.failed}


@dataclass(frozen=True)
class StudySeconds:
    """How long a study took, in seconds of wall time.

    Args:
        total: All sweeps of the study.
        per_trial_median: A trial's replay; None without a finished trial.
        overhead_per_trial_median: Between two trials of one process; None with fewer than two.
    """

    total: float
    per_trial_median: float | None
    overhead_per_trial_median: float | None


@dataclass(frozen=True)
class Summary:
    """What a study found.

    Args:
        study: Its name.
        dataset: Which data it saw.
        objective: The metric that was maximized.
        trials: How many there are.
        baselines: Those of `BASELINES` that were scored, in their order.
        published_defaults: The trial of the published defaults; None if it was not complete.
        best: The best trial within the guardrails, or None.
        tune_gain: What tune can say of the best trial's gain; None without one.
        seconds: How long it took.
        sealed: What the sealed test said; None until it is opened.
    """

    study: str
    dataset: DatasetRecord
    objective: str
    trials: TrialCounts
    baselines: Mapping[str, ScoredRow]
    published_defaults: ScoredRow | None
    best: ScoredRow | None
    tune_gain: TuneGain | None
    seconds: StudySeconds
    sealed: SealedRecord | None = None

    @property
    def rows(self) -> dict[str, ScoredRow]:
        """Every row that was scored: baselines, published defaults, best."""
        others = {PUBLISHED_DEFAULTS: self.published_defaults, BEST: self.best}
        return {**self.baselines, **{name: row for name, row in others.items() if row is not None}}

    @property
    def no_adjustment(self) -> ScoredRow:
        """The row without adjustment."""
        return self.baselines[NO_ADJUSTMENT]

    @property
    def test(self) -> TestRecord | None:
        """The figures of the sealed test; None until it is opened."""
        return self.sealed.test if self.sealed else None

    def with_sealed(self, sealed: SealedRecord | None) -> "Summary":
        """The same summary with what the sealed test said."""
        return replace(self, sealed=sealed)

    def to_dict(self) -> dict[str, Any]:
        """As ``summary.json`` holds it: every row stands under its own name."""
        plain = to_plain(self)
        sealed = plain.pop("sealed") or {}
        baselines = plain.pop("baselines")
        head = ("study", "dataset", "objective", "trials")
        return {**{name: plain.pop(name) for name in head}, **baselines, **plain, **sealed}

    @classmethod
    def from_dict(cls, data: Any, name: str = "") -> "Summary":
        """The summary that `to_dict` wrote.

        Raises:
            ValueError: Naming the first value that cannot be read.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"{name or 'it'} must be a record, got {type(data).__name__}")
        if NO_ADJUSTMENT not in data:
            raise ValueError(f"{NO_ADJUSTMENT} is missing")
        baselines = {row: data[row] for row in BASELINES if row in data}
        found = from_plain(cls, {**data, "baselines": baselines, "sealed": None}, name)
        is_opened = "verdict" in data or "test" in data
        return found.with_sealed(SealedRecord.from_dict(data, name) if is_opened else None)


def read_summary(path: Path) -> Summary:
    """Read ``summary.json``.

    Args:
        path: Where.

    Raises:
        InputError: If it cannot be read, naming the file and what is wrong in it.
    """
    return read_json(path, Summary.from_dict, REMEDY)


def write_summary(path: Path, summary: Summary) -> None:
    """Write ``summary.json``; it is whole or as it was."""
    write_json(path, summary.to_dict())


def summarize(
    *,
    study: str,
    log: ClickLog,
    objective: str,
    records: Sequence[TrialRecord],
    baselines: Mapping[str, BaselineRecord],
    tune_gain: TuneGain | None,
    total_seconds: float,
) -> Summary:
    """The summary of a study, without the sealed test.

    Args:
        study: Its name.
        log: The data set.
        objective: The metric that was maximized.
        records: Every trial.
        baselines: By name.
        tune_gain: What tune can say of the best trial's gain.
        total_seconds: Wall time of all sweeps of this study.
    """
    published = (r for r in records if r.origin == PUBLISHED_DEFAULTS and r.state == COMPLETE)
    return Summary(
        study=study,
        dataset=DatasetRecord.of(log),
        objective=objective,
        trials=count_states(records),
        baselines={
            name: ScoredRow(baselines[name].params, baselines[name].metrics)
            for name in BASELINES
            if name in baselines
        },
        published_defaults=_row(next(published, None)),
        best=_row(best_feasible(list(records))),
        tune_gain=tune_gain,
        seconds=StudySeconds(
            total=total_seconds,
            per_trial_median=_median([r.seconds for r in records if r.outcome]),
            overhead_per_trial_median=_median(overheads(records)),
        ),
    )


def count_states(records: Sequence[TrialRecord]) -> TrialCounts:
    """Trials by state."""
    states = [record.state for record in records]
    return TrialCounts(*(states.count(state) for state in (COMPLETE, PRUNED, FAILED)))


def overheads(records: Sequence[TrialRecord]) -> list[float]:
    """Seconds between the ends of one process's consecutive trials, less the later one's replay."""
    latest: dict[str, float] = {}
    found = []
    for record in sorted(records, key=lambda item: item.started):
        if record.outcome is None or record.finished is None:
            continue
        if record.process in latest:
            found.append(max(0.0, record.finished - latest[record.process] - record.seconds))
        latest[record.process] = record.finished
    return found


def _row(record: TrialRecord | None) -> ScoredRow | None:
    return ScoredRow(record.values, record.metrics) if record else None


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
