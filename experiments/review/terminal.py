"""The table at the end of a sweep; its first line answers whether to turn adjustment on."""

from collections.abc import Sequence
from typing import Any

from experiments.common.wording import grid, label, plain, signed
from experiments.replay.baseline_names import BASELINES, LOGGED_ORDER
from experiments.replay.guardrails import GUARDED
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study.records import TrialRecord, best_overall

NAMES = {
    **BASELINES,
    LOGGED_ORDER: f"{BASELINES[LOGGED_ORDER]} *",
    PUBLISHED_DEFAULTS: "published defaults",
    "best": "best",
}
FLATTERED = "* flattered by position bias: people click what is shown on top"
COLUMNS = ("mrr", "map", "recall_at_10", "drift_mean", "harmed_share", "reach")
HEADS = {"drift_mean": "drift", "harmed_share": "harmed", "reach": "reach"}


def result_table(summary: dict[str, Any], records: list[TrialRecord]) -> str:
    """The answer, the table, and what a reader must know, as text.

    Args:
        summary: The content of ``summary.json``.
        records: Every trial.
    """
    metric = summary["objective"]
    rows = [
        (NAMES[name], summary[name])
        for name in (*BASELINES, PUBLISHED_DEFAULTS, "best")
        if summary.get(name)
    ]
    lines = [answer(summary), "", *_table(metric, rows, summary["no_adjustment"]["metrics"])]
    notes = [*guardrail_notes(metric, records, summary["best"]), *_state_notes(summary, records)]
    return "\n".join([*lines, FLATTERED, *notes])


def answer(summary: dict[str, Any]) -> str:
    """Whether to turn adjustment on, and with which settings, in one line."""
    metric, best = summary["objective"], summary["best"]
    before = summary["no_adjustment"]["metrics"][metric]
    if best is None:
        return "Keep adjustment off: no trial ended within the guardrails."
    figures = best["metrics"]
    if figures["reach"] == 0:
        return (
            "Keep adjustment off as it is: reach is 0, so no scored session ever saw an adjusted "
            "object and nothing could change. Try replay.personalize_by=none or a longer log."
        )
    if figures[metric] <= before:
        return (
            f"Keep adjustment off: the best trial's {label(metric)} of {plain(figures[metric])} "
            f"does not beat {plain(before)} without adjustment."
        )
    simpler = {
        name: summary[name]["metrics"][metric]
        for name in BASELINES
        if name != LOGGED_ORDER and summary.get(name)
    }
    height = max(simpler, key=lambda name: simpler[name])
    gain = (
        f"{label(metric)} {plain(before)} → {plain(figures[metric])} on the tune part with "
        f"{settings_text(_changed(summary))}"
    )
    if simpler[height] > figures[metric]:
        return (
            f"Adjustment helps ({gain}), but {NAMES[height]} beats it without touching a vector: "
            f"{plain(simpler[height])}."
        )
    return f"Worth turning on: {gain}. The sealed test decides."


def _changed(summary: dict[str, Any]) -> dict[str, Any]:
    """The best trial's settings that are not the published defaults'; all of them if none is."""
    params = summary["best"]["params"]
    published = (summary.get("published_defaults") or {}).get("params", {})
    changed = {k: v for k, v in params.items() if k not in published or published[k] != v}
    return changed or dict(params)


def settings_text(params: dict[str, Any]) -> str:
    """Settings in one line."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in params.items())


def value_text(value: Any) -> str:
    """A setting's value, short."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def guardrail_notes(
    metric: str, records: list[TrialRecord], best: dict[str, Any] | None
) -> list[str]:
    """Says when the highest trial broke a guardrail, and what that would have gained."""
    highest = best_overall(records)
    if highest is None or highest.is_feasible or highest.outcome is None:
        return []
    broken = [
        f"{GUARDED[name].replace('_', ' ')} {plain(highest.metrics[GUARDED[name]])} over "
        f"guardrails.{name}={highest.metrics[GUARDED[name]] - excess:g}"
        for name, excess in highest.outcome.constraints.items()
        if excess > 0
    ]
    gained = _over_the_best(highest.metrics[metric] - best["metrics"][metric]) if best else ""
    return [
        f"Trial {highest.number} is higher at {plain(highest.metrics[metric])}{gained}, "
        f"but breaks a guardrail: {'; '.join(broken)}."
    ]


def _over_the_best(difference: float) -> str:
    return f", {signed(difference)} over the best" if round(difference, 3) else ""


def _state_notes(summary: dict[str, Any], records: list[TrialRecord]) -> list[str]:
    counts = summary["trials"]
    notes = [
        f"{sum(counts.values())} trials: {counts['complete']} complete, {counts['pruned']} pruned, "
        f"{counts['failed']} failed."
    ]
    reasons = [record.reason for record in records if record.state == "failed"]
    if reasons:
        commonest = max(dict.fromkeys(reasons), key=reasons.count)
        notes.append(f"Most failed for this reason: {' '.join(commonest.split())}")
    return notes


def _table(
    metric: str, rows: Sequence[tuple[str, dict[str, Any]]], base: dict[str, float]
) -> list[str]:
    columns = [name for name in COLUMNS if name != metric]
    head = ["", label(metric), "change", *(HEADS.get(name, label(name)) for name in columns)]
    cells = [head]
    for name, row in rows:
        figures = row["metrics"]
        change = "" if figures is base else signed(figures[metric] - base[metric])
        rest = [plain(figures[column]) if column in figures else "" for column in columns]
        cells.append([name, plain(figures[metric]), change, *rest])
    return grid(cells)
