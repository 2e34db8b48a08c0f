"""The answer of a study in words: whether to turn adjustment on, and what the sealed test said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.common.wording import label, plain, signed
from experiments.judging.tune_gain import TuneGain
from experiments.replay.baseline_names import BASELINES, HEADROOM, LOGGED_ORDER
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study_folder.judged_records import SealedRecord
from experiments.study_folder.summary import BEST, ScoredRow, Summary

NAMES = {
    **BASELINES,
    LOGGED_ORDER: f"{BASELINES[LOGGED_ORDER]} *",
    PUBLISHED_DEFAULTS: "published defaults",
    BEST: "best",
}
"""Row of a summary → how it is called."""

FLATTERED = (
    "* flattered by position bias wherever clicks are taken as they are: people click what is on "
    "top"
)


@dataclass(frozen=True)
class VerdictLines:
    """The verdict as people read it, whatever shows it.

    Args:
        decision: The verdict's own word; "" while the test is sealed.
        sentence: Headline and explanation, with a colon between them.
        more: Further sentences: reasons, notes, and what is odd about this test.
        command: What to run next; "" where nothing is left to run.
        purpose: What it does, the rest of a sentence that begins with the command.
    """

    decision: str
    sentence: str
    more: tuple[str, ...] = ()
    command: str = ""
    purpose: str = ""

    @property
    def headline(self) -> str:
        """The decision, to stand alone."""
        return self.sentence.partition(": ")[0]

    @property
    def explanation(self) -> str:
        """The sentence that goes with the headline."""
        text = self.sentence.partition(": ")[2]
        return text[:1].upper() + text[1:]


def verdict_lines(
    sealed: SealedRecord | None, *, best: int | None, opening: str = ""
) -> VerdictLines:
    """The verdict of a study in words.

    Args:
        sealed: What the sealed test said; None while it is sealed.
        best: Number of the best trial on the tune sessions.
        opening: The command that opens the test; only named while it is sealed.
    """
    if sealed is None:
        return VerdictLines(
            decision="",
            sentence="Not decided yet: the sealed test has not been opened.",
            command=opening,
            purpose="opens it, once, on the best trial.",
        )
    verdict = sealed.verdict
    others = _other_trial(sealed.test.trial, best)
    return VerdictLines(
        decision=verdict.decision,
        sentence=verdict.sentence,
        more=(*verdict.reasons[1:], *verdict.notes, *others),
    )


def _other_trial(opened: int, best: int | None) -> list[str]:
    """Says so where the test was opened on another trial than the best."""
    if best is None or opened == best:
        return []
    return [f"The verdict is on trial {opened}; the best on the tune sessions is trial {best}."]


def answer(summary: Summary) -> str:
    """Whether to turn adjustment on, and with which settings, in one line."""
    metric, best = summary.objective, summary.best
    before = summary.no_adjustment.metrics[metric]
    if best is None:
        return "Keep adjustment off: no trial ended within the guardrails."
    if best.metrics["reach"] == 0:
        return (
            "Keep adjustment off as it is: reach is 0, so no scored session ever saw an adjusted "
            "object and nothing could change. Try replay.personalize_by=none or a longer log."
        )
    reached = best.metrics[metric]
    if reached <= before:
        return (
            f"Keep adjustment off: the best trial's {label(metric)} of {plain(reached)} "
            f"does not beat {plain(before)} without adjustment."
        )
    settings = settings_text(_changed(best, summary.published_defaults))
    parts = [f"{_promise(summary.tune_gain, label(metric), before)} Best: {settings}."]
    name, height = _highest_baseline(summary)
    if height > reached:
        parts.append(f"{_capital(NAMES[name])} is higher at {plain(height)}, without a vector.")
    return " ".join(parts)


def _promise(found: TuneGain | None, metric: str, before: float) -> str:
    """What tune can say of the best trial's gain, and never more."""
    if found is None:
        return f"Open the sealed test: tune alone cannot say what the gain in {metric} is."
    interval = (
        f"{signed(found.gain)} over {plain(before)} ({found.confidence:.0%} interval "
        f"{signed(found.low)} to {signed(found.high)}, corrected for being the best of "
        f"{found.n_trials} trials)"
    )
    if found.low > 0:
        return f"Worth opening the sealed test: {metric} on tune gains {interval}."
    return f"Tune cannot tell whether adjustment helps: {metric} gains {interval}."


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _highest_baseline(summary: Summary) -> tuple[str, float]:
    """The best baseline and its metric: neither the flattered logged order nor the headroom."""
    simpler = {
        name: row.metrics[summary.objective]
        for name, row in summary.baselines.items()
        if name not in (LOGGED_ORDER, HEADROOM)
    }
    return max(simpler.items(), key=lambda item: item[1])


def _changed(best: ScoredRow, defaults: ScoredRow | None) -> dict[str, Any]:
    """The best trial's settings that are not the published defaults'; all of them if none is."""
    published = defaults.params if defaults else {}
    changed = {
        name: value
        for name, value in best.params.items()
        if name not in published or published[name] != value
    }
    return changed or dict(best.params)


def settings_text(params: Mapping[str, Any]) -> str:
    """Settings in one line.

    Example:
        >>> settings_text({"adjustment_rate": 0.00123456, "num_iterations": 10})
        'adjustment_rate=0.001235, num_iterations=10'
    """
    return ", ".join(f"{name}={value_text(value)}" for name, value in params.items())


def value_text(value: Any) -> str:
    """A setting's value, short."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
