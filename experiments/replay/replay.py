"""The replay: what the live improvement pipeline would have done with a click log.

Every session's results are ranked with the originals ("before") and with the owner's vectors as
of the last tick ("after"), both are scored, and the session waits for the worker. What is the
same for every setting is computed once, when a `Replay` is made.
"""

from collections.abc import Generator
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.adjusters.published import PublishedAdjuster
from adjuster.config import AdjusterConfig
from adjuster.fused_engine.batch import query_rows
from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.fused_engine.streams import (
    Corpus,
    Lessons,
    StreamState,
    run_streams,
    score_originals,
    start_state,
)
from adjuster.live.personalization import PersonalizedVectors
from adjuster.metrics.ranking import score_sessions
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.blocks import Block, assign_owners, build_blocks, rank_block
from experiments.replay.debiasing import Debiased
from experiments.replay.labels import build_labels
from experiments.replay.results import Checkpoint, ReplayResult
from experiments.replay.schedule import Schedule, build_lessons, build_schedule
from experiments.replay.scoreboard import Scoreboard
from experiments.replay.settings import Settings
from experiments.replay.timeline import build_pairs, build_timeline
from experiments.replay.worker_replay import LogIndex, TickingReplay, drift_of

SCHEDULES_KEPT = 4


@dataclass(frozen=True)
class Plan:
    """The worker's ticks under one interval and selection, and what each pair learns."""

    schedule: Schedule
    lessons: Lessons


class Replay:
    """One click log, laid out for many settings.

    Args:
        log: The click log.
        config: How it is replayed.
        objective: What is scored.
        window: Which part is scored: ``tune``, ``test`` or ``all``.

    Raises:
        InputError: If the log cannot be replayed or scored like this.
    """

    def __init__(
        self,
        log: ClickLog,
        config: ReplayConfig,
        objective: ObjectiveConfig,
        *,
        window: str = "tune",
    ) -> None:
        self.log, self.config, self.objective, self.window = log, config, objective, window
        self.timeline = build_timeline(log, config, window=window)
        self.labels = build_labels(self.timeline, objective)
        owner_block = assign_owners(self.timeline, config.n_blocks, config.seed)
        self.pairs = build_pairs(self.timeline, owner_block=owner_block)
        self.blocks = build_blocks(
            self.timeline, self.pairs, owner_block, self.labels, config.n_blocks
        )
        self.corpus = Corpus(
            np.ascontiguousarray(log.object_vectors),
            log.object_offsets,
            query_rows(log.query_vectors, log.index),
            log.query_offsets,
        )
        self.before = score_originals(
            self.corpus,
            make_knobs(log.index, AdjusterConfig()),
            log.impression_object[: self.timeline.n_impressions],
            self.timeline.query[self.timeline.session_of],
        )
        self.debiased = (
            None
            if objective.propensity == "none"
            else Debiased(self.timeline, objective, self.labels, self.blocks)
        )
        self.before_orders = [rank_block(block, self.before) for block in self.blocks]
        self.before_scores = [
            score_sessions(block.judgements, order)
            for block, order in zip(self.blocks, self.before_orders, strict=True)
        ]
        self._plan = lru_cache(SCHEDULES_KEPT)(self._make_plan)

    def run(self, settings: Settings) -> ReplayResult:
        """Replay one setting from start to end."""
        return drain(self.iter_blocks(settings))

    def iter_blocks(self, settings: Settings) -> Generator[Checkpoint, None, ReplayResult]:
        """Replay one setting block by block.

        Yields:
            Where it stands after each block.

        Returns:
            The whole result, once every block is done.

        Raises:
            FloatingPointError: If a score is not a finite number: the setting diverges.
        """
        settings = self.resolve(settings)
        if settings.adjuster.semantics == "published":
            return (yield from self._iter_published(settings))
        knobs = make_knobs(self.log.index, settings.adjuster)
        return (yield from self.iter_knobs(knobs, settings))

    def run_knobs(self, knobs: Knobs, settings: Settings) -> ReplayResult:
        """`run` for what the kernel is told directly."""
        return drain(self.iter_knobs(knobs, settings))

    def score_ranking(self, scores: NDArray[np.floating]) -> ReplayResult:
        """Score one fixed ranking in place of the adjusted one: a baseline that moves no vector.

        Args:
            scores: Shape ``(n_impressions,)`` of the replayed sessions.
        """
        board = Scoreboard(self, None)
        board.after = scores
        for number in range(len(self.blocks)):
            board.add_block(number)
        return board.finish(np.empty(0))

    def iter_knobs(
        self, knobs: Knobs, settings: Settings
    ) -> Generator[Checkpoint, None, ReplayResult]:
        """`iter_blocks` for what the kernel is told directly."""
        started = perf_counter()
        plan = self.plan(settings)
        planned = perf_counter()
        board = Scoreboard(self, plan.schedule)
        state = self.start(plan, knobs, keep=False)
        for number, block in enumerate(self.blocks):
            self.advance(knobs, plan, state, block, board.after, board.adjusted)
            yield board.add_block(number)
        result = board.finish(state.drift[~np.isnan(state.drift)])
        seconds = {
            "schedule": planned - started,
            "score": board.seconds,
            "adjust": perf_counter() - planned - board.seconds,
        }
        return replace(result, seconds=seconds)

    def _iter_published(self, settings: Settings) -> Generator[Checkpoint, None, ReplayResult]:
        """The published semantics, tick by tick through the worker itself."""
        started = perf_counter()
        adjuster = settings.adjuster
        published = PublishedAdjuster(
            self.log.index,
            adjuster.adjustment_rate,
            adjuster.num_iterations,
            adjuster.softmin_temperature,
            engine=adjuster.engine,
        )
        board = Scoreboard(self, self.plan(settings).schedule)
        vectors = PersonalizedVectors(LogIndex(self.log))
        replay = TickingReplay(self.timeline, published, settings, self.config.batch_size)
        number = 0
        for session in replay.run(vectors, board.after, board.adjusted):
            while number < len(self.blocks) and session > self.blocks[number].sessions[-1]:
                yield board.add_block(number)
                number += 1
        result = board.finish(drift_of(vectors))
        adjust = perf_counter() - started - board.seconds
        return replace(result, seconds={"score": board.seconds, "adjust": adjust})

    def start(self, plan: Plan, knobs: Knobs, *, keep: bool) -> StreamState:
        """The streams before the first session; `keep` holds on to the copies."""
        by_time = not all(block.finish for block in self.blocks)
        return start_state(
            self.corpus,
            self.pairs.showings,
            plan.lessons,
            keep=keep or by_time,
            refit=bool(knobs.refit),
        )

    def advance(
        self,
        knobs: Knobs,
        plan: Plan,
        state: StreamState,
        block: Block,
        after: NDArray[np.floating],
        adjusted: NDArray[np.bool_],
    ) -> None:
        """Run the streams through one block."""
        run_streams(
            knobs,
            self.corpus,
            self.pairs.showings,
            plan.lessons,
            state,
            pairs=block.pairs,
            begin=block.begin,
            end=block.end,
            finish=block.finish,
            scores=after,
            adjusted=adjusted,
            n_threads=self.config.n_threads,
        )

    def plan(self, settings: Settings) -> Plan:
        """The worker's ticks under a setting; kept for the settings that share them."""
        rule, adjuster = settings.selection, settings.adjuster
        return self._plan(
            astuple(rule),
            adjuster.interval_seconds,
            adjuster.term_weight,
        )

    def _make_plan(self, rule: tuple[Any, ...], interval_seconds: int, term_weight: str) -> Plan:
        schedule = build_schedule(
            self.timeline,
            SelectionConfig(*rule),
            interval_seconds=interval_seconds,
            batch_size=self.config.batch_size,
        )
        lessons = build_lessons(self.timeline, self.pairs, schedule, term_weight=term_weight)
        return Plan(schedule, lessons)

    def resolve(self, settings: Settings) -> Settings:
        """Settings with ``logit_bias: auto`` replaced by the number it stands for here."""
        if settings.adjuster.loss != "logistic" or settings.adjuster.logit_bias != "auto":
            return settings
        return settings.with_values({"logit_bias": self.typical_similarity})

    @property
    def typical_similarity(self) -> float:
        """Median similarity, with the originals, of the objects shown in warmup."""
        shown = self.before[: self.timeline.offsets[self.timeline.warmup_end]]
        if not len(shown):
            raise InputError(
                "adjuster.logit_bias=auto is taken from warmup, but replay.split.warmup is "
                f"{self.config.split.warmup}. Pass a number, or a warmup above 0."
            )
        return float(np.median(shown))


def drain(blocks: Generator[Checkpoint, None, ReplayResult]) -> ReplayResult:
    """Run a replay to its end."""
    while True:
        try:
            next(blocks)
        except StopIteration as end:
            result: ReplayResult = end.value
            return result
