"""A trial as the study's storage keeps it, read back as plain data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from experiments.study.records import COMPLETE, FAILED, PRUNED, Outcome, TrialRecord

STATES = {
    COMPLETE: TrialState.COMPLETE,
    PRUNED: TrialState.PRUNED,
    FAILED: TrialState.FAIL,
}


SHOWN = {"drift": "drift_at_log_end", "harm": "harmed_share", "reach": "reach"}
"""Attribute of a trial → its metric: what other tools may sort and draw trials by."""


def shown_attributes(metrics: Mapping[str, float], objective: str) -> dict[str, float]:
    """The numbers of a trial that stand by themselves in its storage.

    Args:
        metrics: Metric → value; empty where the trial was not completed.
        objective: The metric that is maximized; its gain is one of them.

    Example:
        >>> shown_attributes({"delta_mrr": 0.1, "reach": 0.9, "map": 0.5}, "mrr")
        {'gain': 0.1, 'reach': 0.9}
    """
    names = {"gain": f"delta_{objective}", **SHOWN}
    return {shown: metrics[name] for shown, name in names.items() if name in metrics}


def read_record(trial: FrozenTrial) -> TrialRecord:
    """A trial of the storage as plain data."""
    kept = trial.user_attrs
    outcome = _outcome(kept["outcome"]) if "outcome" in kept else None
    if not trial.state.is_finished() or trial.state != STATES.get(_state(outcome)):
        outcome = None
    return TrialRecord(
        number=trial.number,
        ordinal=kept["ordinal"],
        origin=kept["origin"],
        values=kept["values"],
        settings=kept["settings"],
        outcome=outcome,
        lost=trial.state.is_finished() and outcome is None,
        started=_epoch(trial.datetime_start) or 0.0,
        finished=_epoch(trial.datetime_complete),
        process=kept["session"],
    )


def _state(outcome: Outcome | None) -> str:
    return outcome.state if outcome else ""


def _outcome(kept: Mapping[str, Any]) -> Outcome:
    by_block = {name: {int(k): v for k, v in kept[name].items()} for name in ("blocks", "running")}
    return Outcome(**{**kept, **by_block})


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
