"""The baselines of a study, scored once and kept with it."""

from experiments.replay.baselines import Baseline, score_baselines
from experiments.replay.partitioned.baselines import score_in_partitions
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.study.records import BaselineRecord
from experiments.study.study import Study


def baselines_of(study: Study, replay: Replay | PartitionedReplay) -> dict[str, BaselineRecord]:
    """The baselines' figures by name: those kept with the study, else scored now and kept."""
    kept = study.baselines()
    if kept:
        return kept
    baselines = {
        name: BaselineRecord(name, dict(baseline.weights), dict(baseline.result.metrics))
        for name, baseline in _scored(replay, study.base).items()
    }
    study.keep_baselines(baselines)
    return baselines


def _scored(replay: Replay | PartitionedReplay, settings: Settings) -> dict[str, Baseline]:
    if isinstance(replay, Replay):
        return score_baselines(replay, settings)
    return score_in_partitions(replay, settings)
