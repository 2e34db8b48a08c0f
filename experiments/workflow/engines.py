"""What is replayed: the whole log in memory, or its partitions, here or in other processes."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from weakref import WeakSet

from experiments.common.errors import InputError
from experiments.common.steps import step
from experiments.config.commands import SweepConfig
from experiments.config.partitions import EngineConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.config.saved import anchored, with_dataset_path
from experiments.data.format.click_log import ClickLog
from experiments.data.open_dataset import folder_of, is_partitioned, open_dataset
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.replay.copies import Copies, learn_copies
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.copies import copies_in_partitions
from experiments.replay.partitioned.engine import Engine, LocalEngine
from experiments.replay.partitioned.ray_engine import RayEngine
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
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
    _made: WeakSet[PartitionedReplay] = field(default_factory=WeakSet, init=False)

    def replay_parts(
        self, config: ReplayConfig, objective: ObjectiveConfig, window: str
    ) -> PartitionedReplay:
        """A replay of the partitions; what it keeps on disk goes with it, at the latest with this.

        Args:
            config: How they are replayed.
            objective: What is scored.
            window: Which part is scored: ``tune``, ``test`` or ``all``.
        """
        assert self.parts is not None, "the log is in partitions"
        made = PartitionedReplay(self.parts, config, objective, window, engine=self.engine)
        self._made.add(made)
        return made

    def close(self) -> None:
        """Remove what replays of its partitions still keep on disk."""
        for made in self._made:
            made.close()


@contextmanager
def open_log(config: SweepConfig) -> Iterator[OpenLog]:
    """The log of a sweep, cut first where that is asked for, and the engine while it lasts.

    Raises:
        InputError: If it cannot be opened, or the engine cannot replay what is to be swept.
    """
    if config.engine.name != "memory":
        _check_workers(config)
    _cut(config)
    with reopen_log(config) as opened:
        yield opened


def _cut(config: SweepConfig) -> None:
    """Cut a sweep's data set where that is asked for."""
    if config.engine.name == "memory" or config.engine.parts is None:
        return
    source, target = folder_of(config.dataset), partitions_of(config)
    with step(f"Cutting {source} into {config.engine.parts} partitions", quiet=True):
        by = {"user_id": "user", None: None}.get(config.replay.personalize_by, "object")
        partition_log(source, target, config.engine.parts, by=by, overwrite=True)


@contextmanager
def reopen_log(config: SweepConfig) -> Iterator[OpenLog]:
    """The log of a sweep that another process has opened before."""
    if config.engine.name == "memory":
        yield OpenLog(open_dataset(config.dataset))
        return
    cut = config.engine.parts is not None
    folder = partitions_of(config) if cut else Path(config.dataset.path or "")
    parts = PartitionedLog(folder, person=config.dataset.person)
    with _engine(config, parts) as engine, closing(OpenLog(parts.log, parts, engine)) as opened:
        yield opened


@contextmanager
def open_swept(config: SweepConfig, path: str | None) -> Iterator[OpenLog]:
    """The log of a finished sweep, opened as the sweep had it: as a whole, or in its partitions.

    Args:
        config: The sweep's configuration, as it was saved.
        path: Where the data set lies now, whole or in partitions, which decides then; null is
            where it lay.

    Raises:
        InputError: If it cannot be opened.
    """
    found = anchored(with_dataset_path(config, path))
    if path is None and config.engine.name != "memory" and config.engine.parts is not None:
        if not is_partitioned(partitions_of(found)):
            _cut(found)
    else:
        found = replace(found, engine=_engine_for(found))
    with reopen_log(found) as opened:
        yield opened


def _engine_for(config: SweepConfig) -> EngineConfig:
    """The sweep's engine, as far as it goes with the folder where the data set lies."""
    if not config.dataset.path or not is_partitioned(Path(config.dataset.path)):
        return replace(config.engine, name="memory", parts=None)
    name = "local" if config.engine.name == "memory" else config.engine.name
    return replace(config.engine, name=name, parts=None)


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


def _may_be_published(config: SweepConfig) -> bool:
    searched = config.search_space.parameters.get("semantics")
    choices = [config.adjuster.semantics, *((searched.choices if searched else None) or [])]
    return "published" in choices


def replay_over(
    opened: OpenLog, config: SweepConfig, window: str = "tune"
) -> Replay | PartitionedReplay:
    """The replay that all trials of a sweep share, or another of the same log.

    Args:
        opened: The log.
        config: The sweep's configuration.
        window: Which part is scored: ``tune``, ``test`` or ``all``.
    """
    if opened.parts is None:
        return Replay(lay_out(opened.log, config.replay, config.objective, window))
    made = opened.replay_parts(config.replay, config.objective, window)
    if _may_be_published(config):
        made.check_published()
    return made


def resolved(opened: OpenLog, config: SweepConfig, settings: Settings) -> Settings:
    """Settings with ``logit_bias: auto`` replaced by the number it stands for in this log."""
    if settings.adjuster.loss != "logistic" or settings.adjuster.logit_bias != "auto":
        return settings
    return replay_over(opened, config).resolve(settings)


def copies_at_log_end(
    opened: OpenLog, config: ReplayConfig, settings: Settings
) -> Iterator[Copies]:
    """Replay the whole log for the owners' vectors after its last tick, some at a time.

    The feedback of all queries is used, those withheld in a study too.

    Args:
        opened: The log.
        config: How it is replayed.
        settings: The configuration.
    """
    everything, clicks = replace(config, bystander_share=0.0), ObjectiveConfig(estimator="naive")
    if opened.parts is None:
        yield learn_copies(lay_out(opened.log, everything, clicks, "all"), settings)
        return
    yield from copies_in_partitions(opened.replay_parts(everything, clicks, "all"), settings)
