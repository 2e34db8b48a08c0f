"""The sealed test: later sessions that no trial has seen, opened once to decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from experiments.common.errors import InputError
from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import Replays, compare_bystanders
from experiments.judging.comparison import (
    Comparison,
    Judge,
    compare_with,
    compare_with_no_adjustment,
)
from experiments.judging.finalists import DEFAULTS, Candidate
from experiments.judging.verdict import Verdict, decide
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings


class Openings(Protocol):
    """Where a study remembers for ever which trials its sealed test was opened on."""

    def read(self) -> Sequence[int]:
        """The trials, in the order in which the test was opened on them, each once."""

    def record(self, trial: int) -> None:
        """Add a trial; durable when this returns."""


@dataclass(frozen=True)
class SealedTest:
    """What the sealed test said about one trial.

    Args:
        trial: Number of the trial.
        tune: Its gain over no adjustment on the sessions that it was chosen on.
        test: Its gain over no adjustment on the test.
        test_over_defaults: Its gain over the published defaults on the test.
        bystanders: Its change on withheld queries, on the test; None where none was scored.
        openings: The trials that the test was opened on, this one included.
        verdict: What to do.
        tune_result: The replay behind `tune`.
        test_result: The replay behind `test`.
    """

    trial: int
    tune: Comparison
    test: Comparison
    test_over_defaults: Comparison
    bystanders: Comparison | None
    openings: tuple[int, ...]
    verdict: Verdict
    tune_result: ReplayResult
    test_result: ReplayResult

    @property
    def optimism(self) -> float:
        """Tune gain minus test gain: how much of the gain was the luck of being chosen."""
        return self.tune.gain - self.test.gain


def openings_with(openings: Openings, trial: int, *, reopen: bool = False) -> tuple[int, ...]:
    """The trials that the test will have been opened on with this one.

    The same trial may be opened again: it shows the same figures. Another trial is a second look
    at the same sessions; whoever takes it chooses with the test in sight.

    Args:
        openings: The study's memory.
        trial: The trial to look at.
        reopen: Allow a second look.

    Raises:
        InputError: If it was opened on another trial and `reopen` is false.
    """
    opened = tuple(openings.read())
    if trial in opened:
        return opened
    if opened and not reopen:
        raise InputError(
            f"The sealed test of this study was opened on trial {opened[-1]}; opening it on trial "
            f"{trial} too would choose with the test in sight. Use trial={opened[-1]} for the "
            "first, or reopen=true for the second look: it is counted for ever, and widens the "
            "interval."
        )
    return (*opened, trial)


def open_sealed_test(
    candidate: Candidate,
    defaults: Settings,
    replays: Replays,
    guardrails: GuardrailsConfig,
    openings: Openings,
    judge: Judge,
    *,
    reopen: bool = False,
) -> SealedTest:
    """Open the sealed test on the finalist chosen on the tune sessions, and decide.

    With k trials looked at, each interval of the test has the confidence 1 - .05 / k (Bonferroni),
    so that the chance of adopting any of them for nothing stays what it was for one. An opening is
    recorded before the test's first figure is known, so that no accident hides it.

    Args:
        candidate: The finalist.
        defaults: The published defaults.
        replays: Replays of the log.
        guardrails: What must hold for ``adopt``.
        openings: The study's memory of openings.
        judge: What is compared, and how surely with one opening.
        reopen: Allow a second opening for another trial.

    Raises:
        InputError: If the test was opened on another trial and `reopen` is false.
    """
    opened = openings_with(openings, candidate.trial, reopen=reopen)
    strict = replace(judge, confidence=1 - (1 - judge.confidence) / len(opened))
    tune_result = replays.over("tune").run(candidate.settings)
    replay = replays.over("test")
    if opened != tuple(openings.read()):
        openings.record(candidate.trial)
    test_result, reference = replay.run(candidate.settings), replay.run(defaults)
    (bystanders,) = compare_bystanders([candidate.settings], replays, judge, window="test")
    test = compare_with_no_adjustment(test_result.sessions, strict)
    verdict = decide(test, test_result.metrics, guardrails, bystanders)
    return SealedTest(
        trial=candidate.trial,
        tune=compare_with_no_adjustment(tune_result.sessions, judge),
        test=test,
        test_over_defaults=compare_with(
            test_result.sessions, reference.sessions, strict, name=DEFAULTS
        ),
        bystanders=bystanders,
        openings=opened,
        verdict=_with_openings(verdict, opened),
        tune_result=tune_result,
        test_result=test_result,
    )


def _with_openings(verdict: Verdict, opened: tuple[int, ...]) -> Verdict:
    if len(opened) == 1:
        return verdict
    trials = ", ".join(str(trial) for trial in opened)
    note = (
        f"The sealed test was opened on {len(opened)} trials ({trials}); its interval is widened "
        "for as many looks."
    )
    return replace(verdict, notes=(*verdict.notes, note))
