"""A replay that costs nothing: its figures are a plain function of the settings."""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.config.commands import SweepConfig
from experiments.config.data import DatasetConfig
from experiments.config.study import ParameterConfig, SearchSpaceConfig, StudyConfig
from experiments.replay.results import (
    Checkpoint,
    CurvePoint,
    ReplayResult,
    SessionCounts,
    SessionScores,
)
from experiments.replay.settings import Settings
from experiments.study.records import TrialRecord
from experiments.study.search_space import SearchSpace
from experiments.study.study import Study
from experiments.workflow.studies import base_settings, make_study
from experiments.workflow.trials import run_trials

N_BLOCKS = 8


class Killed(BaseException):
    """Stands for a kill: nothing below the process handles it."""


class FakeReplay:
    """Best at rate 0.01; drift grows with the rate.

    Args:
        on_run: Called with the number of the run, from 0, and its settings before it starts; may
            raise.
    """

    def __init__(self, on_run: Callable[[int, Settings], None] | None = None) -> None:
        self.on_run = on_run
        self.tried: list[Settings] = []

    def iter_blocks(self, settings: Settings) -> Generator[Checkpoint, None, ReplayResult]:
        """Pause after each block."""
        if self.on_run is not None:
            self.on_run(len(self.tried), settings)
        self.tried.append(settings)
        blocks = [score(settings) + 0.01 * math.cos(3 * block) for block in range(N_BLOCKS)]
        for block, value in enumerate(blocks):
            yield Checkpoint(block, N_BLOCKS, value, float(np.mean(blocks[: block + 1])), block + 1)
        return result(settings, float(np.mean(blocks)))


def score(settings: Settings) -> float:
    """The figure of a configuration."""
    adjuster = settings.adjuster
    distance = math.log10(adjuster.adjustment_rate) + 2
    return 0.8 - 0.05 * distance**2 - 0.001 * adjuster.num_iterations


def result(settings: Settings, value: float) -> ReplayResult:
    """A whole result around one figure."""
    none = np.zeros(0, np.int64)
    metrics = {"ndcg_at_10": value, "before_ndcg_at_10": 0.7, "delta_ndcg_at_10": value - 0.7}
    metrics |= {"mrr": value / 2, "map": value / 3, "recall_at_10": value / 4}
    drift = 2 * settings.adjuster.adjustment_rate
    metrics |= {"drift_mean": drift, "drift_at_log_end": drift, "harmed_share": 0.1}
    metrics["reach"] = 1.0
    return ReplayResult(
        metrics=metrics,
        sessions=SessionScores(
            session=none,
            owner=none,
            user=none,
            query=none,
            created_at=none,
            reached=none.astype(bool),
            before={"ndcg_at_10": none.astype(float)},
            after={"ndcg_at_10": none.astype(float)},
            refound=none.astype(float),
            lasting=none.astype(float),
        ),
        bystanders=None,
        curve=[CurvePoint(1000 + step, 5, 0.7, value) for step in range(3)],
        counts=SessionCounts(3, {"selected": 10, "too_short": 2}),
        blocks=[value] * N_BLOCKS,
        seconds={"adjust": 0.001},
    )


def make_config(output_dir: Path, **study: object) -> SweepConfig:
    """A small sweep of two parameters without pruning and tracking."""
    config = SweepConfig(
        dataset=DatasetConfig(name="movielens"),
        study=StudyConfig(**{"name": "tiny", "n_trials": 8, "seed": 3, **study}),
        search_space=SearchSpaceConfig(
            {
                "adjustment_rate": ParameterConfig("float", low=1e-4, high=0.5, log=True),
                "num_iterations": ParameterConfig("int", low=1, high=30),
            }
        ),
        output_dir=str(output_dir),
    )
    config.sampler.n_startup_trials = 4
    config.pruner.name = "none"
    config.tracking.name = "none"
    config.replay.n_blocks = N_BLOCKS
    return config


def open_study(
    config: SweepConfig,
    definition: dict[str, object] | None = None,
    fixed: Callable[[], Mapping[str, object]] = dict,
) -> Study:
    """The study of a configuration, opened."""
    space = SearchSpace.from_config(config.search_space, base_settings(config))
    study = make_study(config, space)
    study.open({"what": "tests"} if definition is None else definition, "uid", fixed)
    return study


def run_study(
    config: SweepConfig,
    replay: FakeReplay | None = None,
    fixed: Callable[[], Mapping[str, object]] = dict,
) -> list[TrialRecord]:
    """Run a study to its length, or until the replay is killed; its records."""
    study = open_study(config, fixed=fixed)
    try:
        run_trials(study, replay or FakeReplay(), config.objective.metric, lambda record: None)
        return study.records()
    except Killed:
        return study.records()
    finally:
        study.close()


def told(record: TrialRecord) -> tuple[object, ...]:
    """What must be the same of a trial, whenever it was run."""
    outcome = record.outcome
    assert outcome is not None
    kept = replace(outcome, seconds={})
    return record.ordinal, record.origin, tuple(record.settings["adjuster"].items()), str(kept)
