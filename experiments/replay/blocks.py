"""The blocks that a replay is scored in: stretches of time, or groups of owners.

A trial is compared with others block by block, so that a hopeless one can be stopped early.
With many owners a block is a group of them, drawn by chance, over all of the time; with few (one
shared set of vectors, say) it is a stretch of time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.streams import Showings, Span
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
        rows: Shape ``(n_rows,)``: their impressions, session after session, each session's in the
            order in which ties are broken.
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
    sessions = sessions_of_blocks(timeline, owner_block, n_blocks)
    if owner_block.max() > 0:
        return _by_owner(timeline, pairs, owner_block, labels, sessions)
    return _by_time(timeline, pairs, labels, sessions)


def sessions_of_blocks(
    timeline: Timeline, owner_block: NDArray[np.int64], n_blocks: int
) -> list[NDArray[np.int64]]:
    """The scored sessions of each block, in order of time; none is empty.

    Args:
        timeline: The replay; what its sessions show is not looked at.
        owner_block: From `assign_owners`.
        n_blocks: How many blocks.
    """
    scored = np.arange(timeline.scored_from, timeline.n_sessions)
    if owner_block.max() == 0:
        return [piece for piece in np.array_split(scored, n_blocks) if len(piece)]
    group = _block_of(timeline, owner_block, scored, n_blocks)
    return [scored[group == number] for number in np.unique(group)]


def _block_of(
    timeline: Timeline,
    owner_block: NDArray[np.int64],
    sessions: NDArray[np.int64],
    n_blocks: int,
) -> NDArray[np.int64]:
    """The block of owners that each session is scored in."""
    owner = timeline.owner[sessions]
    # A session without an owner is never adjusted; it only has to be in some block.
    return np.where(owner >= 0, owner_block[np.maximum(owner, 0)], sessions % n_blocks)


def _by_owner(
    timeline: Timeline,
    pairs: Pairs,
    owner_block: NDArray[np.int64],
    labels: Labels,
    sessions: list[NDArray[np.int64]],
) -> tuple[ScoringBlock, ...]:
    # Owners without a scored session still learn: their pairs are run with the block before.
    n_blocks = len(pairs.block_offsets) - 1
    filled = [_block_of(timeline, owner_block, mine[:1], n_blocks)[0] for mine in sessions]
    edges = np.append(pairs.block_offsets[filled], pairs.block_offsets[-1])
    edges[0] = 0
    offsets = pairs.showings.offsets
    return tuple(
        _block(
            timeline, labels, mine, Span((int(first), int(last)), offsets[:-1], offsets[1:], True)
        )
        for mine, first, last in zip(sessions, edges[:-1], edges[1:], strict=True)
    )


def _by_time(
    timeline: Timeline, pairs: Pairs, labels: Labels, pieces: list[NDArray[np.int64]]
) -> tuple[ScoringBlock, ...]:
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


def one_block(timeline: Timeline, pairs: Pairs, labels: Labels) -> ScoringBlock:
    """All scored sessions of a timeline as one block, whose pairs are run in one go."""
    scored = np.arange(timeline.scored_from, timeline.n_sessions)
    return _block(timeline, labels, scored, whole_span(pairs.showings))


def whole_span(showings: Showings) -> Span:
    """All pairs, from their first showing to their end."""
    offsets = showings.offsets
    return Span((0, len(offsets) - 1), offsets[:-1], offsets[1:], True)


def _block(
    timeline: Timeline, labels: Labels, sessions: NDArray[np.int64], span: Span
) -> ScoringBlock:
    starts = timeline.offsets[sessions]
    lengths = timeline.offsets[sessions + 1] - starts
    local = offsets_of(lengths)
    rows = labels.among_equals[np.arange(local[-1]) + np.repeat(starts - local[:-1], lengths)]
    left_out = None if labels.left_out is None else labels.left_out[rows]
    return ScoringBlock(
        sessions=sessions,
        rows=rows,
        judgements=judge(labels.gains[rows], local, left_out=left_out),
        span=span,
    )


def rank_block(block: ScoringBlock, scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Rank a block's sessions, as `rank_order` does: equal scores as its rows stand.

    Raises:
        FloatingPointError: If a score is not a finite number.
    """
    mine = scores[block.rows]
    if not np.isfinite(mine).all():
        raise FloatingPointError(
            "a score is NaN or infinite: the setting diverges. Use a smaller adjustment_rate."
        )
    return rank_order(mine, block.judgements.offsets, left_out=block.judgements.left_out)
