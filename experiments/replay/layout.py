"""What is the same for every setting: a click log laid out once to be replayed many times."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.fused_engine.streams import Corpus, Showings, Span, make_corpus, score_originals
from adjuster.index import MetricType
from adjuster.scale import cannot_be_computed, computable_sizes, row_sizes
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.blocks import ScoringBlock, assign_owners, build_blocks, rank_block
from experiments.replay.click_history import click_history
from experiments.replay.labels import Labels, build_labels, has_positive, nothing_to_score
from experiments.replay.lessons import Pairs, build_pairs
from experiments.replay.measures import Columns
from experiments.replay.objective import Objective, find_objective
from experiments.replay.scorers import ExplorationScorer, SessionScorer
from experiments.replay.scoring import Scoring, build_scoring
from experiments.replay.ties import among_equals
from experiments.replay.timeline import Timeline, build_timeline


class OriginalsRanked(NamedTuple):
    """The blocks ranked with the originals.

    Args:
        orders: Block → its results, ranked.
        scores: Block → column → its sessions' values.
        discounts: Shape ``(n_impressions,)``: discount of each result of a scored session.
    """

    orders: tuple[NDArray[np.int64], ...]
    scores: tuple[Columns, ...]
    discounts: NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """One click log as it is replayed and scored, before any setting is tried.

    What is learnt depends on one (owner, object) pair alone, so `pairs` and each block's range of
    them can be cut by owner or by object and run apart; a session is scored by all pairs that it
    shows, so `blocks` and what follows them are cut by session.

    Args:
        log: The click log.
        config: How it is replayed.
        objective: What is scored.
        window: Which part is scored: ``tune``, ``test`` or ``all``.
        timeline: Who reads whose vectors, what is shown when, which sessions are scored.
        labels: What the sessions are scored by.
        pairs: The (owner, object) pairs and when they are shown.
        corpus: The originals and the queries, as the engine reads them.
        before: Shape ``(n_impressions,)``: scores with the originals.
        blocks: The blocks that a replay is scored in, at least one, none without sessions.
        scoring: What the blocks are measured by, and how sessions are weighted.
        originals: What the originals' rankings come to.
        scorers: What fills further columns.
    """

    log: ClickLog
    config: ReplayConfig
    objective: Objective
    window: str
    timeline: Timeline
    labels: Labels
    pairs: Pairs
    corpus: Corpus
    before: NDArray[np.floating]
    blocks: tuple[ScoringBlock, ...]
    scoring: Scoring
    originals: OriginalsRanked
    scorers: tuple[SessionScorer, ...]

    @property
    def showings(self) -> Showings:
        """When the pairs are shown."""
        return self.pairs.showings

    @property
    def spans(self) -> tuple[Span, ...]:
        """How far which pairs are run in each block."""
        return tuple(block.span for block in self.blocks)

    @property
    def weight(self) -> NDArray[np.float64]:
        """Part of each scored session in the users' means, shape ``(n_in_window,)``; sum 1."""
        return self.scoring.weight

    @property
    def n_in_window(self) -> int:
        """Sessions of the window, whether they can be scored or not."""
        return self.timeline.n_sessions - self.timeline.scored_from

    @property
    def n_scorable(self) -> int:
        """Those of them that show a result with a positive label."""
        return sum(len(block.judgements.scored) for block in self.blocks)


def lay_out(
    log: ClickLog,
    config: ReplayConfig,
    objective: ObjectiveConfig,
    window: str = "tune",
    *,
    found: Objective | None = None,
) -> Layout:
    """Lay a click log out.

    Args:
        log: The click log.
        config: How it is replayed.
        objective: What is scored.
        window: Which part is scored: ``tune``, ``test`` or ``all``.
        found: The objective of another layout of this log, which is taken in place of choosing.

    Raises:
        InputError: If the log cannot be replayed or scored like this.
    """
    timeline = build_timeline(log, config, window=window)
    corpus = corpus_of(log)
    before = score_shown(corpus, timeline)
    chosen = find_objective(timeline, objective, before, seed=config.seed, found=found)
    labels = build_labels(
        timeline,
        among_equals(before, timeline.offsets, config.seed),
        click_history(timeline),
        estimator=chosen.estimator,
        repeat_clicks=objective.repeat_clicks,
    )
    if not has_positive(timeline, labels):
        raise nothing_to_score(log.name, chosen.estimator)
    owner_block = assign_owners(timeline, config.n_blocks, config.seed)
    pairs = build_pairs(timeline, owner_block=owner_block)
    blocks = build_blocks(timeline, pairs, owner_block, labels, config.n_blocks)
    scoring = build_scoring(timeline, chosen, labels, blocks)
    return Layout(
        log=log,
        config=config,
        objective=chosen,
        window=window,
        timeline=timeline,
        labels=labels,
        pairs=pairs,
        corpus=corpus,
        before=before,
        blocks=blocks,
        scoring=scoring,
        originals=rank_originals(blocks, scoring, before),
        scorers=_scorers(config, chosen, scoring, blocks),
    )


def rank_originals(
    blocks: tuple[ScoringBlock, ...], scoring: Scoring, before: NDArray[np.floating]
) -> OriginalsRanked:
    """Rank and score the sessions of some blocks with the originals.

    Args:
        blocks: The blocks.
        scoring: How they are scored.
        before: Shape ``(n_impressions,)``: scores with the originals.
    """
    orders = tuple(rank_block(block, before) for block in blocks)
    discounts = np.zeros(len(before))
    for number, order in enumerate(orders):
        scoring.linear.put_discounts(number, order, discounts)
    scores = tuple(scoring.score(number, order) for number, order in enumerate(orders))
    return OriginalsRanked(orders, scores, discounts)


def corpus_of(log: ClickLog) -> Corpus:
    """The vectors of a log as the engine reads them.

    Raises:
        InputError: If a vector's square cannot be computed.
    """
    objects, queries = log.object_vectors, log.query_vectors
    if log.index.metric_type is not MetricType.COSINE:
        _refuse_sizes("object", log.object_ids, objects, log.object_offsets)
        _refuse_sizes("query", log.query_ids, queries, log.query_offsets)
    return make_corpus(objects, log.object_offsets, queries, log.query_offsets, log.index)


def _refuse_sizes(
    kind: str,
    ids: NDArray[np.object_],
    vectors: NDArray[np.floating],
    offsets: NDArray[np.int64],
) -> None:
    """Refuse vectors whose squares cannot be computed; under cosine they are scaled instead."""
    bad = cannot_be_computed(row_sizes(vectors))
    if not bad.any():
        return
    row = int(np.argmax(bad))
    smallest, largest = computable_sizes(vectors.dtype)
    raise InputError(
        f"{kind} {ids[np.searchsorted(offsets, row, side='right') - 1]!r}: its vector must have "
        f"its largest coordinate between {smallest:.0e} and {largest:.0e} under dot and euclid, "
        f"got {row_sizes(vectors[row : row + 1])[0]:.0e}. Scale all vectors alike."
    )


def score_shown(corpus: Corpus, timeline: Timeline) -> NDArray[np.floating]:
    """Score what a timeline's sessions show with the originals, shape ``(n_impressions,)``."""
    scores: NDArray[np.floating] = score_originals(
        corpus,
        make_knobs(timeline.log.index, AdjusterConfig()),
        timeline.log.impression_object[: timeline.n_impressions],
        timeline.query[timeline.session_of],
    )
    return scores


def _scorers(
    config: ReplayConfig,
    objective: Objective,
    scoring: Scoring,
    blocks: tuple[ScoringBlock, ...],
) -> tuple[SessionScorer, ...]:
    if not config.exploration_ratio > 0:
        return ()
    return (
        ExplorationScorer(blocks, scoring, objective.key, config.exploration_ratio, config.seed),
    )
