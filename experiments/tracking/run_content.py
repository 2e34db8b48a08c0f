"""What an MLflow run shows, as plain metrics, parameters and tags."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.study.records import TrialRecord

Point = tuple[str, float, int, int]
"""A metric's name, its value, when (epoch milliseconds), and its step."""


@dataclass(frozen=True)
class Evidence:
    """What is known at the end of a study.

    Args:
        finalists: A record a finalist.
        kept: The summary's ``verdict`` and ``test``; empty while the test is sealed.
        files: Artifact → its text.
        note: The study in Markdown.
    """

    finalists: Sequence[Mapping[str, Any]]
    kept: Mapping[str, Any]
    files: Mapping[str, str]
    note: str


def trial_points(record: TrialRecord) -> Iterator[Point]:
    """All figures of a trial: metrics, seconds, blocks as steps, the curve as steps."""
    when = milliseconds(record.finished or record.started)
    yield from points(record.metrics, when)
    if record.value is not None:
        yield "value", record.value, when, 0
    yield "seconds", record.seconds, when, 0
    outcome = record.outcome
    if outcome is None:
        return
    for name, excess in outcome.constraints.items():
        yield f"excess_{name}", excess, when, 0
    for part, seconds in outcome.seconds.items():
        yield f"seconds_{part}", seconds, when, 0
    for block, value in outcome.blocks.items():
        yield "block_value", value, when, block
    for step, (_, _, before, after) in enumerate(outcome.curve):
        yield "curve_before", before, when, step
        yield "curve_after", after, when, step


def points(metrics: Mapping[str, float], when: int | None = None) -> Iterator[Point]:
    """Metrics at one moment, by default now."""
    moment = milliseconds(None) if when is None else when
    for name, value in metrics.items():
        yield name, float(value), moment, 0


def comparison_metrics(comparisons: Mapping[str, Mapping[str, Any] | None]) -> dict[str, float]:
    """Gain, both ends, adjusted p-value and effect size of each comparison that was made."""
    return {
        f"{name}_{part}": value
        for name, comparison in comparisons.items()
        for part in ("gain", "low", "high", "p_holm", "effect_size")
        if comparison and (value := comparison[part]) is not None
    }


def sealed_metrics(kept: Mapping[str, Any]) -> dict[str, float]:
    """What the sealed test said; empty while it is sealed."""
    if not kept:
        return {}
    test = kept["test"]
    comparisons = {
        "test": test["test"],
        "test_over_defaults": test["test_over_defaults"],
        "test_bystanders": test["bystanders"],
    }
    return {
        **comparison_metrics(comparisons),
        "optimism": test["optimism"],
        "test_openings": float(len(test["openings"])),
        **{f"test_{name}": value for name, value in test["metrics"].items() if value is not None},
    }


def verdict_tags(kept: Mapping[str, Any]) -> dict[str, str]:
    """The verdict in words; empty while the test is sealed."""
    if not kept:
        return {}
    return {"verdict": kept["verdict"]["decision"], "verdict.sentence": kept["verdict"]["sentence"]}


def milliseconds(seconds: float | None) -> int:
    """Epoch milliseconds; of now without an argument."""
    return int((time.time() if seconds is None else seconds) * 1000)
