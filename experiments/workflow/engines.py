"""What a sweep replays: the whole log in memory, or one partition after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.replay.results import ReplayResult, Traffic
from experiments.replay.settings import Settings

PARTITIONS = "partitions"
"""Folder of a study in which its data set lies in partitions."""


@dataclass(frozen=True)
class OpenLog:
    """A log ready to be replayed.

    Args:
        log: The click log; without what its sessions show where that lies in partitions.
        parts: The partitions, or None where all is in memory.
    """

    log: ClickLog
    parts: PartitionedLog | None = None


def open_log(config: SweepConfig) -> OpenLog:
    """Open the log of a sweep, and cut it first where that is asked for.

    Raises:
        InputError: If it cannot be opened, or the engine cannot replay what is to be swept.
    """
    if config.engine.name == "memory":
        return OpenLog(open_dataset(config.dataset))
    _check_semantics(config)
    if config.engine.parts is not None:
        source, target = folder_of(config.dataset), partitions_of(config)
        with step(f"Cutting {source} into {config.engine.parts} partitions", quiet=True):
            by = {"user_id": "user", None: None}.get(config.replay.personalize_by, "object")
            partition_log(source, target, config.engine.parts, by=by, overwrite=True)
    return reopen_log(config)


def reopen_log(config: SweepConfig) -> OpenLog:
    """Open the log of a sweep that another process has opened before."""
    if config.engine.name == "memory":
        return OpenLog(open_dataset(config.dataset))
    cut = config.engine.parts is not None
    folder = partitions_of(config) if cut else Path(config.dataset.path or "")
    parts = PartitionedLog(folder, person=config.dataset.person)
    return OpenLog(parts.log, parts)


def partitions_of(config: SweepConfig) -> Path:
    """Where a sweep puts the partitions that it makes."""
    return Path(config.output_dir) / config.study.name / PARTITIONS


def _check_semantics(config: SweepConfig) -> None:
    searched = config.search_space.parameters.get("semantics")
    choices = [config.adjuster.semantics, *((searched.choices if searched else None) or [])]
    if "published" in choices:
        raise InputError(
            "adjuster.semantics and its choices in the search space must not be published with "
            "engine=local: the published adjuster takes the mean over a batch, whoever owns it. "
            "Use documented, or engine=memory."
        )


def tune_replay(opened: OpenLog, config: SweepConfig) -> Replay | PartitionedReplay:
    """The replay that all trials of a sweep share.

    Args:
        opened: From `open_log`.
        config: The sweep's configuration.
    """
    if opened.parts is None:
        return Replay(lay_out(opened.log, config.replay, config.objective))
    return PartitionedReplay(opened.parts, config.replay, config.objective)


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
