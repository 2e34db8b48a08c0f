"""When a study has found what it can: what as many trials again would be expected to gain.

Two readings, of which the larger counts. Were trials drawn alike, a random half of them would have
its best at the k-th best of all with chance 2^-k, so that the second half is worth the sum over k
of 2^-k times the gap from the best to the k-th; the next doubling is worth no more. And a search
that is still learning shows it in what its second half found over its first.

A gap between two trials counts so far as users can tell them apart: its mean over the same groups
of users, shrunk by its own variance (James and Stein's positive part), or a search would go on for
ever after the best of equals.
"""

from collections.abc import Sequence
from statistics import fmean, variance

from experiments.study.records import RUNNING, TrialRecord

LEAST = 50
"""Finished trials before anything is said."""

MOST = 1_000
"""Trials after which ``study.n_trials=auto`` ends whatever is still open."""

LOOKED_AT = 20
"""Best trials whose gaps are added up: what stands behind them weighs less than a millionth."""


def expected_gain(records: Sequence[TrialRecord]) -> float | None:
    """What as many trials again would be expected to add to the best, of what can be told apart.

    Stopped trials count as drawn and behind: the pruner stopped them for being so.

    Args:
        records: Every trial.

    Returns:
        In units of the objective, >= 0; None while no more than one trial is within the guardrails
        or fewer than `LEAST` are finished.
    """
    finished = [record for record in records if record.state != RUNNING and not record.lost]
    if len(finished) < LEAST:
        return None
    in_order = sorted(finished, key=lambda record: record.ordinal)
    feasible = [record for record in in_order if record.is_feasible]
    if len(feasible) < 2:
        return None
    best_first = sorted(feasible, key=lambda record: (-_value(record), record.ordinal))
    best = best_first[0]
    alike = sum(
        0.5**place * told_apart(best, other)
        for place, other in enumerate(best_first[1:LOOKED_AT], start=2)
    )
    half = in_order[: len(in_order) // 2]
    earlier = [record for record in half if record.is_feasible]
    if not earlier:
        return None
    learnt = told_apart(best, max(earlier, key=_value))
    return max(alike, learnt)


def told_apart(better: TrialRecord, other: TrialRecord) -> float:
    """The gap between two complete trials, shrunk by what chance puts between them; >= 0."""
    gap = _value(better) - _value(other)
    assert better.outcome is not None
    assert other.outcome is not None
    mine, its = better.outcome.user_gains, other.outcome.user_gains
    if gap <= 0 or len(mine) < 2 or len(mine) != len(its):
        return max(0.0, gap)
    differences = [one - another for one, another in zip(mine, its, strict=True)]
    return gap * max(0.0, 1 - variance(differences, fmean(differences)) / len(mine) / gap**2)


def has_found_enough(records: Sequence[TrialRecord], min_gain: float, least: int) -> bool:
    """Whether ``study.n_trials=auto`` ends the study.

    Args:
        records: Every trial.
        min_gain: Below this, what further trials would add is not worth them.
        least: Trials that the sampler needs before it searches in one place.
    """
    n_drawn = len({record.ordinal for record in records})
    if n_drawn >= MOST:
        return True
    expected = expected_gain(records) if n_drawn >= least else None
    return expected is not None and expected < min_gain


def _value(record: TrialRecord) -> float:
    assert record.value is not None
    return record.value
