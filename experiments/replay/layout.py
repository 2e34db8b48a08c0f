"""What is the same for every setting: a click log laid out once to be replayed many times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.fused_engine.streams import Corpus, make_corpus, score_originals
from adjuster.index import MetricType
from adjuster.metrics.ranking import score_sessions
from adjuster.scale import cannot_be_computed, computable_sizes, row_sizes
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.blocks import ScoringBlock, assign_owners, build_blocks, rank_block
from experiments.replay.debiasing import Debiased
from experiments.replay.labels import Labels, build_labels
from experiments.replay.lessons import Pairs, build_pairs
from experiments.replay.scorers import ExplorationScorer, SessionScorer
from experiments.replay.timeline import Timeline, build_timeline


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
        before_orders: Block → its results ranked with the originals.
        before_scores: Block → metric → its sessions' values with the originals.
        scorers: What fills further columns.
    """

    log: ClickLog
    config: ReplayConfig
    objective: ObjectiveConfig
    window: str
    timeline: Timeline
    labels: Labels
    pairs: Pairs
    corpus: Corpus
    before: NDArray[np.floating]
    blocks: tuple[ScoringBlock, ...]
    before_orders: tuple[NDArray[np.int64], ...]
    before_scores: tuple[dict[str, NDArray[np.float64]], ...]
    scorers: tuple[SessionScorer, ...]


def lay_out(
    log: ClickLog, config: ReplayConfig, objective: ObjectiveConfig, window: str = "tune"
) -> Layout:
    """Lay a click log out.

    Args:
        log: The click log.
        config: How it is replayed.
        objective: What is scored.
        window: Which part is scored: ``tune``, ``test`` or ``all``.

    Raises:
        InputError: If the log cannot be replayed or scored like this.
    """
    timeline = build_timeline(log, config, window=window)
    labels = build_labels(timeline, objective)
    owner_block = assign_owners(timeline, config.n_blocks, config.seed)
    pairs = build_pairs(timeline, owner_block=owner_block)
    blocks = build_blocks(timeline, pairs, owner_block, labels, config.n_blocks)
    corpus = _corpus(log)
    before = _score_originals(corpus, timeline)
    orders = tuple(rank_block(block, before) for block in blocks)
    return Layout(
        log=log,
        config=config,
        objective=objective,
        window=window,
        timeline=timeline,
        labels=labels,
        pairs=pairs,
        corpus=corpus,
        before=before,
        blocks=blocks,
        before_orders=orders,
        before_scores=tuple(
            score_sessions(block.judgements, order)
            for block, order in zip(blocks, orders, strict=True)
        ),
        scorers=_scorers(timeline, config, objective, labels, blocks),
    )


def _corpus(log: ClickLog) -> Corpus:
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


def _score_originals(corpus: Corpus, timeline: Timeline) -> NDArray[np.floating]:
    scores: NDArray[np.floating] = score_originals(
        corpus,
        make_knobs(timeline.log.index, AdjusterConfig()),
        timeline.log.impression_object[: timeline.n_impressions],
        timeline.query[timeline.session_of],
    )
    return scores


def _scorers(
    timeline: Timeline,
    config: ReplayConfig,
    objective: ObjectiveConfig,
    labels: Labels,
    blocks: tuple[ScoringBlock, ...],
) -> tuple[SessionScorer, ...]:
    scorers: list[SessionScorer] = []
    if config.exploration_ratio > 0:
        scorers.append(
            ExplorationScorer(blocks, objective.metric, config.exploration_ratio, config.seed)
        )
    if objective.propensity != "none":
        scorers.append(Debiased(timeline, objective, labels, blocks))
    return tuple(scorers)
