"""What a sweep replays: the whole log in memory, or its partitions, here or in other processes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from experiments.common.errors import InputError
from experiments.common.steps import step
from experiments.config.commands import SweepConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.open_dataset import folder_of, open_dataset
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.replay.layout import lay_out
from experiments.replay.objective import Objective
from experiments.replay.partitioned.engine import Engine, LocalEngine
from experiments.replay.partitioned.ray_engine import RayEngine
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.replay.results import ReplayResult, SessionScores, Traffic
from experiments.replay.settings import Settings

PARTITIONS = "partitions"
"""Folder of a study in which its data set lies in partitions."""


@dataclass(frozen=True)
class OpenLog:
    """A log ready to be replayed.

    Args:
        log: The click log; without what its sessions show where that lies in partitions.
        parts: The partitions, or None where all is in memory.
        engine: What runs the work on partitions.
    """

    log: ClickLog
    parts: PartitionedLog | None = None
    engine: Engine = field(default_factory=LocalEngine)


@contextmanager
def open_log(config: SweepConfig) -> Iterator[OpenLog]:
    """The log of a sweep, cut first where that is asked for, and the engine while it lasts.

    Raises:
        InputError: If it cannot be opened, or the engine cannot replay what is to be swept.
    """
    if config.engine.name != "memory":
        _check_semantics(config)
        _check_workers(config)
    if config.engine.name != "memory" and config.engine.parts is not None:
        source, target = folder_of(config.dataset), partitions_of(config)
        with step(f"Cutting {source} into {config.engine.parts} partitions", quiet=True):
            by = {"user_id": "user", None: None}.get(config.replay.personalize_by, "object")
            partition_log(source, target, config.engine.parts, by=by, overwrite=True)
    with reopen_log(config) as opened:
        yield opened


@contextmanager
def reopen_log(config: SweepConfig) -> Iterator[OpenLog]:
    """The log of a sweep that another process has opened before."""
    if config.engine.name == "memory":
        yield OpenLog(open_dataset(config.dataset))
        return
    cut = config.engine.parts is not None
    folder = partitions_of(config) if cut else Path(config.dataset.path or "")
    parts = PartitionedLog(folder, person=config.dataset.person)
    with _engine(config, parts) as engine:
        yield OpenLog(parts.log, parts, engine)


@contextmanager
def _engine(config: SweepConfig, parts: PartitionedLog) -> Iterator[Engine]:
    if config.engine.name != "ray":
        yield LocalEngine()
        return
    most = max(parts.manifest.n_parts, parts.manifest.n_shards)
    with step("Starting Ray", quiet=True):
        engine = RayEngine(
            config.engine.address,
            most=min(most, config.engine.actors or most),
            n_threads=config.replay.n_threads,
        )
    with closing(engine):
        yield engine


def _check_workers(config: SweepConfig) -> None:
    if config.engine.name == "ray" and config.study.workers > 1:
        raise InputError(
            f"study.workers must be 1 with engine=ray, got {config.study.workers}: the partitions "
            "of one trial fill the cores. To run trials side by side, start the same sweep more "
            "than once on one study.storage, each with its engine.actors."
        )


def partitions_of(config: SweepConfig) -> Path:
    """Where a sweep puts the partitions that it makes."""
    return Path(config.output_dir) / config.study.name / PARTITIONS


def _check_semantics(config: SweepConfig) -> None:
    searched = config.search_space.parameters.get("semantics")
    choices = [config.adjuster.semantics, *((searched.choices if searched else None) or [])]
    if "published" in choices:
        raise InputError(
            "adjuster.semantics and its choices in the search space must not be published with "
            f"engine={config.engine.name}: the published adjuster takes the mean over a batch, "
            "whoever owns it. Use documented, or engine=memory."
        )


def tune_replay(opened: OpenLog, config: SweepConfig) -> Replay | PartitionedReplay:
    """The replay that all trials of a sweep share.

    Args:
        opened: From `open_log`.
        config: The sweep's configuration.
    """
    if opened.parts is None:
        return Replay(lay_out(opened.log, config.replay, config.objective))
    return PartitionedReplay(opened.parts, config.replay, config.objective, engine=opened.engine)


class FinalistReplay:
    """A `Replayer` over partitions, of settings alone.

    Args:
        replay: Of tune.
        on_run: Told of each setting that was replayed.
    """

    def __init__(self, replay: PartitionedReplay, on_run: Callable[[], None]) -> None:
        self._replay, self._on_run = replay, on_run

    @property
    def objective(self) -> Objective:
        """The figure that all of its results are judged by."""
        return self._replay.objective

    def run(self, settings: Settings) -> ReplayResult:
        """Replay the log under these settings."""
        result = self._replay.run(settings)
        self._on_run()
        return result

    def bystanders(self, settings: Settings) -> SessionScores | None:
        """Rows of the withheld sessions under these settings."""
        return self.run(settings).bystanders

    def baselines(self, settings: Settings) -> Mapping[str, ReplayResult]:
        """Of the sealed test, which is opened on the whole log."""
        refuse_test()

    def traffic(self) -> Traffic:
        """Of the sealed test, which is opened on the whole log."""
        refuse_test()

    def silent_share(self) -> float:
        """Of the sealed test, which is opened on the whole log."""
        refuse_test()


def refuse_test() -> NoReturn:
    """Say that partitions do not do for the sealed test."""
    raise InputError(
        "The sealed test is opened on the whole log in memory, not on partitions. Name the data "
        "set's own folder with dataset.path=."
    )
