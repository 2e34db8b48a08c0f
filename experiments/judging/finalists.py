"""The finalists of a study: replayed once more, compared with both references and on bystanders."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.config.replay import ReplayConfig
from experiments.judging.bystanders import compare_bystanders
from experiments.judging.comparison import (
    Comparison,
    adjust_family,
    compare_with,
    compare_with_no_adjustment,
)
from experiments.replay.replayer import MakeReplay
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings

N_FINALISTS = 5
"""The best feasible trial and the next four."""

DEFAULTS = "the published defaults"


@dataclass(frozen=True)
class Candidate:
    """A trial of the study and what it tried."""

    trial: int
    settings: Settings


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


def judge_finalists(
    candidates: Sequence[Candidate],
    defaults: Settings,
    make_replay: MakeReplay,
    config: ReplayConfig,
    *,
    metric: str,
    seed: int,
) -> list[Finalist]:
    """Replay the finalists and compare them, with p-values adjusted over the whole family.

    The sessions are those that the trials were chosen on, so the gains of the best are
    flattered; the sealed test is what decides. The comparison with the defaults, the order among
    the finalists and the bystanders are what these figures are for.

    Args:
        candidates: Best first.
        defaults: The published defaults.
        make_replay: Prepares a replay.
        config: How to replay.
        metric: The metric compared.
        seed: Of the resampling.

    Returns:
        One a candidate, in the same order.
    """
    replay = make_replay(config, "tune")
    reference = replay.run(defaults).sessions
    results = [replay.run(candidate.settings) for candidate in candidates]
    bystanders = compare_bystanders(
        [candidate.settings for candidate in candidates],
        make_replay,
        config,
        window="tune",
        metric=metric,
        seed=seed,
    )
    family = adjust_family(
        [compare_with_no_adjustment(result.sessions, metric, seed=seed) for result in results]
        + [
            compare_with(result.sessions, reference, metric, name=DEFAULTS, seed=seed)
            for result in results
        ]
    )
    return [
        Finalist(candidate.trial, candidate.settings, result, *gains, change)
        for candidate, result, gains, change in zip(
            candidates,
            results,
            zip(family[: len(results)], family[len(results) :], strict=True),
            bystanders,
            strict=True,
        )
    ]
