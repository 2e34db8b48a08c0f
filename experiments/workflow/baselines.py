"""The baselines of a study, scored once and kept with it."""

from collections.abc import Mapping
from typing import Any

from experiments.replay.baselines import score_baselines
from experiments.replay.replay import Replay
from experiments.study.records import BaselineRecord
from experiments.study.study import Study


def baselines_of(study: Study, replay: Replay) -> dict[str, BaselineRecord]:
    """The baselines' figures by name: those kept with the study, else scored now and kept."""
    kept = study.baselines()
    if kept:
        return kept
    baselines = {
        name: BaselineRecord(name, _scalars(result.extra), dict(result.metrics))
        for name, result in score_baselines(replay, study.base).items()
    }
    study.keep_baselines(baselines)
    return baselines


def _scalars(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if isinstance(value, int | float | str)}
