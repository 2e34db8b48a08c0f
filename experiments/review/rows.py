"""The report's tables, as rows of text."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.common.wording import interval_text, label, plain, signed
from experiments.judging.clustered_interval import ClusteredInterval
from experiments.judging.comparison import Comparison
from experiments.judging.optimism import Optimism
from experiments.replay.baseline_names import HEADROOM
from experiments.review.answer import row_name
from experiments.study_folder.finished_study import FinishedStudy
from experiments.study_folder.judged_records import FinalistRecord, TestRecord
from experiments.study_folder.summary import BEST

Rows = list[tuple[str, ...]]


def result_rows(study: FinishedStudy) -> Rows:
    """Every configuration that was scored, on the sessions that the study saw; header first."""
    rows: Rows = [("on the tune sessions", label(study.metric), "gain", "drift", "harmed", "reach")]
    for name, row in study.summary.rows.items():
        rows.append((row_name(study.summary, name), *_cells(row.metrics, study.metric)))
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


def rival_rows(study: FinishedStudy) -> Rows:
    """This setting among all that is simpler, the best first; header first.

    On the sealed test once it is open, with the lead over each rival; else on tune, without the
    headroom, which is no rival.
    """
    test = study.test
    if test is None:
        return [("on the tune sessions", label(study.metric), "gain"), *_on_tune(study)]
    seen = test.evidence
    rows = [
        (seen.gain.mean, own_name(study), ""),
        (seen.gain.reference_mean, "no adjustment", interval_text(seen.gain)),
        *((rival.value, rival.name, interval_text(rival.lead)) for rival in seen.rivals),
    ]
    ranked = sorted(rows, key=lambda row: -row[0])
    return [
        ("on the sealed test", label(study.metric), "lead over it"),
        *((name, plain(value), lead) for value, name, lead in ranked),
    ]


def own_name(study: FinishedStudy) -> str:
    """How the setting that the study stands for is called."""
    if study.test:
        return f"this setting (trial {study.test.trial})"
    return row_name(study.summary, BEST)


def _on_tune(study: FinishedStudy) -> Rows:
    metric = study.metric
    rows = {name: row.metrics for name, row in study.summary.rows.items() if name != HEADROOM}
    ranked = sorted(rows, key=lambda name: -rows[name][metric])
    return [
        (
            row_name(study.summary, name),
            plain(rows[name][metric]),
            _shown(rows[name].get(f"delta_{metric}"), signed),
        )
        for name in ranked
    ]


def sealed_rows(test: TestRecord) -> Rows:
    """The gains behind a verdict, its rivals among them; header first."""
    seen = test.evidence
    over = [(f"over {rival.name} ({plain(rival.value)})", rival.lead) for rival in seen.rivals]
    gains: list[tuple[str, Comparison | None]] = [
        (f"over no adjustment ({plain(seen.gain.reference_mean)})", seen.gain),
        *over,
        ("bystanders", seen.bystanders),
    ]
    if seen.naive is not None:
        gains.append((f"clicks as they are, {label(seen.naive.metric)}", seen.naive))
    parts: list[tuple[str, ClusteredInterval]] = []
    if seen.split is not None:
        parts = [
            ("of it on objects clicked before", seen.split.refound),
            ("of it on new objects", seen.split.new),
        ]
    return [
        ("gain on the sealed test", label(seen.gain.metric)),
        *((name, interval_text(item)) for name, item in gains),
        *((name, part_text(part)) for name, part in parts),
        ("tune, over no adjustment", interval_text(test.tune)),
        ("optimism of having been chosen", optimism_text(test.optimism)),
    ]


def part_text(part: ClusteredInterval) -> str:
    """A part of a gain with its interval."""
    ends = part.interval
    return f"{signed(part.estimate)} ({signed(ends.low)} to {signed(ends.high)})"


def optimism_text(found: Optimism) -> str:
    """The finalist's fall from tune to test, and that of trials that nobody chose."""
    fall = f"the finalist falls by {signed(found.gap)} from tune to test"
    if math.isnan(found.usual_gap):
        return f"unknown: {fall}, and no other trial was at hand"
    return f"{signed(found.optimism)}: {fall}, unselected trials by {signed(found.usual_gap)}"


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
                gain_text(item.bystanders),
                _shown(item.metrics.get("drift_mean"), plain),
            )
            for item in finalists
        ),
    ]


def gain_text(comparison: Comparison | None) -> str:
    """A comparison in a cell: the gain, then its interval.

    Args:
        comparison: None where nothing was compared.
    """
    if comparison is None:
        return "none scored"
    return f"{signed(comparison.gain)}\n{signed(comparison.low)} to {signed(comparison.high)}"


def setting_rows(study: FinishedStudy) -> Rows:
    """The settings of the adopted trial, else of the best one, and the published defaults."""
    best, defaults = study.summary.best, study.summary.published_defaults
    if best is None:
        return []
    published = defaults.params if defaults else {}
    return [
        ("setting", _whose(study), "published defaults"),
        *(
            (name, _setting(value), _setting(published.get(name, "")))
            for name, value in best.params.items()
        ),
    ]


def _whose(study: FinishedStudy) -> str:
    """Whose settings the table shows."""
    adopted = study.summary.adopted
    return "best trial" if adopted is None else f"adopted trial {adopted}"


def _setting(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
