"""What tune can say of the best trial: its gain, corrected for having been chosen there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adjuster.metrics.interval import Interval
from experiments.judging.clustered_interval import Clustering, student_interval
from experiments.judging.comparison import Comparison
from experiments.judging.winner import winners_gain
from experiments.study.records import COMPLETE, PRUNED, TrialRecord, best_feasible


@dataclass(frozen=True)
class TuneGain:
    """The gain of the best trial over no adjustment, on the sessions that chose it.

    Args:
        trial: Number of the trial.
        n_trials: Trials that it was chosen from, pruned ones and those of earlier studies too.
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


def own_interval(record: TrialRecord, *, confidence: float = 0.95) -> Interval | None:
    """Student's interval of a trial's gain over no adjustment by itself, over groups of users.

    It knows nothing of the other trials, nor of what sessions share beside their user: it shows how
    far a trial may err, and decides nothing.

    Args:
        record: The trial.
        confidence: In (0, 1).

    Returns:
        None for a trial that keeps no gains of two groups.
    """
    gains = np.array(record.outcome.user_gains if record.outcome else [], np.float64)
    gains = gains[~np.isnan(gains)]
    if len(gains) < 2:
        return None
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return student_interval(float(gains.mean()), Clustering(error, len(gains)), confidence)


def tune_gain(
    records: Sequence[TrialRecord],
    *,
    seed: int,
    clustered: Comparison | None = None,
    n_before: int = 0,
) -> TuneGain | None:
    """The gain of a study's best trial on tune.

    A trial outside the guardrails counts among those that were tried, and lends its gain to none.

    Where users share vectors their sessions err together, which gains by groups of users do not
    show: the comparison of the best trial by itself does, and the wider of both wins.

    Args:
        records: Every trial.
        seed: Of the resampling.
        clustered: The best trial against no adjustment, clustered by all that sessions share;
            None where it was not compared.
        n_before: Trials of earlier studies that chose what this one started from, on the same
            sessions for all that is known.

    Returns:
        None without a feasible trial, or where trials keep no gains by user.
    """
    best = best_feasible(list(records))
    complete = [record for record in records if record.state == COMPLETE]
    gains = [record.outcome.user_gains for record in complete if record.outcome]
    if best is None or not gains or not gains[0]:
        return None
    n_tried = n_before + sum(record.state in (COMPLETE, PRUNED) for record in records)
    found = winners_gain(
        np.array(gains),
        seed=seed,
        trial=[record.number for record in complete].index(best.number),
        n_tried=n_tried,
        allowed=np.array([record.is_feasible for record in complete]),
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
