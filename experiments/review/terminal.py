"""What a sweep and an export print: the table of results, the finalists, the sealed test."""

from collections.abc import Mapping, Sequence

from experiments.common.console import fitted_grid
from experiments.common.wording import interval_text, label, plain, signed
from experiments.replay.guardrails import GUARDRAILS
from experiments.review.answer import FLATTERED, VerdictLines, row_name, verdict_lines
from experiments.review.rows import sealed_rows
from experiments.study.records import FAILED, TrialRecord, best_overall
from experiments.study_folder.judged_records import FinalistRecord
from experiments.study_folder.summary import ScoredRow, Summary, TrialCounts

COLUMNS = ("mrr", "map", "recall_at_10", "drift_mean", "harmed_share", "reach")
HEADS = {"drift_mean": "drift", "harmed_share": "harmed", "reach": "reach"}

DROPPED = ("map", "recall_at_10", "mrr", "harmed_share", "reach")
"""Columns that a narrow terminal does without, the first one first."""

FINALIST_HEAD = ("finalists", "over no adjustment", "over published defaults", "bystanders")
FINALIST_LEGEND = (
    "Gains over means of each user with 95 % intervals, on the sessions that chose these trials: "
    "flattered, and\nthe sealed test decides. Bystanders: queries whose feedback was withheld."
)


def result_table(summary: Summary, records: Sequence[TrialRecord], width: int | None = None) -> str:
    """The answer, the table, and what a reader must know, as text.

    Args:
        summary: The study's numbers.
        records: Every trial.
        width: Characters that the table may have; None for all that it needs.
    """
    metric = summary.objective
    notes = [
        *guardrail_notes(metric, records, summary.best),
        *_state_notes(summary.trials, records),
    ]
    best = summary.tune_best.trial if summary.tune_best else None
    lines = answer_lines(verdict_lines(summary, best=best))
    return "\n".join([*lines, "", *_fitted(_cells(summary), width), FLATTERED, *notes])


def answer_lines(lines: VerdictLines, remarks: Sequence[str] = ()) -> list[str]:
    """The first sentence, and below it what must be known beside it.

    Args:
        lines: The answer.
        remarks: What else to say.
    """
    return [lines.sentence, *(f"- {line}" for line in (*lines.more, *remarks))]


def _fitted(cells: Sequence[Sequence[str]], width: int | None) -> list[str]:
    return fitted_grid(cells, width, dropped=[HEADS.get(name, label(name)) for name in DROPPED])


def _cells(summary: Summary) -> list[list[str]]:
    """The table's cells, the head first."""
    metric, base = summary.objective, summary.no_adjustment
    columns = [name for name in COLUMNS if name != metric]
    head = ["", label(metric), "change", *(HEADS.get(name, label(name)) for name in columns)]
    cells = [head]
    for name, row in summary.rows.items():
        change = "" if row is base else signed(row.metrics[metric] - base.metrics[metric])
        rest = [plain(row.metrics[column]) if column in row.metrics else "" for column in columns]
        cells.append([row_name(summary, name), plain(row.metrics[metric]), change, *rest])
    return cells


def guardrail_notes(
    metric: str, records: Sequence[TrialRecord], best: ScoredRow | None
) -> list[str]:
    """Says when the highest trial broke a guardrail, and what that would have gained."""
    highest = best_overall(list(records))
    if highest is None or highest.is_feasible or highest.outcome is None:
        return []
    value = highest.metrics[metric]
    lead = round(value - best.metrics[metric], 3) if best else 0.0
    gained = f", {signed(lead)} over the best" if lead else ""
    broken = "; ".join(_broken(highest.metrics, highest.outcome.constraints))
    return [
        f"Trial {highest.number} is higher at {plain(value)}{gained}, but breaks a guardrail: "
        f"{broken}."
    ]


def _broken(metrics: Mapping[str, float], constraints: Mapping[str, float]) -> list[str]:
    return [
        f"{item.words} {plain(metrics[item.metric])} over "
        f"guardrails.{item.name}={metrics[item.metric] - constraints[item.name]:g}"
        for item in GUARDRAILS
        if constraints.get(item.name, 0.0) > 0
    ]


def _state_notes(counts: TrialCounts, records: Sequence[TrialRecord]) -> list[str]:
    notes = [
        f"{counts.total} trials: {counts.complete} complete, {counts.pruned} pruned, "
        f"{counts.failed} failed."
    ]
    reasons = [record.reason for record in records if record.state == FAILED]
    if reasons:
        commonest = max(dict.fromkeys(reasons), key=reasons.count)
        notes.append(f"Most failed for this reason: {' '.join(commonest.split())}")
    return notes


def finalist_table(finalists: Sequence[FinalistRecord], width: int | None = None) -> str:
    """The finalists against both references and on bystanders; "" without any.

    Args:
        finalists: Best first.
        width: Characters that the table may have; None for all that it needs.
    """
    if not finalists:
        return ""
    rows = [FINALIST_HEAD, *map(_finalist_cells, finalists)]
    lines = fitted_grid(rows, width, n_left=len(FINALIST_HEAD), dropped=FINALIST_HEAD[2:3])
    legend = FINALIST_LEGEND if width is None else FINALIST_LEGEND.replace("\n", " ")
    return "\n".join([*lines, legend])


def _finalist_cells(item: FinalistRecord) -> tuple[str, ...]:
    return (
        f"trial {item.trial}",
        interval_text(item.gain),
        interval_text(item.gain_over_defaults),
        interval_text(item.bystanders),
    )


def sealed_text(
    summary: Summary,
    *,
    best: int | None,
    remarks: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """Verdict, the gains behind it and what it is measured against, as text.

    Args:
        summary: Of a study whose sealed test was opened.
        best: Number of the best trial on the tune sessions.
        remarks: Why the test is not about that one, a sentence each.
        width: Characters that the table may have; None for all that it needs.
    """
    assert summary.test is not None
    lines = answer_lines(verdict_lines(summary, best=best), remarks)
    return "\n".join([*lines, "", *fitted_grid(sealed_rows(summary.test), width, n_left=2)])
