"""The numbers of a study in one record: what ``summary.json`` holds and everything else reads."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from experiments.common.files import write_json
from experiments.data.format.click_log import ClickLog
from experiments.judging.headline import headline
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

BEST, TUNE_BEST = "best", "tune_best"

REMEDY = "The same sweep command writes it again; no trial is lost."


@dataclass(frozen=True)
class ScoredRow:
    """Parameters and metrics of one row of the table.

    Args:
        params: Setting → value.
        metrics: Metric → value on the tune sessions.
        trial: Number of the trial; None for a baseline.
    """

    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    trial: int | None = None


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
        best: The trial that the sealed test adopts; until it adopts one, `tune_best`.
        tune_gain: What tune can say of the gain of `tune_best`; None without one.
        seconds: How long it took.
        sealed: What the sealed test said; None until it is opened.
        tune_best: The best trial on tune within the guardrails, or None.
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
    tune_best: ScoredRow | None = None

    @property
    def answer(self) -> str:
        """The first sentence of all that people read of the study, whatever shows it."""
        if self.sealed is not None:
            return self.sealed.verdict.sentence
        metric, best = self.objective, self.tune_best
        if best is None:
            return headline(metric, math.nan, None, None)
        return headline(metric, self.no_adjustment.metrics[metric], best.metrics, self.tune_gain)

    @property
    def adopted(self) -> int | None:
        """Number of the trial that the sealed test adopts; None where `best` is not that one."""
        adopted = self.sealed.adopted if self.sealed else None
        return adopted if self.best is not None and self.best.trial == adopted else None

    @property
    def rows(self) -> dict[str, ScoredRow]:
        """Every row that was scored: baselines, published defaults, best on tune, best."""
        other = None if self.tune_best == self.best else self.tune_best
        others = {
            PUBLISHED_DEFAULTS: self.published_defaults,
            TUNE_BEST: other,
            BEST: self.best,
        }
        return {**self.baselines, **{name: row for name, row in others.items() if row is not None}}

    @property
    def no_adjustment(self) -> ScoredRow:
        """The row without adjustment."""
        return self.baselines[NO_ADJUSTMENT]

    @property
    def test(self) -> TestRecord | None:
        """The figures of the sealed test; None until it is opened."""
        return self.sealed.test if self.sealed else None

    def with_sealed(
        self, sealed: SealedRecord | None, records: Sequence[TrialRecord] = ()
    ) -> "Summary":
        """The same summary with what the sealed test said; what it adopts becomes the best.

        Args:
            sealed: What the test said; None while it is sealed.
            records: The study's trials, the adopted one among them; without any, `best` stays.
        """
        found = replace(self, sealed=sealed)
        if not records:
            return found
        number = sealed.adopted if sealed else None
        adopted = next((item for item in records if item.number == number), None)
        return replace(found, best=_row(adopted) if adopted else self.tune_best)

    def to_dict(self) -> dict[str, Any]:
        """As ``summary.json`` holds it: every row stands under its own name."""
        plain = to_plain(self)
        sealed = plain.pop("sealed") or {}
        baselines = plain.pop("baselines")
        head = ("study", "dataset", "objective", "trials")
        first = {"answer": self.answer, **{name: plain.pop(name) for name in head}}
        return {**first, **baselines, **plain, **sealed}

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
        rows = {TUNE_BEST: data.get(BEST), **data, "baselines": baselines, "sealed": None}
        found = from_plain(cls, rows, name)
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
    best = _row(best_feasible(list(records)))
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
        best=best,
        tune_best=best,
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
    return ScoredRow(record.values, record.metrics, record.number) if record else None


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
