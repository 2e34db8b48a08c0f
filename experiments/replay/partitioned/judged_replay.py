"""A replay in partitions with all that a judgement asks of it beside the results of settings."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from experiments.replay.objective import Objective
from experiments.replay.partitioned.baselines import score_in_partitions
from experiments.replay.partitioned.clicks import read_clicks
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.results import ReplayResult, SessionScores, Traffic
from experiments.replay.settings import Settings
from experiments.replay.traffic import SessionClicks, session_clicks, silent_share, traffic_of


class JudgedPartitions:
    """A `Replayer` over partitions; see `JudgedReplay`, whose answers these equal.

    Args:
        replay: Of any window.
        on_run: Told of each setting that was replayed.
    """

    def __init__(
        self, replay: PartitionedReplay, on_run: Callable[[], None] = lambda: None
    ) -> None:
        self._replay, self._on_run = replay, on_run

    @cached_property
    def objective(self) -> Objective:
        """The figure that all of its results are judged by.

        Only the verdict on the test asks what clicks say of positions: they are read for it alone.
        """
        plain = self._replay.objective
        if plain.estimator != "naive" or self._replay.window != "test":
            return plain
        return replace(plain, clicks=read_clicks(self._replay))

    def run(self, settings: Settings) -> ReplayResult:
        """Replay the log under these settings."""
        result = self._replay.run(settings)
        self._on_run()
        return result

    def bystanders(self, settings: Settings) -> SessionScores | None:
        """Rows of the withheld sessions under these settings, as `run` has them."""
        return self.run(settings).bystanders

    def baselines(self, settings: Settings) -> Mapping[str, ReplayResult]:
        """Replay what any configuration has to beat, by name; headroom is left out."""
        found = score_in_partitions(self._replay, settings)
        return {name: baseline.result for name, baseline in found.items()}

    def traffic(self) -> Traffic:
        """Whose clicks all replayed sessions are, warmup's too."""
        return traffic_of(self._replay.frame, self._clicks)

    def silent_share(self) -> float:
        """Share of the scored sessions whose query had no feedback before."""
        ranked = self._replay.score_fixed(Workbench.originals)
        withheld = [] if ranked.bystanders is None else [ranked.bystanders.session]
        scored = np.concatenate([ranked.sessions.session, *withheld])
        return silent_share(self._replay.frame, self._clicks.first_at, scored)

    @cached_property
    def _clicks(self) -> SessionClicks:
        found = list(self._replay.over_shards(_session_clicks))
        return SessionClicks(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def _session_clicks(bench: Workbench, shard: int) -> SessionClicks:
    return session_clicks(bench.worker.timeline(shard))
