"""A trial by ``engine=ray`` beside one by ``engine=local``, on the same partitions."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.partitioned.ray_engine import RayEngine
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.settings import Settings

TRIALS = 3
ENOUGH_SECONDS = 60.0
"""No further trial is measured after so long: what disturbs one matters little in a long one."""


@dataclass(frozen=True)
class RayCost:
    """What actors cost, and what they save.

    Args:
        n_actors: How many there are, a core each.
        start: Seconds until they are ready.
        local: Seconds of a further trial, one partition after the other on all cores: the median.
        ray: The same side by side in the actors.
    """

    n_actors: int
    start: float
    local: float
    ray: float

    @property
    def ratio(self) -> float:
        """Ray's seconds to local ones, start-up apart."""
        return self.ray / self.local


def ray_cost(
    folder: Path, config: ReplayConfig, objective: ObjectiveConfig, settings: Settings
) -> RayCost:
    """Measure both engines on a log in partitions, the kernel compiled before.

    Args:
        folder: The log in partitions.
        config: How it is replayed.
        objective: What is scored.
        settings: What every trial replays.

    Raises:
        InputError: If Ray is not installed, or no core is free.
    """
    data = PartitionedLog(folder, names=False)
    local, value = _further_trial(PartitionedReplay(data, config, objective), settings)
    started = perf_counter()
    with closing(RayEngine("local", most=data.manifest.n_parts)) as engine:
        start = perf_counter() - started
        replay = PartitionedReplay(data, config, objective, engine=engine)
        ray, other = _further_trial(replay, settings)
        assert value == other, f"{value} by engine=local, {other} by engine=ray"
        return RayCost(engine.n_actors, start, local, ray)


def _further_trial(replay: PartitionedReplay, settings: Settings) -> tuple[float, float]:
    """Seconds of a trial after the first, the median, and its value."""
    seconds: list[float] = []
    with closing(replay):
        value = replay.run(settings).metrics[replay.objective_key]
        while len(seconds) < TRIALS and sum(seconds) < ENOUGH_SECONDS:
            started = perf_counter()
            replay.run(settings)
            seconds.append(perf_counter() - started)
    return median(seconds), value
