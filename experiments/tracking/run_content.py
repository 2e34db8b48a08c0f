"""What an MLflow run shows, as plain metrics, parameters and tags."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.judging.comparison import Comparison
from experiments.study.records import TrialRecord
from experiments.study_folder.judged_records import FinalistRecord, SealedRecord
from experiments.study_folder.summary import Summary

Point = tuple[str, float, int, int]
"""A metric's name, its value, when (epoch milliseconds), and its step."""


@dataclass(frozen=True)
class Conclusion:
    """What is known at the end of a study.

    Args:
        summary: The study's numbers, with what the sealed test said.
        finalists: Best first.
        files: Artifact → its text.
        note: The study in Markdown.
    """

    summary: Summary
    finalists: Sequence[FinalistRecord]
    files: Mapping[str, str]
    note: str


def trial_points(record: TrialRecord) -> Iterator[Point]:
    """All numbers of a trial: metrics, seconds, blocks as steps, the curve as steps."""
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


def finalist_metrics(record: FinalistRecord) -> dict[str, float]:
    """A finalist's metrics and its comparisons."""
    return {
        **record.metrics,
        **comparison_metrics("over_nothing", record.gain),
        **comparison_metrics("over_defaults", record.gain_over_defaults),
        **comparison_metrics("bystanders", record.bystanders),
    }


def sealed_metrics(sealed: SealedRecord | None) -> dict[str, float]:
    """What the sealed test said; empty while it is sealed."""
    if sealed is None:
        return {}
    test = sealed.test
    return {
        **comparison_metrics("test", test.test),
        **comparison_metrics("test_over_defaults", test.test_over_defaults),
        **comparison_metrics("test_bystanders", test.bystanders),
        **comparison_metrics("test_naive", test.evidence.naive),
        **_known({"optimism": test.optimism.optimism, "test_look": float(test.look)}),
        **_known({f"test_{name}": value for name, value in test.metrics.items()}),
    }


def _known(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that are numbers."""
    return {name: value for name, value in metrics.items() if not math.isnan(value)}


def comparison_metrics(name: str, comparison: Comparison | None) -> dict[str, float]:
    """Gain, both ends and effect size; those that are defined.

    Args:
        name: What the metrics' names begin with.
        comparison: None where nothing was compared.
    """
    if comparison is None:
        return {}
    parts = {
        "gain": comparison.gain,
        "low": comparison.low,
        "high": comparison.high,
        "effect_size": comparison.effect_size,
    }
    return _known({f"{name}_{part}": value for part, value in parts.items()})


def best_tags(summary: Summary) -> dict[str, str]:
    """The trial that the study stands for and what is set in it; empty without one.

    Args:
        summary: The study's numbers.
    """
    if summary.best is None:
        return {}
    settings = {f"best.{name}": str(value) for name, value in summary.best.params.items()}
    return {**settings, "best.trial": str(summary.best.trial)}


def verdict_tags(sealed: SealedRecord | None) -> dict[str, str]:
    """The verdict in words; empty while the test is sealed."""
    if sealed is None:
        return {}
    return {"verdict": sealed.verdict.decision, "verdict.sentence": sealed.verdict.sentence}


def milliseconds(seconds: float | None) -> int:
    """Epoch milliseconds; of now without an argument."""
    return int((time.time() if seconds is None else seconds) * 1000)
