"""A trial, or all of a study, as its storage keeps it, read back as plain data."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from experiments.study.records import COMPLETE, FAILED, PRUNED, Outcome, TrialRecord

STATES = {
    COMPLETE: TrialState.COMPLETE,
    PRUNED: TrialState.PRUNED,
    FAILED: TrialState.FAIL,
}

EXCESSES = "constraints"
"""System attribute of a trial: how far each guardrail is exceeded, as a list.

It is the form in which optuna-dashboard tells what is feasible; Optuna itself reads both forms.
"""

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


def stored_state(outcome: Outcome) -> TrialState:
    """The state that a finished trial has in the storage.

    optuna-dashboard and `BaseStorage.get_best_trial` take the complete trial of the highest value
    for the best and ask no guardrail: one that breaks a guardrail is stored as pruned, with its
    value, so that the best is one that may be adopted.

    Example:
        >>> stored_state(Outcome(state="complete", value=0.5, constraints={"drift": 0.1})).name
        'PRUNED'
    """
    if any(excess > 0 for excess in outcome.constraints.values()):
        return TrialState.PRUNED
    return STATES[outcome.state]


def as_run(trial: FrozenTrial) -> FrozenTrial:
    """A trial of the storage in the state in which it ended: one that ran to its end is complete.

    Args:
        trial: It is not changed.
    """
    outcome = trial.user_attrs.get("outcome", {})
    if trial.state != TrialState.PRUNED or outcome.get("state") != COMPLETE:
        return trial
    complete = copy(trial)
    complete.state = TrialState.COMPLETE
    return complete


def read_attributes(storage: BaseStorage, name: str) -> dict[str, Any] | None:
    """What a study keeps beside its trials, by name; None if there is no such study."""
    try:
        study = storage.get_study_id_from_name(name)
    except KeyError:
        return None
    return storage.get_study_user_attrs(study)


def read_records(storage: BaseStorage, name: str) -> list[TrialRecord]:
    """Every trial of a study, without what other tools may have added to it."""
    trials = storage.get_all_trials(storage.get_study_id_from_name(name), deepcopy=False)
    return [read_record(as_run(trial)) for trial in trials if "ordinal" in trial.user_attrs]


def read_record(trial: FrozenTrial) -> TrialRecord:
    """A trial of the storage as plain data."""
    kept = trial.user_attrs
    outcome = _outcome(kept["outcome"]) if "outcome" in kept else None
    if outcome is not None and as_run(trial).state != STATES[outcome.state]:
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


def _outcome(kept: Mapping[str, Any]) -> Outcome:
    by_block = {name: {int(k): v for k, v in kept[name].items()} for name in ("blocks", "running")}
    return Outcome(**{**kept, **by_block})


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
