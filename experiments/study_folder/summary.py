"""The figures of a study in one record: what ``summary.json`` and the table are made of."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from experiments.data.format.click_log import ClickLog
from experiments.replay.baseline_names import BASELINES
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study.records import (
    COMPLETE,
    FAILED,
    PRUNED,
    BaselineRecord,
    TrialRecord,
    best_feasible,
)


@dataclass(frozen=True)
class Figures:
    """Parameters and metrics of one row."""

    params: dict[str, Any]
    metrics: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As ``summary.json`` has it."""
        return {"params": self.params, "metrics": self.metrics}


def summarize(
    *,
    study: str,
    log: ClickLog,
    objective: str,
    records: list[TrialRecord],
    baselines: dict[str, BaselineRecord],
    total_seconds: float,
) -> dict[str, Any]:
    """The content of ``summary.json``.

    Args:
        study: Its name.
        log: The data set.
        objective: The metric that was maximized.
        records: Every trial.
        baselines: By name.
        total_seconds: Wall time of all sweeps of this study.
    """
    published = next(
        (r for r in records if r.origin == PUBLISHED_DEFAULTS and r.state == COMPLETE), None
    )
    rows = {
        name: Figures(baselines[name].params, baselines[name].metrics)
        for name in BASELINES
        if name in baselines
    }
    return {
        "study": study,
        "dataset": {
            "name": log.name,
            "fingerprint": log.fingerprint,
            "n_sessions": log.n_sessions,
            "n_users": log.n_users,
        },
        "objective": objective,
        "trials": count_states(records),
        **{name: row.to_dict() for name, row in rows.items()},
        PUBLISHED_DEFAULTS: _row(published),
        "best": _row(best_feasible(records)),
        "seconds": {
            "total": total_seconds,
            "per_trial_median": _median([r.seconds for r in records if r.outcome]),
            "overhead_per_trial_median": _median(overheads(records)),
        },
    }


def count_states(records: list[TrialRecord]) -> dict[str, int]:
    """Trials by state."""
    states = [record.state for record in records]
    return {state: states.count(state) for state in (COMPLETE, PRUNED, FAILED)}


def overheads(records: list[TrialRecord]) -> list[float]:
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


def _row(record: TrialRecord | None) -> dict[str, Any] | None:
    return Figures(record.values, record.metrics).to_dict() if record else None


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
