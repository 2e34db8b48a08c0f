"""The report's tables, as rows of text."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.common.wording import label, p_text, plain, signed
from experiments.judging.comparison import Comparison
from experiments.review.answer import NAMES
from experiments.study_folder.finished_study import FinishedStudy
from experiments.study_folder.judged_records import FinalistRecord

Rows = list[tuple[str, ...]]


def result_rows(study: FinishedStudy) -> Rows:
    """Every configuration that was scored, on the sessions that the study saw; header first."""
    rows: Rows = [("on the tune sessions", label(study.metric), "gain", "drift", "harmed", "reach")]
    for name, row in study.summary.rows.items():
        rows.append((NAMES[name], *_cells(row.metrics, study.metric)))
    test = study.test
    if test:
        name = f"trial {test.trial} on the sealed test"
        rows.append((name, *_cells(test.metrics, study.metric)))
    return rows


def _cells(metrics: Mapping[str, float], metric: str) -> tuple[str, ...]:
    return (
        _shown(metrics.get(metric), plain),
        _shown(metrics.get(f"delta_{metric}"), signed),
        _shown(metrics.get("drift_mean"), plain),
        _shown(metrics.get("harmed_share"), percent),
        _shown(metrics.get("reach"), percent),
    )


def _shown(value: float | None, write: Callable[[float], str]) -> str:
    return "" if value is None or math.isnan(value) else write(value)


def percent(value: float) -> str:
    """A share in whole percent.

    Example:
        >>> percent(0.254)
        '25 %'
    """
    return f"{100 * value:.0f} %"


def finalist_rows(finalists: Sequence[FinalistRecord]) -> Rows:
    """The finalists against both references and on bystanders; header first."""
    header = ("trial", "over no adjustment", "over published defaults", "bystanders", "drift")
    return [
        header,
        *(
            (
                str(item.trial),
                gain_text(item.gain),
                gain_text(item.gain_over_defaults),
                gain_text(item.bystanders, p_value=False),
                _shown(item.metrics.get("drift_mean"), plain),
            )
            for item in finalists
        ),
    ]


def gain_text(comparison: Comparison | None, *, p_value: bool = True) -> str:
    """A comparison in a cell: the gain, its interval, then adjusted p-value and effect size.

    Args:
        comparison: None where nothing was compared.
        p_value: Show p-value and effect size too.

    Example:
        >>> print(gain_text(Comparison("mrr", "no adjustment", 900, 300, 300, 200, 0.70, 0.78,
        ...                            0.08, 0.07, 0.09, 0.95, 0.0004, 0.0004, 0.61)))
        +.080
        +.070 to +.090
        p < .001, d = .61
    """
    if comparison is None:
        return "none scored"
    lines = [signed(comparison.gain), f"{signed(comparison.low)} to {signed(comparison.high)}"]
    if p_value:
        lines.append(_strength(comparison.p_holm, comparison.effect_size))
    return "\n".join(lines)


def _strength(p_value: float, effect: float) -> str:
    shown = p_text(p_value)
    p = f"p {shown}" if shown.startswith("<") else f"p = {shown}"
    return p if math.isnan(effect) else f"{p}, d = {effect:.2f}".replace("= 0.", "= .")


def setting_rows(study: FinishedStudy) -> Rows:
    """The settings of the best trial, and of the published defaults where they differ."""
    best, defaults = study.summary.best, study.summary.published_defaults
    if best is None:
        return []
    published = defaults.params if defaults else {}
    return [
        ("setting", "best trial", "published defaults"),
        *(
            (name, _setting(value), _setting(published.get(name, "")))
            for name, value in best.params.items()
        ),
    ]


def _setting(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
