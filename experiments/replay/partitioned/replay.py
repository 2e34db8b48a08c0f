"""The replay of a log in partitions: equal to the whole replay to the last bit, in any cut.

All sums over sessions are taken once, over the columns of all sessions in their order; sums over
pairs are exact, whatever their order. In memory are the session columns and one partition.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import astuple, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import perf_counter
from typing import Any
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
from experiments.replay.click_history import ClickHistory
from experiments.replay.drift_growth import growth_of
from experiments.replay.exact_sums import ExactSums
from experiments.replay.labels import nothing_to_score
from experiments.replay.objective import Objective
from experiments.replay.partitioned.shuffle import Shuffle
from experiments.replay.partitioned.worker import Known, PairScores, Shown, Worker
from experiments.replay.people import users_shares
from experiments.replay.plan import median_of, with_bias
from experiments.replay.replay import drain
from experiments.replay.results import Checkpoint, ReplayResult, SessionColumns
from experiments.replay.schedule import Schedule, Taken, make_schedule
from experiments.replay.scoreboard import RunningValue, Scene, conclude, counts_of
from experiments.replay.settings import Settings

PLANS_KEPT = 1
"""A plan has some 40 bytes a session."""


class PartitionedReplay:
    """Runs settings over a log in partitions, one partition after the other.

    Args:
        data: The log in partitions.
        config: How it is replayed.
        objective: What is scored: by judgements or plain clicks.
        window: Which part is scored: ``tune``, ``test`` or ``all``.
        on_partition: Told of each partition that is done.

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
    ) -> None:
        if config.exploration_ratio > 0:
            raise InputError(
                "replay.exploration_ratio must be 0 where a log in partitions is replayed, got "
                f"{config.exploration_ratio}."
            )
        self._worker = Worker(data, config, objective, window)
        self._data, self._config = data, config
        self.objective: Objective = self._worker.objective
        self.on_partition = on_partition
        scope = self._worker.frame.scope
        if data.manifest.by == "user" and scope != "user_id":
            raise InputError(
                f"replay.personalize_by={scope} needs a log cut by object, but {data.folder} is "
                "cut by user. Partition it with by=object."
            )
        self._scratch = Path(mkdtemp(prefix=".replay-", dir=data.folder))
        self._forget = finalize(self, rmtree, self._scratch, ignore_errors=True)
        self._shuffle = Shuffle(self._scratch, data)
        self._schedule = lru_cache(PLANS_KEPT)(self._make_schedule)
        self._lay_out()

    def close(self) -> None:
        """Remove what was kept on disk."""
        self._forget()

    @property
    def n_steps(self) -> int:
        """How many partitions a replay works on: pair parts, then shards."""
        scored = self._worker.frame.scored_from
        bounds = self._data.manifest.shard_bounds
        return self._data.manifest.n_parts + sum(bounds[s + 1] > scored for s in self._shards)

    @property
    def log(self) -> ClickLog:
        """The log, without what its sessions show."""
        return self._data.log

    @property
    def objective_key(self) -> str:
        """Name of the objective among the metrics of a result."""
        return self.objective.key

    def _lay_out(self) -> None:
        """Work out what is the same for every setting."""
        manifest, frame = self._data.manifest, self._worker.frame
        for part in range(manifest.n_parts):
            impression, history = self._worker.history(part)
            self._shuffle.put_positions(part, impression)
            for name, flags in history._asdict().items():
                self._shuffle.put(name, part, flags)
            self.on_partition()
        marked_at, self._never, any_positive = [], ExactSums(), False
        for shard in self._shards:
            facts = self._worker.facts(shard, self._history(shard))
            np.save(self._originals_path(shard), facts.before)
            marked_at.append(facts.marked_at)
            self._never.merge(facts.never)
            any_positive |= facts.has_positive
            self.on_partition()
        if not any_positive:
            raise nothing_to_score(self._data.log.name, self.objective.estimator)
        self._marked_at = np.concatenate(marked_at)
        blocks = assign_owners(frame, self._config.n_blocks, self._config.seed)
        self._blocks = sessions_of_blocks(frame, blocks, self._config.n_blocks)

    @property
    def _shards(self) -> list[int]:
        """The shards that have replayed sessions."""
        bounds = self._data.manifest.shard_bounds
        return [s for s, first in enumerate(bounds[:-1]) if first < self._worker.frame.n_sessions]

    def _n_shown(self, shard: int) -> int:
        """How many impressions of a shard are replayed."""
        first, last = self._data.manifest.shard_bounds[shard : shard + 2]
        offsets = self._data.log.impression_offsets
        return int(offsets[min(last, self._worker.frame.n_sessions)] - offsets[first])

    def _history(self, shard: int) -> ClickHistory:
        n = self._n_shown(shard)
        return ClickHistory(
            *(self._shuffle.gather(name, shard, n) for name in ClickHistory._fields)
        )

    def _originals_path(self, shard: int) -> Path:
        return self._scratch / f"originals-{shard}.npy"

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
            raise InputError(
                "adjuster.semantics=published cannot be replayed in partitions: it takes the mean "
                "over a batch, whoever owns it. Use documented, or replay the log as a whole."
            )
        settings = with_bias(settings, self._typical)
        knobs = make_knobs(self._data.log.index, settings.adjuster)
        return (yield from self.iter_knobs(knobs, settings))

    def run_knobs(self, knobs: Knobs, settings: Settings) -> ReplayResult:
        """`run` for what the kernel is told directly."""
        return drain(self.iter_knobs(knobs, settings))

    def iter_knobs(
        self, knobs: Knobs, settings: Settings
    ) -> Generator[Checkpoint, None, ReplayResult]:
        """`iter_blocks` for what the kernel is told directly."""
        started = perf_counter()
        adjuster = settings.adjuster
        schedule = self._schedule(astuple(settings.selection), adjuster.interval_seconds)
        planned = perf_counter()
        drift, early = ExactSums(), ExactSums()
        for part in range(self._data.manifest.n_parts):
            found = self._worker.stream(part, schedule, knobs, adjuster.term_weight)
            self._keep(part, found)
            drift.merge(found.drift)
            early.merge(found.early_drift)
            self.on_partition()
        streamed = perf_counter()
        columns = joined(list(self._iter_scored()))
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

    def _keep(self, part: int, found: PairScores) -> None:
        self._shuffle.put("scores", part, found.scores)
        self._shuffle.put("adjusted", part, found.adjusted)

    def _iter_scored(self) -> Iterator[SessionColumns]:
        """Score all shards by what the pair parts found."""
        for shard, known in self._iter_known():
            n = self._n_shown(shard)
            shown = Shown(*(self._shuffle.gather(name, shard, n) for name in Shown._fields))
            yield self._worker.score(shard, known, shown)
            self.on_partition()

    def _iter_known(self) -> Iterator[tuple[int, Known]]:
        """The shards with scored sessions, and what they must be told."""
        for shard in self._shards:
            if self._data.manifest.shard_bounds[shard + 1] > self._worker.frame.scored_from:
                before = np.load(self._originals_path(shard))
                yield shard, Known(before, self._history(shard), self._never)

    def score_fixed(self, *, logged: bool) -> ReplayResult:
        """Score a ranking that moves no vector: as the log showed it, or by the originals."""
        columns = joined(
            [
                self._worker.score_fixed(shard, known, logged=logged)
                for shard, known in self._iter_known()
            ]
        )
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

    def _typical(self) -> float:
        """Median similarity, with the originals, of what is shown in warmup."""
        offsets = self._data.log.impression_offsets
        last = offsets[self._worker.frame.warmup_end]
        seen = [
            np.load(self._originals_path(shard), mmap_mode="r")[
                : max(0, last - self._data.shard_impressions[shard])
            ]
            for shard in self._shards
        ]
        return median_of(np.concatenate(seen), self._config)

    def _make_schedule(self, rule: tuple[Any, ...], interval_seconds: int) -> Schedule:
        taken = [
            self._worker.take(shard, SelectionConfig(*rule), interval_seconds)
            for shard in self._shards
        ]
        names = [field.name for field in fields(Taken)]
        whole = Taken(**{name: np.concatenate([getattr(t, name) for t in taken]) for name in names})
        return make_schedule(self._marked_at, whole, self._config.batch_size)


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
