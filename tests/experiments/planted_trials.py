"""Trials and baselines with planted numbers, and the summary of a study that had them."""

from experiments.judging.tune_gain import TuneGain
from experiments.study.records import BaselineRecord, Outcome, TrialRecord
from experiments.study_folder.summary import Summary, summarize
from tests.experiments.finished_folder import make_log

GAIN = TuneGain(0, 12, 0.05, 0.04, 0.01, 0.07, 0.95)
METRICS = {"mrr": 0.5, "map": 0.5, "recall_at_10": 0.5, "harmed_share": 0.1, "reach": 0.9}


def record(number, value, drift=0.05, *, state="complete", origin="sampler", reason=""):
    drifts = {"drift_mean": drift, "drift_at_log_end": drift}
    metrics = {**METRICS, "ndcg_at_10": value, **drifts} if state == "complete" else {}
    outcome = Outcome(
        state,
        reason=reason,
        value=value,
        metrics=metrics,
        constraints={"max_mean_drift": drift - 0.2} if metrics else {},
        seconds={"total": 2.0},
    )
    return TrialRecord(
        number=number,
        ordinal=number,
        origin=origin,
        values={"adjustment_rate": 0.01, "max_drift": None},
        settings={},
        outcome=outcome,
        lost=False,
        started=10.0 * number,
        finished=10.0 * number + 3,
        process="one",
    )


def baseline(name, value):
    metrics = {**METRICS, "ndcg_at_10": value, "drift_mean": 0.0, "reach": 0.0}
    return BaselineRecord(name, {}, metrics)


def summary(records, popularity=0.5, gain=GAIN) -> Summary:
    values = {"no_adjustment": 0.7, "logged_order": 0.9, "popularity": popularity}
    return summarize(
        study="tiny",
        log=make_log(40),
        objective="ndcg_at_10",
        records=records,
        baselines={name: baseline(name, value) for name, value in values.items()},
        tune_gain=gain,
        total_seconds=5.0,
    )
