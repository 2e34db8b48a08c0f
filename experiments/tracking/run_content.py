"""What an MLflow run shows, as plain metrics, parameters and tags."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.common.wording import interval_text
from experiments.judging.comparison import Comparison
from experiments.study.records import COMPLETE, PRUNED, TrialRecord
from experiments.study_folder.judged_records import FinalistRecord, SealedRecord
from experiments.study_folder.summary import Summary

COLUMNS = ("ndcg_at_10", "drift_mean", "drift_at_log_end", "harmed_share", "reach")
"""Metrics that stand in a table of trials, beside the objective and its gain."""

FINALIST = "finalist"
"""The tag of a finalist's run: its place."""

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


@dataclass(frozen=True)
class RunContent:
    """What a nested run holds.

    Args:
        tags: Name → text.
        params: What varies from run to run.
        metrics: Its numbers.
        files: Artifact → its text.
    """

    tags: Mapping[str, str]
    params: Mapping[str, Any]
    metrics: Sequence[Point]
    files: Mapping[str, str] = field(default_factory=dict)


def trial_points(record: TrialRecord, objective: str) -> Iterator[Point]:
    """What a table of trials is sorted by, ten names at most; the curve as steps.

    Args:
        record: The trial.
        objective: The metric that was maximized.
    """
    when = milliseconds(record.finished or record.started)
    yield from points(shown_metrics(record.metrics, objective), when)
    if record.state == COMPLETE:
        yield "feasible", float(record.is_feasible), when, 0
    if record.state == PRUNED and record.value is not None:
        yield "value_when_pruned", record.value, when, 0
    if record.outcome is None:
        return
    for step, (_, _, before, after) in enumerate(record.outcome.curve):
        yield "curve_before", before, when, step
        yield "curve_after", after, when, step


def shown_metrics(metrics: Mapping[str, float], objective: str) -> dict[str, float]:
    """The metrics of a row under the names by which all rows of a study are compared.

    Args:
        metrics: Metric → value.
        objective: The metric that was maximized.

    Example:
        >>> shown_metrics({"mrr": 0.5, "delta_mrr": 0.1, "drift_mean": 0.2, "map": 0.3}, "mrr")
        {'gain': 0.1, 'mrr': 0.5, 'drift_mean': 0.2}
    """
    names = {"gain": f"delta_{objective}", **{name: name for name in (objective, *COLUMNS)}}
    return {shown: metrics[name] for shown, name in names.items() if name in metrics}


def trial_tags(record: TrialRecord) -> dict[str, str]:
    """How a trial ended, in words: what was pruned, failed or broke a guardrail is told apart."""
    outcome = record.state
    if record.state == COMPLETE:
        outcome = "feasible" if record.is_feasible else "infeasible"
    return {
        "trial": str(record.number),
        "state": record.state,
        "outcome": outcome,
        "origin": record.origin,
        "reason": record.reason,
    }


def points(metrics: Mapping[str, float], when: int | None = None) -> Iterator[Point]:
    """Metrics at one moment, by default now."""
    moment = milliseconds(None) if when is None else when
    for name, value in metrics.items():
        yield name, float(value), moment, 0


def finalist_tags(record: FinalistRecord, rank: int) -> dict[str, str]:
    """A finalist's place and its comparisons, as they are printed.

    Args:
        record: The finalist.
        rank: Its place, from 1.
    """
    return {
        FINALIST: str(rank),
        f"{FINALIST}.over_no_adjustment": interval_text(record.gain),
        f"{FINALIST}.over_published_defaults": interval_text(record.gain_over_defaults),
        f"{FINALIST}.bystanders": interval_text(record.bystanders),
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
    number = summary.best.trial
    return settings if number is None else {**settings, "best.trial": str(number)}


def verdict_tags(sealed: SealedRecord | None) -> dict[str, str]:
    """The verdict in words; empty while the test is sealed."""
    if sealed is None:
        return {}
    return {"verdict": sealed.verdict.decision, "verdict.sentence": sealed.verdict.sentence}


def milliseconds(seconds: float | None) -> int:
    """Epoch milliseconds; of now without an argument."""
    return int((time.time() if seconds is None else seconds) * 1000)
