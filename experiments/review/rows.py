"""The report's tables, as rows of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.common.wording import label, p_text, plain, signed
from experiments.review.terminal import NAMES
from experiments.study_folder.finished_study import FinishedStudy

Rows = list[tuple[str, ...]]


def result_rows(study: FinishedStudy) -> Rows:
    """Every configuration that was scored, on the sessions that the study saw; header first."""
    rows: Rows = [("on the tune sessions", label(study.metric), "gain", "drift", "harmed", "reach")]
    for key, name in NAMES.items():
        entry = study.summary.get(key)
        if entry:
            rows.append((name, *_figures(entry["metrics"], study.metric)))
    test = study.test
    if test:
        name = f"trial {test['trial']} on the sealed test"
        rows.append((name, *_figures(test["metrics"], study.metric)))
    return rows


def _figures(metrics: Mapping[str, float | None], metric: str) -> tuple[str, ...]:
    return (
        _shown(metrics.get(metric), plain),
        _shown(metrics.get(f"delta_{metric}"), signed),
        _shown(metrics.get("drift_mean"), plain),
        _shown(metrics.get("harmed_share"), percent),
        _shown(metrics.get("reach"), percent),
    )


def _shown(value: float | None, write: Any) -> str:
    return "" if value is None else str(write(value))


def percent(value: float) -> str:
    """A share in whole percent.

    Example:
        >>> percent(0.254)
        '25 %'
    """
    return f"{100 * value:.0f} %"


def finalist_rows(finalists: Sequence[Mapping[str, Any]]) -> Rows:
    """The finalists against both references and on bystanders; header first."""
    header = ("trial", "over no adjustment", "over published defaults", "bystanders", "drift")
    return [
        header,
        *(
            (
                str(item["trial"]),
                gain_text(item["gain"]),
                gain_text(item["gain_over_defaults"]),
                gain_text(item["bystanders"], p_value=False),
                _shown(item["metrics"].get("drift_mean"), plain),
            )
            for item in finalists
        ),
    ]


def gain_text(comparison: Mapping[str, Any] | None, *, p_value: bool = True) -> str:
    """A comparison in a cell: the gain, its interval, then adjusted p-value and effect size.

    Example:
        >>> print(gain_text({"gain": 0.08, "low": 0.07, "high": 0.09, "p_holm": 0.0004,
        ...                  "effect_size": 0.61}))
        +.080
        +.070 to +.090
        p < .001, d = .61
    """
    if comparison is None:
        return "none scored"
    interval = f"{signed(comparison['low'])} to {signed(comparison['high'])}"
    lines = [signed(comparison["gain"]), interval]
    if p_value:
        lines.append(_strength(comparison["p_holm"], comparison["effect_size"]))
    return "\n".join(lines)


def _strength(p_value: float, effect: float | None) -> str:
    p = f"p = {p_text(p_value)}".replace("= <", "<")
    return p if effect is None else f"{p}, d = {effect:.2f}".replace("= 0.", "= .")


def setting_rows(study: FinishedStudy) -> Rows:
    """The settings of the best trial, and of the published defaults where they differ."""
    best, defaults = study.summary.get("best"), study.summary.get("published_defaults")
    if not best:
        return []
    published = (defaults or {}).get("params", {})
    return [
        ("setting", "best trial", "published defaults"),
        *(
            (name, _setting(value), _setting(published.get(name, "")))
            for name, value in best["params"].items()
        ),
    ]


def _setting(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
