"""The figures of a study as one table that spreadsheets and papers read: numbers as they are."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.judging.comparison import Comparison
from experiments.review.answer import NAMES
from experiments.study_folder.finished_study import FinishedStudy

COLUMNS = (
    "sessions",
    "configuration",
    "metric",
    "value",
    "compared_with",
    "gain",
    "low",
    "high",
    "confidence",
    "users",
    "drift_mean",
    "harmed_share",
    "reach",
)
COSTS = ("drift_mean", "harmed_share", "reach")


def csv_table(study: FinishedStudy) -> str:
    """A row for each configuration on tune, and for each comparison with its interval.

    Args:
        study: What the study left on disk.

    Returns:
        CSV with the header `COLUMNS`; what is not known is empty.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _rows(study):
        writer.writerow({"metric": study.metric, **_known(row)})
    return text.getvalue()


def _rows(study: FinishedStudy) -> Iterator[dict[str, Any]]:
    metric = study.metric
    for name, row in study.summary.rows.items():
        called = NAMES[name].removesuffix(" *") if row.trial is None else f"trial {row.trial}"
        yield {
            "sessions": "tune",
            "configuration": called,
            "value": row.metrics.get(metric),
            "compared_with": "no adjustment",
            "gain": row.metrics.get(f"delta_{metric}"),
            **_costs(row.metrics),
        }
    for item in study.finalists:
        for comparison in (item.gain, item.gain_over_defaults):
            yield _compared("tune", item.trial, comparison, item.metrics)
    test = study.test
    if test is not None:
        rivals = [rival.lead for rival in test.evidence.rivals]
        for comparison in (test.test, *rivals):
            yield _compared("sealed test", test.trial, comparison, test.metrics)


def _compared(
    sessions: str, trial: int, comparison: Comparison, metrics: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "sessions": sessions,
        "configuration": f"trial {trial}",
        "value": comparison.mean,
        "compared_with": comparison.reference,
        "gain": comparison.gain,
        "low": comparison.low,
        "high": comparison.high,
        "confidence": comparison.confidence,
        "users": comparison.n_users,
        **_costs(metrics),
    }


def _costs(metrics: Mapping[str, float]) -> dict[str, Any]:
    return {name: metrics.get(name) for name in COSTS}


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }
