"""What is kept of a trial, as plain data: the study stores it, everything else reads it."""

from dataclasses import dataclass, field
from typing import Any

COMPLETE, PRUNED, FAILED, RUNNING = "complete", "pruned", "failed", "running"

SAMPLER = "sampler"
"""Origin of a trial that was proposed, not enqueued."""


@dataclass(frozen=True)
class Outcome:
    """What came of one trial's replay.

    Args:
        state: ``complete``, ``pruned`` or ``failed``.
        reason: Why it was pruned or failed; "" otherwise.
        value: The objective; of a pruned trial its mean over the blocks it saw; None if failed.
        metrics: As `ReplayResult.metrics`; empty unless complete.
        constraints: Guardrail → how far above its bound (kept: <= 0).
        pruned_at_block: The block after which it was stopped.
        blocks: Block → mean of the objective over its sessions.
        running: Block → mean over all sessions so far.
        curve: Rows of (epoch seconds, sessions, before, after).
        counts: Reason → sessions.
        seconds: Part of the replay → wall time; ``total`` is all of it.
    """

    state: str
    reason: str = ""
    value: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    constraints: dict[str, float] = field(default_factory=dict)
    pruned_at_block: int | None = None
    blocks: dict[int, float] = field(default_factory=dict)
    running: dict[int, float] = field(default_factory=dict)
    curve: list[list[float]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialRecord:
    """One row of a study.

    Args:
        number: Its number in the study.
        ordinal: Its place among the trials that were not lost to a kill.
        origin: Name of an enqueued configuration, or ``sampler``.
        values: Setting → value, of the settings that were searched.
        settings: All fields, by ``adjuster`` and ``selection``.
        outcome: None while it runs and where its process ended before the trial did.
        lost: Its process ended before the trial did.
        started: Epoch seconds.
        finished: Epoch seconds, or None.
        process: Which process ran it.
    """

    number: int
    ordinal: int
    origin: str
    values: dict[str, Any]
    settings: dict[str, dict[str, Any]]
    outcome: Outcome | None
    lost: bool
    started: float
    finished: float | None
    process: str

    @property
    def state(self) -> str:
        """``complete``, ``pruned``, ``failed`` or ``running``."""
        if self.outcome is not None:
            return self.outcome.state
        return FAILED if self.lost else RUNNING

    @property
    def reason(self) -> str:
        """Why it was pruned or failed; "" otherwise."""
        if self.outcome is not None:
            return self.outcome.reason
        return "its process ended before the trial did" if self.lost else ""

    @property
    def value(self) -> float | None:
        """The objective, or None."""
        return self.outcome.value if self.outcome else None

    @property
    def metrics(self) -> dict[str, float]:
        """Metric → figure; empty unless complete."""
        return self.outcome.metrics if self.outcome else {}

    @property
    def seconds(self) -> float:
        """Wall time of its replay."""
        return self.outcome.seconds.get("total", 0.0) if self.outcome else 0.0

    @property
    def is_feasible(self) -> bool:
        """Complete, and within every guardrail."""
        return (
            self.outcome is not None
            and self.state == COMPLETE
            and all(excess <= 0 for excess in self.outcome.constraints.values())
        )


@dataclass(frozen=True)
class BaselineRecord:
    """One baseline's figures."""

    name: str
    params: dict[str, Any]
    metrics: dict[str, float]


def best_feasible(records: list[TrialRecord]) -> TrialRecord | None:
    """The complete trial with the highest value within the guardrails; the earliest of equals."""
    return _highest([record for record in records if record.is_feasible])


def best_overall(records: list[TrialRecord]) -> TrialRecord | None:
    """The complete trial with the highest value, guardrails or not; the earliest of equals."""
    return _highest([record for record in records if record.state == COMPLETE])


def _highest(records: list[TrialRecord]) -> TrialRecord | None:
    return max(records, key=lambda item: (item.value or 0.0, -item.number), default=None)
