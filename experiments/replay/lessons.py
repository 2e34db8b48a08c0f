"""What each (owner, object) pair is shown and what it learns at each of the worker's calls.

A pair's showings and lessons depend on no other pair. They stand grouped by pair, so that any
range of pairs can be replayed apart from the rest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.streams import Lessons, Showings
from adjuster.ragged import offsets_of
from adjuster.terms import changes, merge_terms, term_weights
from experiments.replay.schedule import Schedule
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class Pairs:
    """The (owner, object) pairs of a timeline, grouped by block of owners.

    Args:
        owner: Shape ``(n_pairs,)``.
        showings: When each is shown.
        pair: Shape ``(n_showings,)``: the pair of each showing.
        block_offsets: Shape ``(n_owner_blocks + 1,)``: the pairs of each block of owners.
    """

    owner: NDArray[np.int64]
    showings: Showings
    pair: NDArray[np.int64]
    block_offsets: NDArray[np.int64]


def build_pairs(timeline: Timeline, *, owner_block: NDArray[np.int64]) -> Pairs:
    """Group what is shown by (block of owners, owner, object), in order of time.

    Args:
        timeline: The replay.
        owner_block: Shape ``(n_owners,)``: the block of each owner.
    """
    log, session_of = timeline.log, timeline.session_of
    n_objects = log.n_objects
    owner_rank = np.argsort(np.argsort(owner_block, kind="stable"), kind="stable")
    owned = np.flatnonzero(timeline.owner[session_of] >= 0)
    owner = timeline.owner[session_of[owned]]
    key = owner_rank[owner] * n_objects + log.impression_object[owned]
    order = np.argsort(key, kind="stable")
    impression, key = owned[order], key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    pair_owner = owner[order][starts]
    pair_object = key[starts] % n_objects
    blocks = owner_block[pair_owner]
    return Pairs(
        owner=pair_owner,
        showings=Showings(
            pair_object=pair_object.astype(np.int32),
            offsets=np.append(starts, len(key)).astype(np.int64),
            query=timeline.query[session_of[impression]],
            impression=impression,
        ),
        pair=np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(key)))),
        block_offsets=offsets_of(np.bincount(blocks, minlength=int(owner_block.max()) + 1)),
    )


def no_pairs() -> Pairs:
    """The pairs of who only scores sessions."""
    nothing = np.empty(0, np.int64)
    few = nothing.astype(np.int32)
    showings = Showings(few, np.zeros(1, np.int64), few, nothing)
    return Pairs(nothing, showings, nothing, np.zeros(2, np.int64))


def build_lessons(
    timeline: Timeline, showings: Showings, schedule: Schedule, *, term_weight: str
) -> Lessons:
    """What each pair learns at each step: one term a query, weights of its sessions summed.

    Args:
        timeline: The replay.
        showings: When its pairs are shown.
        schedule: The worker's ticks.
        term_weight: ``session`` (1/|clicked|, 1/|unclicked|) or ``impression`` (1 each).
    """
    n_pairs = len(showings.pair_object)
    pair_of = np.repeat(np.arange(n_pairs), np.diff(showings.offsets))
    n_steps, n_queries = max(1, len(schedule.step_at)), max(1, len(timeline.log.query_ids))
    impression, session_of = showings.impression, timeline.session_of
    rows = np.flatnonzero(schedule.step[session_of[impression]] >= 0)
    session, pair = session_of[impression[rows]], pair_of[rows]
    step, query = schedule.step[session], timeline.query[session].astype(np.int64)
    taken = schedule.taken
    flags = timeline.click_at[impression[rows]] <= taken.known_at[session]
    clicked, unclicked = term_weights(flags, session, taken.n_clicked, taken.n_shown, term_weight)
    (pair, step, query), clicked, unclicked = merge_terms((pair, step, query), clicked, unclicked)
    new_step = changes(pair, step)
    step_pair = pair[new_step]
    slot_offsets, slot_query, term_slot = _slots(pair, query, n_pairs, n_queries)
    step_offsets = offsets_of(np.bincount(step_pair, minlength=n_pairs))
    step_keys = step_pair * (n_steps + 1) + step[new_step]
    calls_before = np.searchsorted(schedule.step_at, timeline.created_at, side="left")
    calls_early = np.searchsorted(schedule.step_at, timeline.middle_at, side="left")

    def steps_before(pair: NDArray[np.int64], calls: NDArray[np.integer]) -> NDArray[np.int32]:
        """How many of some pairs' steps are among so many first calls."""
        keys = pair * (n_steps + 1) + calls
        before: NDArray[np.int64] = np.searchsorted(step_keys, keys) - step_offsets[pair]
        return before.astype(np.int32)

    return Lessons(
        step_offsets=step_offsets,
        term_offsets=np.append(np.flatnonzero(new_step), len(query)).astype(np.int64),
        term_query=query.astype(np.int32),
        term_slot=term_slot,
        clicked=clicked,
        unclicked=unclicked,
        slot_offsets=slot_offsets,
        slot_query=slot_query,
        steps_before=steps_before(pair_of, calls_before[session_of[impression]]),
        steps_early=steps_before(np.arange(n_pairs), np.full(n_pairs, calls_early)),
    )


def _slots(
    pair: NDArray[np.int64], query: NDArray[np.int64], n_pairs: int, n_queries: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Number each pair's distinct queries from 0."""
    keys, inverse = np.unique(pair * n_queries + query, return_inverse=True)
    offsets = offsets_of(np.bincount(keys // n_queries, minlength=n_pairs))
    slots = inverse - offsets[pair]
    return offsets, (keys % n_queries).astype(np.int32), slots.astype(np.int32)
