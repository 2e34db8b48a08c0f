"""The baselines of a study, scored once and kept with it."""

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
        name: BaselineRecord(name, dict(baseline.weights), dict(baseline.result.metrics))
        for name, baseline in score_baselines(replay, study.base).items()
    }
    study.keep_baselines(baselines)
    return baselines
