"""The answer of a study in words: its first sentence, and what a reader must know beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.common.wording import plain
from experiments.judging.headline import promises
from experiments.replay.baseline_names import BASELINES, HEADROOM, LOGGED_ORDER
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study_folder.summary import BEST, TUNE_BEST, ScoredRow, Summary

NAMES = {
    **BASELINES,
    LOGGED_ORDER: f"{BASELINES[LOGGED_ORDER]} *",
    PUBLISHED_DEFAULTS: "published defaults",
    TUNE_BEST: "best on tune",
    BEST: "best",
}
"""Row of a summary → how it is called."""

SEALED = "Not decided yet: the sealed test has not been opened."

FLATTERED = (
    "* flattered by position bias wherever clicks are taken as they are: people click what is on "
    "top"
)


@dataclass(frozen=True)
class VerdictLines:
    """The answer as people read it, whatever shows it.

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
        """The sentence up to its colon, to stand alone."""
        return self.sentence.partition(": ")[0]

    @property
    def explanation(self) -> str:
        """The sentence that goes with the headline."""
        text = self.sentence.partition(": ")[2]
        return text[:1].upper() + text[1:]


def question(summary: Summary) -> str:
    """What a study answers: the title of whatever shows it.

    Args:
        summary: The study's numbers.
    """
    return f"Should click-feedback adjustment be on for {summary.dataset.name}?"


def verdict_lines(summary: Summary, *, best: int | None, opening: str = "") -> VerdictLines:
    """The answer of a study in words; the sentence is the same wherever it is shown.

    Args:
        summary: The study's numbers.
        best: Number of the best trial on the tune sessions.
        opening: The command that opens the test; only named while it is sealed.
    """
    sealed = summary.sealed
    if sealed is None:
        return _unopened(summary, best, opening)
    verdict = sealed.verdict
    number = summary.adopted
    adopted = [] if number is None else [_settings(summary, f"Adopted: trial {number}")]
    others = _other_trial(sealed.test.trial, best)
    return VerdictLines(
        decision=verdict.decision,
        sentence=summary.answer,
        more=(*adopted, *verdict.reasons[1:], *verdict.notes, *others),
    )


def _unopened(summary: Summary, best: int | None, opening: str) -> VerdictLines:
    """What tune alone can say."""
    metric, found = summary.objective, summary.tune_best
    before = summary.no_adjustment.metrics[metric]
    if found is None or not promises(metric, before, found.metrics):
        return VerdictLines("", summary.answer)
    trial = "Best on tune" if best is None else f"Best on tune: trial {best}"
    return VerdictLines(
        decision="",
        sentence=summary.answer,
        more=(_settings(summary, trial), *_higher_baseline(summary, found.metrics[metric]), SEALED),
        command=opening,
        purpose="opens it, once, on the trial that is chosen." if opening else "",
    )


def _settings(summary: Summary, trial: str) -> str:
    """Which trial the study stands for, and what is set in it."""
    assert summary.best is not None
    changed = _changed(summary.best, summary.published_defaults)
    return f"{trial}, {settings_text(changed)}."


def _higher_baseline(summary: Summary, reached: float) -> list[str]:
    """Says so where a simple ranking is better than the best trial."""
    name, height = _highest_baseline(summary)
    if height <= reached:
        return []
    return [f"{_capital(NAMES[name])} is higher at {plain(height)}, without a vector."]


def _other_trial(opened: int, best: int | None) -> list[str]:
    """Says so where the test was opened on another trial than the best."""
    if best is None or opened == best:
        return []
    return [f"The verdict is on trial {opened}; the best on the tune sessions is trial {best}."]


def row_name(summary: Summary, row: str) -> str:
    """How a row of a summary is called.

    Args:
        summary: The study's numbers.
        row: Its name there.
    """
    if row == BEST and summary.adopted is not None:
        return f"adopted (trial {summary.adopted})"
    return NAMES[row]


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
