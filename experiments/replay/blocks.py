"""The blocks that a replay is scored in: stretches of time, or groups of owners.

A trial is compared with others block by block, so that a hopeless one can be stopped early.
With many owners a block is a group of them, drawn by chance, over all of the time; with few (one
shared set of vectors, say) it is a stretch of time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.streams import Span
from adjuster.metrics.ranking import Judgements, judge, rank_order
from adjuster.ragged import offsets_of
from experiments.replay.labels import Labels
from experiments.replay.lessons import Pairs
from experiments.replay.timeline import Timeline

OWNERS_PER_BLOCK = 5
"""Fewer owners than this a block, and the blocks are stretches of time instead."""


@dataclass(frozen=True)
class ScoringBlock:
    """One block: the sessions scored in it, and the part of the streams that it needs.

    Args:
        sessions: Shape ``(n,)``: scored sessions, in order of time.
        rows: Shape ``(n_rows,)``: their impressions, session after session.
        judgements: Their labels.
        span: Which pairs are run for it, and how far.
    """

    sessions: NDArray[np.int64]
    rows: NDArray[np.int64]
    judgements: Judgements
    span: Span


def assign_owners(timeline: Timeline, n_blocks: int, seed: int) -> NDArray[np.int64]:
    """The block of each owner; all 0 where the blocks are stretches of time."""
    if timeline.n_owners < n_blocks * OWNERS_PER_BLOCK:
        return np.zeros(max(1, timeline.n_owners), np.int64)
    return np.random.default_rng(seed).permutation(timeline.n_owners) % n_blocks


def build_blocks(
    timeline: Timeline,
    pairs: Pairs,
    owner_block: NDArray[np.int64],
    labels: Labels,
    n_blocks: int,
) -> tuple[ScoringBlock, ...]:
    """Cut a replay into at most `n_blocks` blocks, none without sessions.

    Args:
        timeline: The replay.
        pairs: Its pairs, grouped by `owner_block`.
        owner_block: From `assign_owners`.
        labels: Labels.
        n_blocks: How many blocks.
    """
    scored = np.arange(timeline.scored_from, timeline.n_sessions)
    if len(pairs.block_offsets) > 2:
        return _by_owner(timeline, pairs, owner_block, labels, scored, n_blocks)
    return _by_time(timeline, pairs, labels, scored, n_blocks)


def _by_owner(
    timeline: Timeline,
    pairs: Pairs,
    owner_block: NDArray[np.int64],
    labels: Labels,
    scored: NDArray[np.int64],
    n_blocks: int,
) -> tuple[ScoringBlock, ...]:
    owner = timeline.owner[scored]
    # A session without an owner is never adjusted; it only has to be in some block.
    group = np.where(owner >= 0, owner_block[np.maximum(owner, 0)], scored % n_blocks)
    # Owners without a scored session still learn: their pairs are run with the block before.
    filled = np.unique(group)
    edges = np.append(pairs.block_offsets[filled], pairs.block_offsets[-1])
    edges[0] = 0
    offsets = pairs.showings.offsets
    return tuple(
        _block(
            timeline,
            labels,
            scored[group == number],
            Span((int(first), int(last)), offsets[:-1], offsets[1:], True),
        )
        for number, first, last in zip(filled, edges[:-1], edges[1:], strict=True)
    )


def _by_time(
    timeline: Timeline, pairs: Pairs, labels: Labels, scored: NDArray[np.int64], n_blocks: int
) -> tuple[ScoringBlock, ...]:
    pieces = [piece for piece in np.array_split(scored, n_blocks) if len(piece)]
    offsets, n_pairs = pairs.showings.offsets, len(pairs.showings.pair_object)
    session = timeline.session_of[pairs.showings.impression]
    key = pairs.pair * (timeline.n_sessions + 1) + session
    blocks, begin = [], offsets[:-1]
    for number, piece in enumerate(pieces):
        edge = np.arange(n_pairs) * (timeline.n_sessions + 1) + piece[-1] + 1
        end = np.searchsorted(key, edge)
        span = Span((0, n_pairs), begin, end, number == len(pieces) - 1)
        blocks.append(_block(timeline, labels, piece, span))
        begin = end
    return tuple(blocks)


def _block(
    timeline: Timeline, labels: Labels, sessions: NDArray[np.int64], span: Span
) -> ScoringBlock:
    starts = timeline.offsets[sessions]
    lengths = timeline.offsets[sessions + 1] - starts
    local = offsets_of(lengths)
    rows = np.arange(local[-1]) + np.repeat(starts - local[:-1], lengths)
    left_out = None if labels.left_out is None else labels.left_out[rows]
    return ScoringBlock(
        sessions=sessions,
        rows=rows,
        judgements=judge(labels.gains[rows], local, left_out=left_out),
        span=span,
    )


def rank_block(block: ScoringBlock, scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Rank a block's sessions, as `rank_order` does.

    Raises:
        FloatingPointError: If a score is not a finite number.
    """
    mine = scores[block.rows]
    if not np.isfinite(mine).all():
        raise FloatingPointError(
            "a score is NaN or infinite: the setting diverges. Use a smaller adjustment_rate."
        )
    return rank_order(mine, block.judgements.offsets, left_out=block.judgements.left_out)
