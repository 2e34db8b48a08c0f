"""The published semantics over partitions: which of them are walked through, and in what order.

Where vectors are users', a pair part holds whole sessions, and needs to be told of the others how
many sessions share a call and a shape with each of its own. Where they are shared, a session needs
what all earlier ones have made of all that it shows: the shards are replayed one after the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from experiments.replay.exact_sums import ExactSums
from experiments.replay.partitioned.workbench import Drifts, WalkedDrifts, Workbench
from experiments.replay.published_sessions import Calls, count_together
from experiments.replay.schedule import Taken

Map = Callable[[Callable[[Workbench, int], Any], list[int]], Iterator[Any]]
"""What a step makes of each partition; see `Engine.map`."""

WalkPart = Callable[..., WalkedDrifts]
"""A step that walks through a pair part; see `Workbench.walk_part`."""


@dataclass(frozen=True)
class PartWalks:
    """Walks through pair parts that hold whole sessions.

    Args:
        bench: Where they lie.
        parts: The pair parts.
        most_parts: Shape ``(n_sessions,)``: parts of the longest object that each session shows.
        walk_part: Walks through one of them, and leaves what is wanted of it.
    """

    bench: Workbench
    parts: list[int]
    most_parts: NDArray[np.int64]
    walk_part: WalkPart

    def run(
        self, calls: Calls, taken: Taken, adjuster: AdjusterConfig, told: Map, untold: Map
    ) -> Drifts:
        """Replay all of them under a setting.

        How many share a call and a shape is known, but for sessions that the adjuster turns out to
        refuse, for copies that have left all bounds. Those are counted out, and the parts replayed
        anew, until no other ones are refused: each time at least one call more is as it must be.

        Args:
            calls: Of all sessions.
            taken: What becomes of them.
            adjuster: The setting.
            told: Runs a step on partitions, each of which is told once it is done.
            untold: Runs a step on partitions.
        """
        refused: list[int] = []
        found = self._walk(calls, taken, adjuster, refused, told)
        while (now := sorted(s for part in found for s in part.refused)) != refused:
            refused = now
            found = self._walk(calls, taken, adjuster, refused, untold)
        return _sum(found)

    def _walk(
        self, calls: Calls, taken: Taken, adjuster: AdjusterConfig, refused: list[int], run: Map
    ) -> list[WalkedDrifts]:
        step = calls.step.copy()
        step[refused] = -1
        log, query = self.bench.data.log, self.bench.worker.frame.query
        shapes = (taken.n_clicked, taken.n_shown, self.most_parts)
        n_together = count_together(log, step, query, *shapes).astype(np.int32)
        walk = partial(self.walk_part, calls=calls, n_together=n_together, adjuster=adjuster)
        return list(run(walk, self.parts))


def walk_shards(
    bench: Workbench, shards: list[int], calls: Calls, adjuster: AdjusterConfig, run: int, told: Map
) -> Drifts:
    """Replay shards one after the other under a setting.

    Args:
        bench: Where they lie.
        shards: The shards, from the first.
        calls: Of all sessions.
        adjuster: The setting.
        run: Number of this walk, larger than those before.
        told: Runs a step on partitions, each of which is told once it is done.
    """
    found: list[WalkedDrifts] = []
    for shard in shards:
        first, last = bench.data.manifest.shard_bounds[shard : shard + 2]
        walk = partial(
            Workbench.walk_shard,
            calls=calls.of_sessions(first, last),
            adjuster=adjuster,
            run=run,
            is_past_middle=any(walked.half_way is not None for walked in found),
        )
        found += told(walk, [shard])
    return _sum(found)


def _sum(found: list[WalkedDrifts]) -> Drifts:
    drift, early = ExactSums(), ExactSums()
    for walked in found:
        drift.merge(walked.drift)
        if walked.half_way is not None:
            early.merge(walked.half_way)
    return Drifts(drift, early)
