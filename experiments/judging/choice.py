"""Which of a study's trials are finalists, and on which of them the sealed test is opened."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.common.wording import plain
from experiments.config.study import GuardrailsConfig
from experiments.judging.finalists import N_FINALISTS, Candidate
from experiments.replay.guardrails import DRIFT
from experiments.replay.replayer import Replayer
from experiments.study.records import COMPLETE, PRUNED, SAMPLER, TrialRecord

N_TO_OPEN = 20
"""How many trials are asked for their drift at the end of the log, at most."""

N_UNSELECTED = 8
"""Trials that tell how tune and test differ for everybody; each is replayed on both."""


def choose(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best feasible trial and the next four; of equals the earlier first."""
    return _by_value(records)[:N_FINALISTS]


def _by_value(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    feasible = [record for record in records if record.is_feasible]
    return sorted(feasible, key=lambda record: (-(record.value or 0.0), record.number))


def rank_for_test(records: Sequence[TrialRecord], min_gain: float) -> list[TrialRecord]:
    """The trials in the order in which the sealed test would be opened on them.

    Only tune is looked at; whether the first keeps its drift to the end of the log is asked when
    the test is opened. Where no finalist does, those behind them come next as long as they gain
    anything on tune: that the best drift too far is no reason to keep adjustment off.

    Args:
        records: Every trial.
        min_gain: The smallest gain worth having.

    Returns:
        The finalists, then others within the guardrails, best first; `N_TO_OPEN` at most.
    """
    first = prefer_least_drift(choose(records), min_gain)
    others = [record for record in _by_value(records)[N_FINALISTS:] if _gains(record)]
    return [*first, *others][:N_TO_OPEN]


def _gains(record: TrialRecord) -> bool:
    gains = record.outcome.user_gains if record.outcome else []
    return bool(gains) and float(np.mean(gains)) > 0


def unselected(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The first trials that the sampler proposed, finalists left out: nobody chose them.

    Pruned ones count: a trial that was stopped for being bad is as unselected as any.
    """
    finalists = {record.number for record in choose(records)}
    proposed = [
        record
        for record in sorted(records, key=lambda item: item.ordinal)
        if record.origin == SAMPLER and record.state in (COMPLETE, PRUNED)
    ]
    return [record for record in proposed if record.number not in finalists][:N_UNSELECTED]


def remarks_on(
    trial: int,
    records: Sequence[TrialRecord],
    passed_over: Mapping[int, float],
    guardrails: GuardrailsConfig,
) -> list[str]:
    """A sentence for each reason why the trial that was opened is not the best on tune.

    Args:
        trial: The trial that the test was opened on.
        records: Every trial.
        passed_over: Trial → drift of those left out for it.
        guardrails: The bounds.
    """
    finalists = {record.number: record for record in choose(records)}
    remarks = _passed_over(passed_over, guardrails.max_mean_drift)
    if trial not in finalists:
        return remarks
    best = next(iter(finalists.values()))
    return [*_preferred(finalists[trial], best, guardrails.min_gain), *remarks]


def _preferred(record: TrialRecord, best: TrialRecord, min_gain: float) -> list[str]:
    """Says so where a trial of less drift was taken instead of the best."""
    if record.number == best.number or not is_as_good(record, best, min_gain):
        return []
    return [
        f"Trial {record.number} is taken, not trial {best.number}: on tune it is as good "
        f"within one standard error and {plain(min_gain)}, at a mean drift of "
        f"{plain(record.metrics['drift_mean'])} instead of {plain(best.metrics['drift_mean'])}."
    ]


def _passed_over(drifts: Mapping[int, float], bound: float | None) -> list[str]:
    if not drifts:
        return []
    trials = ", ".join(map(str, drifts))
    low, high = plain(min(drifts.values())), plain(max(drifts.values()))
    who = f"Trial {trials} is" if len(drifts) == 1 else f"Trials {trials} are"
    grown = low if low == high else f"between {low} and {high}"
    return [
        f"{who} passed over: mean drift grows to {grown} by the end of the log, above "
        f"guardrails.max_mean_drift of {bound:g}."
    ]


def first_within_drift_bound(
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


def prefer_least_drift(finalists: Sequence[TrialRecord], min_gain: float) -> list[TrialRecord]:
    """Put the finalists that are as good as the best in order of their drift, least first.

    The best of many trials owes some of its lead to chance, and of two that chance cannot tell
    apart the one that moves vectors less is the safer. As good is within one standard error of
    the best, over the blocks in which both were scored (the one-standard-error rule of Breiman,
    Friedman, Olshen and Stone, *Classification and Regression Trees*, 1984, section 3.4.3, here
    on paired differences), and no further behind than a gain worth having: where sessions say
    little, a trial that changes next to nothing is within one standard error of any other.
    Nothing but the tune part is looked at.

    Args:
        finalists: Complete trials, best first.
        min_gain: The smallest gain worth having.

    Returns:
        The same trials: those as good as the best by drift, then the others as they stood.
    """
    if not finalists:
        return []
    best = finalists[0]
    close = [record for record in finalists if is_as_good(record, best, min_gain)]
    far = [record for record in finalists if record not in close]
    return sorted(close, key=lambda record: record.metrics["drift_mean"]) + far


def is_as_good(record: TrialRecord, best: TrialRecord, min_gain: float) -> bool:
    """Whether a trial lies within one standard error and `min_gain` of the best, by blocks."""
    if record.number == best.number:
        return True
    mine, theirs = _blocks(record), _blocks(best)
    behind = np.array([theirs[block] - mine[block] for block in theirs if block in mine])
    if len(behind) < 2:
        return False
    return bool(behind.mean() <= min(behind.std(ddof=1) / math.sqrt(len(behind)), min_gain))


def _blocks(record: TrialRecord) -> dict[int, float]:
    blocks = record.outcome.blocks if record.outcome else {}
    return {int(block): value for block, value in blocks.items() if not math.isnan(value)}
