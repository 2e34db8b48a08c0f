"""Which of the finalists is deployed, where the tune part cannot tell them apart."""

import math
from collections.abc import Sequence

import numpy as np

from experiments.study.records import TrialRecord


def prefer_least_drift(finalists: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Put the finalists that are as good as the best in order of their drift, least first.

    The best of many trials owes some of its lead to chance, and of two that chance cannot tell
    apart the one that moves vectors less is the safer. As good is within one standard error of
    the best, over the blocks in which both were scored (the one-standard-error rule of Breiman,
    Friedman, Olshen and Stone, *Classification and Regression Trees*, 1984, section 3.4.3, here
    on paired differences). Nothing but the tune part is looked at.

    Args:
        finalists: Complete trials, best first.

    Returns:
        The same trials: those as good as the best by drift, then the others as they stood.
    """
    if not finalists:
        return []
    best = finalists[0]
    close = [record for record in finalists if is_as_good(record, best)]
    far = [record for record in finalists if record not in close]
    return sorted(close, key=lambda record: record.metrics["drift_mean"]) + far


def is_as_good(record: TrialRecord, best: TrialRecord) -> bool:
    """Whether a trial lies within one standard error of the best, block by block."""
    if record.number == best.number:
        return True
    mine, theirs = _blocks(record), _blocks(best)
    behind = np.array([theirs[block] - mine[block] for block in theirs if block in mine])
    if len(behind) < 2:
        return False
    return bool(behind.mean() <= behind.std(ddof=1) / math.sqrt(len(behind)))


def _blocks(record: TrialRecord) -> dict[int, float]:
    blocks = record.outcome.blocks if record.outcome else {}
    return {int(block): value for block, value in blocks.items() if not math.isnan(value)}
