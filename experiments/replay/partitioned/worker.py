"""What is done with one partition at a time; nothing here knows of the others.

A pair part holds whole lives of (owner, object) pairs, and says what becomes of each showing. A
shard holds whole sessions, and says what becomes of each once the scores of all that it shows
have been brought together.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import Knobs
from adjuster.fused_engine.streams import Corpus, Lessons, Showings, Span
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.blocks import one_block, whole_span
from experiments.replay.click_history import ClickHistory, click_history
from experiments.replay.exact_sums import ExactSums
from experiments.replay.labels import Labels, build_labels, has_positive
from experiments.replay.layout import Layout, corpus_of, rank_originals, score_shown
from experiments.replay.lessons import Pairs, build_lessons, build_pairs, no_pairs
from experiments.replay.objective import Objective, plain_objective
from experiments.replay.pair_streams import PairStreams
from experiments.replay.partitioned.board import ShardBoard, board_of
from experiments.replay.partitioned.frame import pair_timeline, session_frame, shard_timeline
from experiments.replay.published_copies import CopyTable, no_copies
from experiments.replay.published_sessions import Calls, most_parts, taught_sessions, together
from experiments.replay.published_walk import Beginning, PublishedWalk, WalkState
from experiments.replay.results import SessionColumns
from experiments.replay.schedule import Schedule, Taken, take_sessions
from experiments.replay.scoreboard import Scoreboard
from experiments.replay.scoring import build_scoring
from experiments.replay.ties import among_equals
from experiments.replay.timeline import Timeline


class PairHistory(NamedTuple):
    """What is known of a pair part's showings before any setting is tried.

    Args:
        impression: Shape ``(n,)``: number of each among all impressions of the log.
        history: What had been clicked before.
    """

    impression: NDArray[np.int64]
    history: ClickHistory


class ShardFacts(NamedTuple):
    """What is known of a shard before any setting is tried.

    Args:
        marked_at: Shape ``(n_sessions,)``: when each session is marked.
        before: Shape ``(n_impressions,)``: scores with the originals.
        has_positive: Whether a scored session shows a positive label.
        never: How much is clicked by position of what was never clicked.
    """

    marked_at: NDArray[np.int64]
    before: NDArray[np.floating]
    has_positive: bool
    never: ExactSums


class PairScores(NamedTuple):
    """What became of a pair part's showings under a setting.

    Args:
        scores: Shape ``(n,)``: of those that are adjusted; 0 elsewhere.
        adjusted: Shape ``(n,)`` bool.
        drift: 1 - cosine of each adjusted pair, summed.
        early_drift: The same half-way through the scored sessions.
    """

    scores: NDArray[np.floating]
    adjusted: NDArray[np.bool_]
    drift: ExactSums
    early_drift: ExactSums


class WalkedPart(NamedTuple):
    """What became of a pair part's showings under the published semantics.

    Args:
        found: Their scores.
        refused: Sessions that the adjuster did not take.
        table: The copies at the end.
    """

    found: PairScores
    refused: list[int]
    table: CopyTable


class WalkedShard(NamedTuple):
    """What became of a shard's impressions under the published semantics.

    Args:
        scores: Shape ``(n_impressions,)``: of those that are adjusted; 0 elsewhere.
        adjusted: Shape ``(n_impressions,)`` bool.
        drift: See `PairScores`; nothing but of the last shard.
        half_way: Drift half-way through the scored sessions, of the shard in which that is.
        state: Where the next shard goes on.
    """

    scores: NDArray[np.floating]
    adjusted: NDArray[np.bool_]
    drift: ExactSums
    half_way: ExactSums | None
    state: WalkState


class Known(NamedTuple):
    """What a shard must be told of its impressions, whatever the setting.

    Args:
        before: Shape ``(n_impressions,)``: scores with the originals.
        history: What had been clicked before.
        never: How much is clicked by position of what was never clicked, of all shards.
    """

    before: NDArray[np.floating]
    history: ClickHistory
    never: ExactSums


@dataclass(frozen=True)
class PartPairs:
    """The pairs of one part, ready to be run; see `LaidPairs`."""

    config: ReplayConfig
    corpus: Corpus
    showings: Showings

    @property
    def spans(self) -> tuple[Span, ...]:
        """All pairs in one go."""
        return (whole_span(self.showings),)


@dataclass(frozen=True)
class Worker:
    """Works on one partition at a time.

    Args:
        data: The log in partitions.
        config: How it is replayed.
        scored_by: What is scored.
        window: Which part of the log is scored.
    """

    data: PartitionedLog
    config: ReplayConfig
    scored_by: ObjectiveConfig
    window: str

    @cached_property
    def frame(self) -> Timeline:
        """All sessions, without what they show."""
        return session_frame(self.data.log, self.config, self.window)

    @cached_property
    def objective(self) -> Objective:
        """What the sessions are scored by."""
        return plain_objective(self.scored_by)

    @cached_property
    def corpus(self) -> Corpus:
        """The originals and the queries."""
        return corpus_of(self.data.log)

    def history(self, part: int) -> PairHistory:
        """What is known of a pair part's showings."""
        rows = self.data.pair_rows(part, self.frame.n_sessions)
        return PairHistory(rows.impression, click_history(pair_timeline(self.frame, rows)))

    def facts(self, shard: int, history: ClickHistory) -> ShardFacts:
        """What is known of a shard.

        Args:
            shard: Its number.
            history: Of its impressions.
        """
        timeline = self.timeline(shard)
        before = score_shown(self.corpus, timeline)
        if timeline.scored_from == timeline.n_sessions:
            return ShardFacts(timeline.marked_at, before, False, ExactSums())
        layout = self._lay_out(shard, timeline, before, history, None)
        return ShardFacts(
            marked_at=timeline.marked_at,
            before=before,
            has_positive=has_positive(timeline, layout.labels),
            never=layout.scoring.never,
        )

    def take(self, shard: int, rule: SelectionConfig, interval_seconds: int) -> Taken:
        """What the live worker would do with a shard's sessions."""
        return take_sessions(self.timeline(shard), rule, interval_seconds)

    def showings(self, part: int) -> Showings:
        """When a part's pairs are shown, each showing by its row among the part's."""
        return self.pairs(part).showings

    def pairs(self, part: int) -> Pairs:
        """A part's pairs and whose they are."""
        timeline = self._pair_timeline(part)
        everyone = np.zeros(max(1, timeline.n_owners), np.int64)
        return build_pairs(timeline, owner_block=everyone)

    def lessons(
        self, part: int, showings: Showings, schedule: Schedule, term_weight: str
    ) -> Lessons:
        """What a part's pairs learn.

        Args:
            part: Its number.
            showings: From `showings`.
            schedule: The worker's ticks, of all sessions.
            term_weight: ``session`` or ``impression``.
        """
        timeline = self._pair_timeline(part)
        return build_lessons(timeline, showings, schedule, term_weight=term_weight)

    def stream(self, showings: Showings, lessons: Lessons, knobs: Knobs, n_rows: int) -> PairScores:
        """Run a part's pairs from their first showing to their end.

        Args:
            showings: When they are shown.
            lessons: What they learn.
            knobs: The setting.
            n_rows: How many rows the part has.
        """
        mine = PartPairs(self.config, self.corpus, showings)
        streams = PairStreams(mine, lessons, knobs)
        scores = np.zeros(n_rows, self.corpus.vectors.dtype)
        adjusted = np.zeros(n_rows, np.bool_)
        streams.advance(mine.spans[0], scores, adjusted)
        return PairScores(scores, adjusted, streams.drift(), streams.early_drift())

    def most_parts(self, shard: int) -> NDArray[np.int64]:
        """Parts of the longest object that each of a shard's sessions shows."""
        return most_parts(self.timeline(shard))

    def walk_part(
        self, part: int, calls: Calls, n_together: NDArray[np.integer], adjuster: AdjusterConfig
    ) -> WalkedPart:
        """Replay the owners of a part under the published semantics.

        Args:
            part: Its number; it holds whole sessions.
            calls: Of all sessions.
            n_together: Shape ``(n_sessions,)``: how many sessions each one's loss is a mean over.
            adjuster: The setting.
        """
        timeline = self._pair_timeline(part)
        taught = taught_sessions(timeline, calls)
        state = WalkState(no_copies(timeline.log), taught)
        walk = self._walk(timeline, calls, adjuster, Beginning(state, n_together[taught.session]))
        scores, adjusted = self._all_of(timeline, walk)
        found = PairScores(scores, adjusted, walk.drift(), walk.early_drift())
        return WalkedPart(found, walk.refused, walk.table)

    def walk_shard(
        self,
        shard: int,
        calls: Calls,
        adjuster: AdjusterConfig,
        state: WalkState | None,
        *,
        is_past_middle: bool,
    ) -> WalkedShard:
        """Replay a shard under the published semantics, after all shards before it.

        Args:
            shard: Its number.
            calls: Of its sessions.
            adjuster: The setting.
            state: What the shard before it has left; None for the first.
            is_past_middle: Whether drift has been measured half-way.
        """
        timeline = self.timeline(shard)
        first = self.data.manifest.shard_bounds[shard]
        taught = taught_sessions(timeline, calls, first)
        copies = no_copies(timeline.log) if state is None else state.copies
        if state is not None:
            taught = together([state.taught, taught])
        beginning = Beginning(WalkState(copies, taught), is_past_middle=is_past_middle)
        walk = self._walk(timeline, calls, adjuster, beginning)
        scores, adjusted = self._all_of(timeline, walk)
        is_last = first + timeline.n_sessions == self.frame.n_sessions
        drift = walk.drift() if is_last else ExactSums()
        return WalkedShard(scores, adjusted, drift, walk.half_way, walk.state())

    def _walk(
        self, timeline: Timeline, calls: Calls, adjuster: AdjusterConfig, beginning: Beginning
    ) -> PublishedWalk:
        threads = self.config.n_threads
        return PublishedWalk(
            timeline, self.corpus, calls.step_at, adjuster, beginning, n_threads=threads
        )

    def _all_of(
        self, timeline: Timeline, walk: PublishedWalk
    ) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        """Scores of all that a timeline shows, and which are of copies."""
        scores = np.zeros(timeline.n_impressions, self.corpus.vectors.dtype)
        adjusted = np.zeros(timeline.n_impressions, np.bool_)
        walk.advance(timeline.n_sessions, scores, adjusted)
        return scores, adjusted

    def board(self, shard: int, known: Known) -> ShardBoard:
        """What a shard's sessions are scored by, whatever the setting.

        Args:
            shard: Its number; it has scored sessions.
            known: What it must be told of its impressions.
        """
        return board_of(self._layout(shard, known))

    def score_fixed(self, shard: int, known: Known, scores: NDArray[np.floating]) -> SessionColumns:
        """Score a ranking that moves no vector.

        Args:
            shard: Its number; it has scored sessions.
            known: What it must be told of its impressions.
            scores: Shape ``(n_impressions,)``: what they are ranked by.
        """
        board = Scoreboard(self._layout(shard, known), None)
        board.after = scores
        board.add_block(0)
        return board.columns()

    def timeline(self, shard: int) -> Timeline:
        """A shard's sessions with all that they show."""
        first = self.data.manifest.shard_bounds[shard]
        return shard_timeline(self.frame, self.data.shard(shard), first, self.config)

    def labels(
        self,
        shard: int,
        timeline: Timeline,
        before: NDArray[np.floating],
        history: ClickHistory,
    ) -> Labels:
        """What a shard's sessions are scored by.

        Args:
            shard: Its number.
            timeline: From `timeline`.
            before: Shape ``(n_impressions,)``: scores with the originals.
            history: What had been clicked before.
        """
        first = int(self.data.shard_impressions[shard])
        return build_labels(
            timeline,
            among_equals(before, timeline.offsets, self.config.seed, first),
            history,
            estimator=self.objective.estimator,
            repeat_clicks=self.scored_by.repeat_clicks,
        )

    def _pair_timeline(self, part: int) -> Timeline:
        return pair_timeline(self.frame, self.data.pair_rows(part, self.frame.n_sessions))

    def _layout(self, shard: int, known: Known) -> Layout:
        timeline = self.timeline(shard)
        return self._lay_out(shard, timeline, known.before, known.history, known.never)

    def _lay_out(
        self,
        shard: int,
        timeline: Timeline,
        before: NDArray[np.floating],
        history: ClickHistory,
        never: ExactSums | None,
    ) -> Layout:
        """A shard as a layout without pairs, which are run elsewhere."""
        labels = self.labels(shard, timeline, before, history)
        blocks = (one_block(timeline, no_pairs(), labels),)
        scoring = build_scoring(timeline, self.objective, labels, blocks, never)
        return Layout(
            log=timeline.log,
            config=self.config,
            objective=self.objective,
            window=self.window,
            timeline=timeline,
            labels=labels,
            pairs=no_pairs(),
            corpus=self.corpus,
            before=before,
            blocks=blocks,
            scoring=scoring,
            originals=rank_originals(blocks, scoring, before),
            scorers=(),
        )
