"""The sealed test: later sessions that no trial has seen, opened once to decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import compare_bystanders
from experiments.judging.comparison import Comparison, compare_with, compare_with_no_adjustment
from experiments.judging.finalists import DEFAULTS, Candidate
from experiments.judging.verdict import Verdict, decide
from experiments.replay.guardrails import DRIFT
from experiments.replay.replayer import MakeReplay, Replayer
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


def looks(openings: Openings, trial: int, *, reopen: bool = False) -> tuple[int, ...]:
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


def first_that_stays(
    candidates: Sequence[Candidate], replay: Replayer, guardrails: GuardrailsConfig
) -> tuple[Candidate, dict[int, float]]:
    """The best candidate whose mean drift keeps its bound to the end of the log.

    Drift adds up, so a trial just within the bound on tune may leave it later, and a test opened
    on it would be spent for nothing. Drift follows from the feedback alone: only it is read here,
    no score of the test, so the choice stays one made on tune.

    Args:
        candidates: Best on tune first, at least one.
        replay: Over the test.
        guardrails: The bounds.

    Returns:
        The candidate, the first where none keeps the bound; and trial → drift of those passed
        over for it.
    """
    passed_over: dict[int, float] = {}
    if DRIFT.bound(guardrails) is None:
        return candidates[0], passed_over
    for candidate in candidates:
        drift = replay.run(candidate.settings).metrics[DRIFT.metric]
        if not DRIFT.is_broken(drift, guardrails):
            return candidate, passed_over
        passed_over[candidate.trial] = drift
    return candidates[0], {}


def open_sealed_test(
    candidate: Candidate,
    defaults: Settings,
    make_replay: MakeReplay,
    config: ReplayConfig,
    guardrails: GuardrailsConfig,
    openings: Openings,
    *,
    metric: str,
    seed: int,
    reopen: bool = False,
) -> SealedTest:
    """Open the sealed test on the finalist chosen on the tune sessions, and decide.

    With k trials looked at, each interval has the confidence 1 - .05 / k (Bonferroni), so that
    the chance of adopting any of them for nothing stays what it was for one. An opening is recorded
    before the test's first figure is known, so that no accident hides it.

    Args:
        candidate: The finalist.
        defaults: The published defaults.
        make_replay: Prepares a replay.
        config: How to replay.
        guardrails: What must hold for ``adopt``.
        openings: The study's memory of openings.
        metric: The metric compared.
        seed: Of the resampling.
        reopen: Allow a second opening for another trial.

    Raises:
        InputError: If the test was opened on another trial and `reopen` is false.
    """
    opened = looks(openings, candidate.trial, reopen=reopen)
    confidence = 1 - 0.05 / len(opened)
    tune_result = make_replay(config, "tune").run(candidate.settings)
    replay = make_replay(config, "test")
    if opened != tuple(openings.read()):
        openings.record(candidate.trial)
    test_result, reference = replay.run(candidate.settings), replay.run(defaults)
    (bystanders,) = compare_bystanders(
        [candidate.settings], make_replay, config, window="test", metric=metric, seed=seed
    )
    test = compare_with_no_adjustment(
        test_result.sessions, metric, seed=seed, confidence=confidence
    )
    verdict = decide(test, test_result.metrics, guardrails, bystanders)
    return SealedTest(
        trial=candidate.trial,
        tune=compare_with_no_adjustment(tune_result.sessions, metric, seed=seed),
        test=test,
        test_over_defaults=compare_with(
            test_result.sessions,
            reference.sessions,
            metric,
            name=DEFAULTS,
            seed=seed,
            confidence=confidence,
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
