"""The replay of a log in partitions: equal to the whole replay to the last bit, in any cut.

All sums over sessions are taken once, over the columns of all sessions in their order; sums over
pairs are exact, whatever their order. In memory are the session columns and one partition.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import fields, replace
from functools import cached_property, partial
from hashlib import blake2b
from time import perf_counter
from typing import TypeVar
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.blocks import assign_owners, sessions_of_blocks
from experiments.replay.drift_growth import growth_of
from experiments.replay.exact_sums import ExactSums
from experiments.replay.labels import nothing_to_score
from experiments.replay.objective import Objective
from experiments.replay.partitioned.engine import Engine, LocalEngine
from experiments.replay.partitioned.published import PartWalks, WalkPart, walk_shards
from experiments.replay.partitioned.scratch import Scratch
from experiments.replay.partitioned.walk_files import WalkFiles
from experiments.replay.partitioned.workbench import Drifts, Place, Workbench
from experiments.replay.people import users_shares
from experiments.replay.plan import median_of, with_bias
from experiments.replay.published_sessions import calls_of
from experiments.replay.replay import drain
from experiments.replay.results import Checkpoint, ReplayResult, SessionColumns
from experiments.replay.schedule import Schedule, Taken, make_schedule
from experiments.replay.scoreboard import RunningValue, Scene, conclude, counts_of
from experiments.replay.settings import Settings
from experiments.replay.timeline import Timeline

Found = TypeVar("Found")


class PartitionedReplay:
    """Runs settings over a log in partitions; an engine says where.

    Args:
        data: The log in partitions.
        config: How it is replayed.
        objective: What is scored: by judgements or plain clicks.
        window: Which part is scored: ``tune``, ``test`` or ``all``.
        on_partition: Told of each partition that is done.
        engine: What runs the work on partitions; by default one after the other, here.

    Raises:
        InputError: If the log cannot be replayed or scored like this.
    """

    def __init__(
        self,
        data: PartitionedLog,
        config: ReplayConfig,
        objective: ObjectiveConfig,
        window: str = "tune",
        *,
        on_partition: Callable[[], None] = lambda: None,
        engine: Engine | None = None,
    ) -> None:
        if config.exploration_ratio > 0:
            raise InputError(
                "replay.exploration_ratio must be 0 where a log in partitions is replayed, got "
                f"{config.exploration_ratio}."
            )
        self._data, self._config, self._engine = data, config, engine or LocalEngine()
        self.on_partition = on_partition
        scratch = Scratch(data.folder)
        self._forget = finalize(self, scratch.remove)
        place = Place(data.folder, data.log.person, scratch.folder, config, objective, window)
        self._bench = Workbench(place, data)
        self._worker = self._bench.worker
        try:
            self.objective: Objective = self._worker.objective
            self._check_cut()
            self._planned: tuple[str, Schedule] | None = None
            self._n_walks, self._by_shard = 0, False
            self._lay_out()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove what was kept on disk."""
        self._forget()

    @property
    def n_steps(self) -> int:
        """How many partitions the replay under way works on: pair parts or shards, then shards."""
        return len(self.shards if self._by_shard else self._parts) + len(self._scored_shards)

    @property
    def log(self) -> ClickLog:
        """The log, without what its sessions show."""
        return self._data.log

    @property
    def objective_key(self) -> str:
        """Name of the objective among the metrics of a result."""
        return self.objective.key

    @property
    def bench(self) -> Workbench:
        """The workbench of this process; a shard's scores with the originals lie beside it."""
        return self._bench

    @property
    def window(self) -> str:
        """Which part of the log is scored."""
        return self._bench.place.window

    @property
    def seed(self) -> int:
        """Seed of all that is drawn."""
        return self._config.seed

    @property
    def walk_files(self) -> WalkFiles:
        """Where the last walk through shards has left where each of them ends."""
        return WalkFiles(self._bench.place.scratch, self._n_walks)

    @property
    def frame(self) -> Timeline:
        """All sessions, without what they show."""
        return self._worker.frame

    def over_parts(self, step: Callable[[Workbench, int], Found]) -> Iterator[Found]:
        """What a step makes of each pair part, in their order."""
        return self._engine.map(self._bench, step, self._parts)

    def over_shards(self, step: Callable[[Workbench, int], Found]) -> Iterator[Found]:
        """What a step makes of each shard that has replayed sessions, in order of time."""
        return self._engine.map(self._bench, step, self.shards)

    def resolve(self, settings: Settings) -> Settings:
        """Settings with ``logit_bias: auto`` replaced by the number it stands for here."""
        return with_bias(settings, self._typical)

    def _check_cut(self) -> None:
        data, scope = self._data, self._worker.frame.scope
        if data.manifest.by == "user" and scope != "user_id":
            raise InputError(
                f"replay.personalize_by={scope} needs a log cut by object, but {data.folder} is "
                "cut by user. Partition it with by=object."
            )

    def check_published(self) -> None:
        """Whether the published semantics can be replayed.

        Raises:
            InputError: If it cannot.
        """
        if self._data.manifest.by == "object" and self._worker.frame.scope == "user_id":
            raise InputError(
                "adjuster.semantics=published with replay.personalize_by=user_id needs a log cut "
                f"by user, but {self._data.folder} is cut by object. Partition it with by=user."
            )

    def _map(self, step: Callable[[Workbench, int], Found], numbers: list[int]) -> Iterator[Found]:
        """What a step makes of each partition, each told once it is done."""
        for found in self._engine.map(self._bench, step, numbers):
            yield found
            self.on_partition()

    def _lay_out(self) -> None:
        """Work out what is the same for every setting."""
        frame = self._worker.frame
        for _ in self._map(Workbench.look_at_pairs, self._parts):
            pass
        marked_at, self._never, any_positive = [], ExactSums(), False
        for found in self._map(Workbench.look_at_shard, self.shards):
            marked_at.append(found.marked_at)
            self._never.merge(found.never)
            any_positive |= found.has_positive
        if not any_positive:
            raise nothing_to_score(self._data.log.name, self.objective.estimator)
        self._marked_at = np.concatenate(marked_at)
        blocks = assign_owners(frame, self._config.n_blocks, self._config.seed)
        self._blocks = sessions_of_blocks(frame, blocks, self._config.n_blocks)

    @property
    def _parts(self) -> list[int]:
        return list(range(self._data.manifest.n_parts))

    @property
    def shards(self) -> list[int]:
        """The shards that have replayed sessions."""
        bounds = self._data.manifest.shard_bounds
        return [s for s, first in enumerate(bounds[:-1]) if first < self._worker.frame.n_sessions]

    @property
    def _scored_shards(self) -> list[int]:
        """The shards that have scored sessions."""
        bounds, scored_from = self._data.manifest.shard_bounds, self._worker.frame.scored_from
        return [shard for shard in self.shards if bounds[shard + 1] > scored_from]

    def run(self, settings: Settings) -> ReplayResult:
        """Replay one setting from start to end."""
        return drain(self.iter_blocks(settings))

    def iter_blocks(self, settings: Settings) -> Generator[Checkpoint, None, ReplayResult]:
        """Replay one setting; all blocks are told once every partition is done.

        Yields:
            Where it stands after each block: what the whole replay would yield.

        Returns:
            The whole result.

        Raises:
            FloatingPointError: If a score is not a finite number: the setting diverges.
            InputError: If the setting cannot be replayed in partitions.
        """
        if settings.adjuster.semantics == "published":
            self.check_published()
            return (yield from self._iter(settings, partial(self.walk, settings)))
        settings = self.resolve(settings)
        knobs = make_knobs(self._data.log.index, settings.adjuster)
        return (yield from self.iter_knobs(knobs, settings))

    def run_knobs(self, knobs: Knobs, settings: Settings) -> ReplayResult:
        """`run` for what the kernel is told directly."""
        return drain(self.iter_knobs(knobs, settings))

    def iter_knobs(
        self, knobs: Knobs, settings: Settings
    ) -> Generator[Checkpoint, None, ReplayResult]:
        """`iter_blocks` for what the kernel is told directly."""
        return (yield from self._iter(settings, partial(self._stream, settings, knobs)))

    def _stream(self, settings: Settings, knobs: Knobs, schedule: Schedule) -> Drifts:
        """Run the pairs of all parts, whose scores are left on disk."""
        adjuster = settings.adjuster
        self._by_shard = False
        drift, early = ExactSums(), ExactSums()
        stream = partial(
            Workbench.stream,
            plan=mark_of(settings.selection, adjuster.interval_seconds, adjuster.term_weight),
            schedule=schedule,
            knobs=knobs,
            term_weight=adjuster.term_weight,
        )
        for found in self._map(stream, self._parts):
            drift.merge(found.drift)
            early.merge(found.early_drift)
        return Drifts(drift, early)

    def walk(
        self, settings: Settings, schedule: Schedule, walk_part: WalkPart = Workbench.walk_part
    ) -> Drifts:
        """Walk through parts or shards under the published semantics.

        Args:
            settings: The setting, which `check_published` lets through.
            schedule: From `schedule`.
            walk_part: Walks through a pair part, where vectors are users'.
        """
        calls, adjuster = calls_of(schedule, self._marked_at), settings.adjuster
        self._n_walks += 1
        self._by_shard = self._data.manifest.by == "object"
        if self._by_shard:
            return walk_shards(self._bench, self.shards, calls, adjuster, self._n_walks, self._map)
        walks = PartWalks(self._bench, self._parts, self._most_parts, walk_part)
        untold = partial(self._engine.map, self._bench)
        return walks.run(calls, schedule.taken, adjuster, self._map, untold)

    def _iter(
        self, settings: Settings, learn: Callable[[Schedule], Drifts]
    ) -> Generator[Checkpoint, None, ReplayResult]:
        """Learn, then score all that is left on disk."""
        started = perf_counter()
        schedule = self.schedule(settings)
        planned = perf_counter()
        drift, early = learn(schedule)
        streamed = perf_counter()
        score = partial(Workbench.score, never=self._never, by_shard=self._by_shard)
        columns = joined(list(self._map(score, self._scored_shards)))
        running = RunningValue(len(self._blocks))
        yield from self._iter_running(running, columns)
        result = conclude(self._scene, columns, drift, growth_of(self._worker.frame, early, drift))
        return replace(
            result,
            counts=counts_of(result.counts.not_scored, schedule),
            blocks=running.values,
            seconds={
                "schedule": planned - started,
                "score": perf_counter() - streamed,
                "adjust": streamed - planned,
            },
        )

    def score_fixed(
        self, ranking: Callable[[Workbench, int], NDArray[np.floating]]
    ) -> ReplayResult:
        """Score a ranking that moves no vector.

        Args:
            ranking: What makes the scores that a shard's impressions are ranked by.
        """
        score = partial(Workbench.score_fixed, never=self._never, ranking=ranking)
        columns = joined(list(self._engine.map(self._bench, score, self._scored_shards)))
        running = RunningValue(len(self._blocks))
        for _ in self._iter_running(running, columns):
            pass
        return replace(conclude(self._scene, columns, ExactSums(), 1.0), blocks=running.values)

    def _iter_running(self, running: RunningValue, columns: SessionColumns) -> Iterator[Checkpoint]:
        weight = self._weight(columns)
        for sessions in self._blocks:
            rows = sessions - self._worker.frame.scored_from
            yield running.add(columns.after[self.objective_key][rows], weight[rows])

    @cached_property
    def _scene(self) -> Scene:
        return Scene(self._worker.frame, self.objective_key, self._config.curve_points)

    def _weight(self, columns: SessionColumns) -> NDArray[np.float64]:
        """Part of each scored session in the users' means."""
        frame = self._worker.frame
        window = slice(frame.scored_from, frame.n_sessions)
        scorable = ~np.isnan(columns.before[self.objective_key])
        return users_shares(frame.log.session_person[window], scorable & ~frame.withheld[window])

    @cached_property
    def _most_parts(self) -> NDArray[np.int64]:
        """Parts of the longest object that each session shows; looked up only where they differ."""
        n_parts = np.unique(np.diff(self._data.log.object_offsets))
        if len(n_parts) == 1:
            return np.broadcast_to(n_parts, self._worker.frame.n_sessions)
        found = list(self._engine.map(self._bench, Workbench.most_parts, self.shards))
        return np.concatenate(found)

    def _typical(self) -> float:
        """Median similarity, with the originals, of what is shown in warmup."""
        offsets = self._data.log.impression_offsets
        last = offsets[self._worker.frame.warmup_end]
        seen = [
            self._bench.originals(shard)[: max(0, last - self._data.shard_impressions[shard])]
            for shard in self.shards
        ]
        return median_of(np.concatenate(seen), self._config)

    def schedule(self, settings: Settings) -> Schedule:
        """The worker's ticks; the last one asked for is kept, at some 40 bytes a session."""
        rule, interval = settings.selection, settings.adjuster.interval_seconds
        mark = mark_of(rule, interval)
        if self._planned is None or self._planned[0] != mark:
            self._planned = None
            self._planned = mark, self._make_schedule(rule, interval)
        return self._planned[1]

    def _make_schedule(self, rule: SelectionConfig, interval_seconds: int) -> Schedule:
        take = partial(Workbench.take, rule=rule, interval_seconds=interval_seconds)
        taken = list(self._engine.map(self._bench, take, self.shards))
        names = [field.name for field in fields(Taken)]
        whole = Taken(**{name: np.concatenate([getattr(t, name) for t in taken]) for name in names})
        return make_schedule(self._marked_at, whole, self._config.batch_size)


def mark_of(*values: object) -> str:
    """A name for plain values, fit for a file."""
    return blake2b(repr(values).encode(), digest_size=8).hexdigest()


def joined(columns: list[SessionColumns]) -> SessionColumns:
    """The columns of sessions that follow each other, as one."""

    def together(which: str) -> dict[str, NDArray[np.float64]]:
        names = getattr(columns[0], which)
        return {name: np.concatenate([getattr(c, which)[name] for c in columns]) for name in names}

    return SessionColumns(
        before=together("before"),
        after=together("after"),
        reached=np.concatenate([c.reached for c in columns]),
        refound=np.concatenate([c.refound for c in columns]),
        lasting=np.concatenate([c.lasting for c in columns]),
    )
