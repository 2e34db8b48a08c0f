"""A worker beside the files of its partitions: reads one, leaves what has a row a showing.

What it hands back has a row a session, or is a sum. So an engine that works in other processes
moves session columns and nothing larger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import Knobs
from adjuster.fused_engine.streams import Lessons, Showings
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.baselines import order_shown
from experiments.replay.click_history import ClickHistory
from experiments.replay.exact_sums import ExactSums
from experiments.replay.labels import Labels
from experiments.replay.partitioned.board import ShardBoard
from experiments.replay.partitioned.shelf import Shelf
from experiments.replay.partitioned.shuffle import Shuffle
from experiments.replay.partitioned.walk_files import WalkFiles
from experiments.replay.partitioned.worker import Known, Worker
from experiments.replay.published_sessions import Calls
from experiments.replay.results import SessionColumns
from experiments.replay.schedule import Schedule, Taken
from experiments.replay.timeline import Timeline

PLANS_KEPT = 2
"""Of each pair part, on disk: some 10 bytes an impression each."""


@dataclass(frozen=True)
class Place:
    """All that a workbench is made of; small enough to be sent.

    Args:
        folder: The log in partitions.
        person: Who counts as a person; see `ClickLog`.
        scratch: The folder in which pair parts and shards leave what others read.
        config: How the log is replayed.
        objective: What is scored.
        window: Which part of the log is scored.
    """

    folder: Path
    person: str
    scratch: Path
    config: ReplayConfig
    objective: ObjectiveConfig
    window: str


class FirstLook(NamedTuple):
    """What a shard hands back before any setting is tried; see `ShardFacts`."""

    marked_at: NDArray[np.int64]
    has_positive: bool
    never: ExactSums


class Drifts(NamedTuple):
    """What a pair part hands back under a setting; see `PairScores`."""

    drift: ExactSums
    early_drift: ExactSums


class WalkedDrifts(NamedTuple):
    """What a pair part or a shard hands back under the published semantics.

    Args:
        drift: See `PairScores`; of shards the last one's alone.
        half_way: Drift half-way through the scored sessions; None of a shard in which that is not.
        refused: Sessions that the adjuster did not take, of a pair part.
    """

    drift: ExactSums
    half_way: ExactSums | None
    refused: list[int]


@dataclass(frozen=True)
class Workbench:
    """Works on one partition at a time, from disk to disk.

    Args:
        place: What it is made of.
        data: The log that lies in ``place.folder``.
    """

    place: Place
    data: PartitionedLog

    @cached_property
    def worker(self) -> Worker:
        """What knows how a partition is worked on."""
        return Worker(self.data, self.place.config, self.place.objective, self.place.window)

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self.place.scratch)

    @cached_property
    def _shuffle(self) -> Shuffle:
        return Shuffle(self.place.scratch, self.data)

    def look_at_pairs(self, part: int) -> None:
        """Leave where a pair part's showings stand and what had been clicked before."""
        impression, history = self.worker.history(part)
        self._shuffle.put_positions(part, impression)
        for name, flags in history._asdict().items():
            self._shuffle.put(name, part, flags)

    def look_at_shard(self, shard: int) -> FirstLook:
        """Leave a shard's scores with the originals; to be called once pairs were looked at."""
        facts = self.worker.facts(shard, self._history(shard))
        self._shuffle.put("originals", shard, facts.before)
        return FirstLook(facts.marked_at, facts.has_positive, facts.never)

    def take(self, shard: int, rule: SelectionConfig, interval_seconds: int) -> Taken:
        """What the live worker would do with a shard's sessions."""
        return self.worker.take(shard, rule, interval_seconds)

    def stream(
        self, part: int, plan: str, schedule: Schedule, knobs: Knobs, term_weight: str
    ) -> Drifts:
        """Run a part's pairs under a setting, and leave their scores.

        Args:
            part: Its number.
            plan: Names the schedule and the weight of terms.
            schedule: The worker's ticks, of all sessions.
            knobs: The setting.
            term_weight: ``session`` or ``impression``.
        """
        showings = self._shelf.get(f"showings-{part}", Showings, lambda: self.worker.showings(part))
        lessons = self._shelf.get(
            f"lessons-{part}-{plan}",
            Lessons,
            lambda: self.worker.lessons(part, showings, schedule, term_weight),
        )
        self._shelf.keep_newest(f"lessons-{part}-*", PLANS_KEPT)
        n_rows = len(self._shuffle.read("position", part))
        found = self.worker.stream(showings, lessons, knobs, n_rows)
        self._shuffle.put("scores", part, found.scores)
        self._shuffle.put("adjusted", part, found.adjusted)
        return Drifts(found.drift, found.early_drift)

    def most_parts(self, shard: int) -> NDArray[np.int64]:
        """Parts of the longest object that each of a shard's sessions shows."""
        return self.worker.most_parts(shard)

    def walk_part(
        self, part: int, calls: Calls, n_together: NDArray[np.integer], adjuster: AdjusterConfig
    ) -> WalkedDrifts:
        """Replay a part's owners under the published semantics, and leave their scores.

        Args:
            part: Its number.
            calls: Of all sessions.
            n_together: Shape ``(n_sessions,)``: how many sessions each one's loss is a mean over.
            adjuster: The setting.
        """
        found, refused, _ = self.worker.walk_part(part, calls, n_together, adjuster)
        self._shuffle.put("scores", part, found.scores)
        self._shuffle.put("adjusted", part, found.adjusted)
        return WalkedDrifts(found.drift, found.early_drift, refused)

    def walk_shard(
        self, shard: int, calls: Calls, adjuster: AdjusterConfig, run: int, is_past_middle: bool
    ) -> WalkedDrifts:
        """Replay a shard under the published semantics, and leave its scores and where it ends.

        Args:
            shard: Its number; those before it have been replayed.
            calls: Of its sessions.
            adjuster: The setting.
            run: Tells one replay of all shards from another; larger than those before.
            is_past_middle: Whether drift has been measured half-way.
        """
        files = WalkFiles(self.place.scratch, run)
        state = files.read(shard - 1, self.data.log.index.dimensions) if shard else None
        found = self.worker.walk_shard(shard, calls, adjuster, state, is_past_middle=is_past_middle)
        self._shuffle.put("shard_scores", shard, found.scores)
        self._shuffle.put("shard_adjusted", shard, found.adjusted)
        files.write(shard, found.state)
        return WalkedDrifts(found.drift, found.half_way, [])

    def score(self, shard: int, never: ExactSums, by_shard: bool = False) -> SessionColumns:
        """Score a shard's sessions by what the pair parts have left.

        Args:
            shard: Its number.
            never: Of all shards.
            by_shard: By what the shard itself has left instead.
        """
        board = self._shelf.get(
            f"board-{shard}",
            ShardBoard,
            lambda: self.worker.board(shard, self._known(shard, never)),
        )
        if by_shard:
            names = ("shard_scores", "shard_adjusted")
            scores, adjusted = (np.array(self._shuffle.read(name, shard)) for name in names)
        else:
            names = ("scores", "adjusted")
            n = self.n_shown(shard)
            scores, adjusted = (self._shuffle.gather(name, shard, n) for name in names)
        return board.columns(self.worker.objective, scores, adjusted)

    def score_fixed(
        self,
        shard: int,
        never: ExactSums,
        ranking: Callable[["Workbench", int], NDArray[np.floating]],
    ) -> SessionColumns:
        """Score a ranking that moves no vector.

        Args:
            shard: Its number.
            never: Of all shards.
            ranking: What makes the scores that a shard's impressions are ranked by.
        """
        return self.worker.score_fixed(shard, self._known(shard, never), ranking(self, shard))

    def originals(self, shard: int) -> NDArray[np.floating]:
        """A shard's scores with the originals, on disk. Shape ``(n_impressions,)``."""
        return self._shuffle.read("originals", shard)

    def logged_order(self, shard: int) -> NDArray[np.float64]:
        """Scores that rank a shard as the log shows it. Shape ``(n_impressions,)``."""
        return order_shown(self.worker.timeline(shard))

    def labels(self, shard: int, timeline: Timeline) -> Labels:
        """What a shard's sessions are scored by; see `Worker.timeline`."""
        before = np.array(self.originals(shard))
        return self.worker.labels(shard, timeline, before, self._history(shard))

    def leave(self, name: str, number: int, values: NDArray[Any]) -> None:
        """Leave an array of a partition for `left`."""
        self._shuffle.put(name, number, values)

    def left(self, name: str, number: int) -> NDArray[Any]:
        """What was left of a partition under a name, on disk."""
        return self._shuffle.read(name, number)

    def clear(self, name: str, number: int) -> None:
        """Remove what was left, once it is done with."""
        self._shuffle.remove(name, number)

    def n_shown(self, shard: int) -> int:
        """How many impressions of a shard are replayed."""
        first, last = self.data.manifest.shard_bounds[shard : shard + 2]
        offsets = self.data.log.impression_offsets
        return int(offsets[min(last, self.worker.frame.n_sessions)] - offsets[first])

    def _known(self, shard: int, never: ExactSums) -> Known:
        before = np.array(self.originals(shard))
        return Known(before, self._history(shard), never)

    def _history(self, shard: int) -> ClickHistory:
        n = self.n_shown(shard)
        return ClickHistory(
            *(self._shuffle.gather(name, shard, n) for name in ClickHistory._fields)
        )
