"""The finalists of a study: replayed once more, compared with both references and on bystanders."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.judging.bystanders import N_FOLDS, Replays, compare_bystanders
from experiments.judging.comparison import (
    Comparison,
    Judge,
    compare_with,
    compare_with_no_adjustment,
)
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings
from experiments.study.records import TrialRecord

N_FINALISTS = 5
"""The best feasible trial and the next four."""

DEFAULTS = "the published defaults"


@dataclass(frozen=True)
class Candidate:
    """A trial of the study and what it tried."""

    trial: int
    settings: Settings

    @classmethod
    def of(cls, record: TrialRecord) -> "Candidate":
        """A trial of the study, as it is judged."""
        return cls(record.number, Settings.from_dict(record.settings))


@dataclass(frozen=True)
class Finalist:
    """A finalist and what is known of it on the sessions that the study saw.

    Args:
        trial: Number of the trial.
        settings: What it tried.
        result: Its replay, with the sessions' rows.
        gain: Against no adjustment.
        gain_over_defaults: Against the published defaults.
        bystanders: Its change on withheld queries; None where none was scored.
    """

    trial: int
    settings: Settings
    result: ReplayResult
    gain: Comparison
    gain_over_defaults: Comparison
    bystanders: Comparison | None


def replays_needed(n_finalists: int) -> int:
    """How many replays `judge_finalists` makes: the defaults, and each alone and on every fold."""
    return 1 + n_finalists * (1 + N_FOLDS)


def judge_finalists(
    candidates: Sequence[Candidate], defaults: Settings, replays: Replays, judge: Judge
) -> list[Finalist]:
    """Replay the finalists and compare them, each by itself.

    The sessions are those that the trials were chosen on, so the gains of the best are
    flattered; the sealed test is what decides. The comparison with the defaults, the order among
    the finalists and the bystanders are what these numbers are for.

    Args:
        candidates: Best first.
        defaults: The published defaults.
        replays: Replays of the log.
        judge: What is compared, and how surely.

    Returns:
        One for each candidate, in the same order.
    """
    replay = replays.over("tune")
    reference = replay.run(defaults).sessions
    tried = [candidate.settings for candidate in candidates]
    bystanders = compare_bystanders(tried, replays, judge, window="tune")

    def judged(candidate: Candidate, change: Comparison | None) -> Finalist:
        result = replay.run(candidate.settings)
        return Finalist(
            candidate.trial,
            candidate.settings,
            result,
            gain=compare_with_no_adjustment(result.sessions, judge),
            gain_over_defaults=compare_with(result.sessions, reference, judge, name=DEFAULTS),
            bystanders=change,
        )

    return [judged(*pair) for pair in zip(candidates, bystanders, strict=True)]
