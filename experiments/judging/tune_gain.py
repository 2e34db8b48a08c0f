"""What tune can say of the best trial: its gain, corrected for having been chosen there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.judging.comparison import Comparison
from experiments.judging.winner import winners_gain
from experiments.study.records import COMPLETE, PRUNED, TrialRecord, best_feasible


@dataclass(frozen=True)
class TuneGain:
    """The gain of the best trial over no adjustment, on the sessions that chose it.

    Args:
        trial: Number of the trial.
        n_trials: Trials that it was chosen from, pruned ones too.
        naive_gain: As it looks, with the luck of having been chosen.
        gain: Without that luck.
        low: Lower end of its interval, valid for a trial chosen on the same sessions; NaN where
            the data leave it undetermined.
        high: Upper end; NaN likewise.
        confidence: Of the interval, both ends together.
    """

    trial: int
    n_trials: int
    naive_gain: float
    gain: float
    low: float
    high: float
    confidence: float


def tune_gain(
    records: Sequence[TrialRecord], *, seed: int, clustered: Comparison | None = None
) -> TuneGain | None:
    """The gain of a study's best trial on tune.

    Where users share vectors their sessions err together, which gains by groups of users do not
    show: the comparison of the best trial by itself does, and the wider of both wins.

    Args:
        records: Every trial.
        seed: Of the resampling.
        clustered: The best trial against no adjustment, clustered by all that sessions share;
            None where it was not compared.

    Returns:
        None without a feasible trial, or where trials keep no gains by user.
    """
    best = best_feasible(list(records))
    complete = [record for record in records if record.state == COMPLETE]
    gains = [record.outcome.user_gains for record in complete if record.outcome]
    if best is None or not gains or not gains[0]:
        return None
    n_tried = len(complete) + sum(record.state == PRUNED for record in records)
    found = winners_gain(
        np.array(gains),
        seed=seed,
        trial=[record.number for record in complete].index(best.number),
        n_tried=n_tried,
    )
    low, high = found.interval.low, found.interval.high
    if clustered is not None:
        low = float(np.minimum(low, clustered.low))
        high = float(np.maximum(high, clustered.high))
    return TuneGain(
        trial=best.number,
        n_trials=n_tried,
        naive_gain=found.naive_gain,
        gain=found.gain,
        low=low,
        high=high,
        confidence=found.interval.confidence,
    )
