"""The replay: what the live improvement pipeline would have done with a click log.

Every session's results are ranked with the originals ("before") and with the owner's vectors as
of the last tick ("after"), both are scored, and the session waits for the worker. What is the
same for every setting is the `Layout` that it runs over.
"""

from collections.abc import Callable, Generator
from dataclasses import astuple, replace
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.blocks import ScoringBlock
from experiments.replay.bystander_pairs import BystanderPairs
from experiments.replay.drift_growth import growth_of
from experiments.replay.exact_sums import ExactSums
from experiments.replay.layout import Layout, lay_out
from experiments.replay.objective import Objective
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import Plan, find_schedule, make_plan, resolve
from experiments.replay.published_replay import walk_through
from experiments.replay.published_walk import PublishedWalk
from experiments.replay.results import Checkpoint, ReplayResult, SessionScores
from experiments.replay.scoreboard import Scoreboard
from experiments.replay.settings import Settings

PLANS_KEPT = 4


def replay_maker(
    log: ClickLog, objective: ObjectiveConfig, found: Objective | None = None
) -> Callable[[ReplayConfig, str], "Replay"]:
    """Makes replays of a log, all scored by one objective, chosen once.

    Args:
        log: The click log.
        objective: What was asked for.
        found: The objective that another layout of this log was given; chosen with the first
            replay if None.
    """
    windows: dict[str, Objective] = {}

    def make(config: ReplayConfig, window: str) -> Replay:
        known = windows.get(window) or next(iter(windows.values()), found)
        layout = lay_out(log, config, objective, window, found=known)
        windows[window] = layout.objective
        return Replay(layout)

    return make


class Replay:
    """Runs settings over one layout.

    Args:
        layout: The click log, laid out.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._plan = lru_cache(PLANS_KEPT)(self._make_plan)

    @property
    def objective_key(self) -> str:
        """Name of the objective among the metrics of a result."""
        return self.layout.objective.key

    def resolve(self, settings: Settings) -> Settings:
        """Settings with ``logit_bias: auto`` replaced by the number it stands for here."""
        return resolve(self.layout, settings)

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
        knobs = make_knobs(self.layout.log.index, settings.adjuster)
        return (yield from self.iter_knobs(knobs, settings))

    def run_bystanders(self, settings: Settings) -> SessionScores | None:
        """Rows of the withheld sessions, as `run` has them, without what only others look at.

        Raises:
            FloatingPointError: If a score is not a finite number: the setting diverges.
        """
        settings = self.resolve(settings)
        if settings.adjuster.semantics == "published":
            return self.run(settings).bystanders
        plan, pairs = self.plan(settings), BystanderPairs(self.layout)
        board = Scoreboard(self.layout, plan.schedule)
        knobs = make_knobs(self.layout.log.index, settings.adjuster)
        streams = PairStreams(pairs, plan.lessons, knobs)
        for span in pairs.spans:
            streams.advance(span, board.after, board.adjusted)
        for number in range(len(self.layout.blocks)):
            board.add_block(number)
        return board.finish(ExactSums()).bystanders

    def run_knobs(self, knobs: Knobs, settings: Settings) -> ReplayResult:
        """`run` for what the kernel is told directly."""
        return drain(self.iter_knobs(knobs, settings))

    def score_ranking(self, scores: NDArray[np.floating]) -> ReplayResult:
        """Score one fixed ranking in place of the adjusted one: a baseline that moves no vector.

        Args:
            scores: Shape ``(n_impressions,)`` of the replayed sessions.
        """
        board = Scoreboard(self.layout, None)
        board.after = scores
        for number in range(len(self.layout.blocks)):
            board.add_block(number)
        return board.finish(ExactSums())

    def iter_knobs(
        self, knobs: Knobs, settings: Settings
    ) -> Generator[Checkpoint, None, ReplayResult]:
        """`iter_blocks` for what the kernel is told directly."""
        started = perf_counter()
        plan = self.plan(settings)
        planned = perf_counter()
        board = Scoreboard(self.layout, plan.schedule)
        streams = PairStreams(self.layout, plan.lessons, knobs)

        def advance(block: ScoringBlock) -> None:
            streams.advance(block.span, board.after, board.adjusted)

        result = yield from self._iter_board(board, streams, advance)
        return _timed(result, board, started, planned)

    def _iter_published(self, settings: Settings) -> Generator[Checkpoint, None, ReplayResult]:
        """`iter_blocks` for the published semantics."""
        started = perf_counter()
        interval = settings.adjuster.interval_seconds
        schedule = find_schedule(self.layout, settings.selection, interval)
        planned = perf_counter()
        board = Scoreboard(self.layout, schedule)
        walk = walk_through(self.layout, schedule, settings.adjuster)

        def advance(block: ScoringBlock) -> None:
            walk.advance(int(block.sessions[-1]) + 1, board.after, board.adjusted)

        result = yield from self._iter_board(board, walk, advance)
        return _timed(result, board, started, planned)

    def _iter_board(
        self,
        board: Scoreboard,
        streams: PairStreams | PublishedWalk,
        advance: Callable[[ScoringBlock], None],
    ) -> Generator[Checkpoint, None, ReplayResult]:
        """Run one block after the other, and score it."""
        for number, block in enumerate(self.layout.blocks):
            advance(block)
            yield board.add_block(number)
        drift = streams.drift()
        growth = growth_of(self.layout.timeline, streams.early_drift(), drift)
        return board.finish(drift, growth)

    def plan(self, settings: Settings) -> Plan:
        """The worker's ticks under a setting; kept for the settings that share them."""
        adjuster = settings.adjuster
        return self._plan(
            astuple(settings.selection), adjuster.interval_seconds, adjuster.term_weight
        )

    def _make_plan(self, rule: tuple[Any, ...], interval_seconds: int, term_weight: str) -> Plan:
        return make_plan(self.layout, SelectionConfig(*rule), interval_seconds, term_weight)


def _timed(result: ReplayResult, board: Scoreboard, started: float, planned: float) -> ReplayResult:
    """A result that says what took how long."""
    adjust = perf_counter() - planned - board.seconds
    seconds = {"schedule": planned - started, "score": board.seconds, "adjust": adjust}
    return replace(result, seconds=seconds)


def drain(blocks: Generator[Checkpoint, None, ReplayResult]) -> ReplayResult:
    """Run a replay to its end."""
    while True:
        try:
            next(blocks)
        except StopIteration as end:
            result: ReplayResult = end.value
            return result
