"""The lives of (owner, object) pairs: each is shown, scored, adjusted, shown again.

The documented loss is separable, so nothing that happens to one pair depends on another. A whole
replay is therefore a set of independent streams; each is run from its first showing to its last
with its vectors in the core's cache, and no store of copies exists.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.batch import run_chunks
from adjuster.fused_engine.descent import descend
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import copy_rows, dot_span, inverse_root, raw_span, similarity_of
from adjuster.fused_engine.knobs import COSINE, MIN, Knobs
from adjuster.fused_engine.problem import Problem, gather_rows, make_room


@dataclass(frozen=True)
class Corpus:
    """The vectors that all streams read.

    Args:
        vectors: Shape ``(n_parts, D)``: the originals.
        object_offsets: Shape ``(n_objects + 1,)``.
        queries: Shape ``(n_query_parts, D)``, as `fused.query_rows` gives them.
        query_offsets: Shape ``(n_queries + 1,)``.
    """

    vectors: NDArray[np.floating]
    object_offsets: NDArray[np.int64]
    queries: NDArray[np.floating]
    query_offsets: NDArray[np.int64]


@dataclass(frozen=True)
class Showings:
    """When each pair is shown; the same for every setting.

    Args:
        pair_object: Shape ``(n_pairs,)``: its object.
        offsets: Shape ``(n_pairs + 1,)``: its showings, in order of time.
        query: Shape ``(n_showings,)``: the query that is asked.
        place: Shape ``(n_showings,)``: where its score goes.
    """

    pair_object: NDArray[np.int32]
    offsets: NDArray[np.int64]
    query: NDArray[np.int32]
    place: NDArray[np.int64]


@dataclass(frozen=True)
class Lessons:
    """What each pair learns and when: the steps of the worker that touch it, with their terms.

    Args:
        step_offsets: Shape ``(n_pairs + 1,)``: its steps, in order of time.
        term_offsets: Shape ``(n_steps + 1,)``: a step's terms, one a query.
        term_query: Shape ``(n_terms,)``.
        term_slot: Shape ``(n_terms,)``: which of the pair's distinct queries, from 0.
        clicked: Shape ``(n_terms,)``: weight of the clicked term.
        unclicked: Shape ``(n_terms,)``: weight of the unclicked term.
        slot_offsets: Shape ``(n_pairs + 1,)``: the pair's distinct queries.
        slot_query: Shape ``(n_slots,)``.
        steps_before: Shape ``(n_showings,)``: how many of the pair's steps came before each
            showing.
    """

    step_offsets: NDArray[np.int64]
    term_offsets: NDArray[np.int64]
    term_query: NDArray[np.int32]
    term_slot: NDArray[np.int32]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]
    slot_offsets: NDArray[np.int64]
    slot_query: NDArray[np.int32]
    steps_before: NDArray[np.int32]


@dataclass
class StreamState:
    """Where the streams stand, so that a replay can pause between two blocks.

    Args:
        steps_done: Shape ``(n_pairs,)``.
        touched: Shape ``(n_pairs,)`` bool: adjusted at least once.
        drift: Shape ``(n_pairs,)``: mean over parts of 1 - cosine; NaN until finished or where
            not adjusted.
        offsets: Shape ``(n_pairs + 1,)`` into `vectors`, or all zero where none are kept.
        vectors: Shape ``(n_kept_parts, D)``: the adjusted copies.
        clicked: Shape ``(n_slots,)``: feedback so far, for ``memory: refit``.
        unclicked: Shape ``(n_slots,)``.
    """

    steps_done: NDArray[np.int64]
    touched: NDArray[np.bool_]
    drift: NDArray[np.float64]
    offsets: NDArray[np.int64]
    vectors: NDArray[np.floating]
    clicked: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    unclicked: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


def start_state(
    corpus: Corpus, showings: Showings, lessons: Lessons, *, keep: bool, refit: bool
) -> StreamState:
    """The state before the first showing.

    Args:
        corpus: The vectors.
        showings: The pairs.
        lessons: What they learn.
        keep: Whether the copies outlive a call of `run_streams`; they must where it is called
            more than once for a pair.
        refit: Whether feedback is remembered.
    """
    n_pairs = len(showings.pair_object)
    learns = np.diff(lessons.step_offsets) > 0
    parts = np.diff(corpus.object_offsets)[showings.pair_object]
    offsets = np.zeros(n_pairs + 1, np.int64)
    if keep:
        np.cumsum(np.where(learns, parts, 0), out=offsets[1:])
    n_slots = len(lessons.slot_query) if refit else 0
    return StreamState(
        steps_done=np.zeros(n_pairs, np.int64),
        touched=np.zeros(n_pairs, np.bool_),
        drift=np.full(n_pairs, np.nan),
        offsets=offsets,
        vectors=np.empty((offsets[-1], corpus.vectors.shape[1]), corpus.vectors.dtype),
        clicked=np.zeros(n_slots),
        unclicked=np.zeros(n_slots),
    )


def run_streams(
    knobs: Knobs,
    corpus: Corpus,
    showings: Showings,
    lessons: Lessons,
    state: StreamState,
    *,
    pairs: tuple[int, int],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    finish: bool,
    scores: NDArray[np.floating],
    adjusted: NDArray[np.bool_],
    n_threads: int = 0,
) -> None:
    """Run a range of pairs over their showings ``begin[p]:end[p]``.

    A showing is scored as an index ranks: by the nearest part (``min``) or the mean over parts
    (``avg``), without temperature.

    Args:
        knobs: The setting.
        corpus: The vectors.
        showings: The pairs' showings.
        lessons: The pairs' lessons.
        state: Where they stand; moved on.
        pairs: First pair and the one after the last.
        begin: Shape ``(n_pairs,)``.
        end: Shape ``(n_pairs,)``.
        finish: Take the steps after the last showing too, and measure drift.
        scores: At each showing's place: the score, written only where the pair is adjusted.
        adjusted: At each showing's place: set where the pair is adjusted.
        n_threads: 0 is one a core; the result does not depend on it.
    """
    first, last = pairs
    parts = np.diff(corpus.object_offsets)[showings.pair_object[first:last]]
    slots = slice(lessons.slot_offsets[first], lessons.slot_offsets[last])
    row_ends = np.concatenate(
        [[0], np.cumsum(np.diff(corpus.query_offsets)[lessons.slot_query[slots]])]
    )
    rows = np.diff(row_ends[lessons.slot_offsets[first : last + 1] - slots.start])
    steps = np.diff(lessons.step_offsets[first : last + 1])
    work = steps * (rows if knobs.refit else 1) * knobs.num_iterations
    costs = 1 + parts * (end[first:last] - begin[first:last] + work)

    def run(lo: int, hi: int) -> None:
        room = make_room(int(parts[lo:hi].max()), int(rows[lo:hi].max(initial=1)), corpus.vectors)
        spare = np.empty((int(parts[lo:hi].max()), corpus.vectors.shape[1]), corpus.vectors.dtype)
        _run_range(
            knobs,
            room,
            spare,
            first + lo,
            first + hi,
            begin,
            end,
            finish,
            corpus.vectors,
            corpus.object_offsets,
            corpus.queries,
            corpus.query_offsets,
            showings.pair_object,
            showings.query,
            showings.place,
            lessons.step_offsets,
            lessons.term_offsets,
            lessons.term_query,
            lessons.term_slot,
            lessons.clicked,
            lessons.unclicked,
            lessons.slot_offsets,
            lessons.slot_query,
            lessons.steps_before,
            state.steps_done,
            state.touched,
            state.drift,
            state.offsets,
            state.vectors,
            state.clicked,
            state.unclicked,
            scores,
            adjusted,
        )

    run_chunks(run, costs, n_threads)


def score_originals(
    corpus: Corpus, index_knobs: Knobs, objects: NDArray[np.integer], queries: NDArray[np.integer]
) -> NDArray[np.floating]:
    """Score objects with the originals, as an index ranks.

    Args:
        corpus: The vectors.
        index_knobs: Metric and pooling.
        objects: Shape ``(n,)``.
        queries: Shape ``(n,)``.

    Returns:
        Shape ``(n,)``, in the type of the vectors.
    """
    scores = np.empty(len(objects), corpus.vectors.dtype)

    def run(lo: int, hi: int) -> None:
        _score_range(
            index_knobs,
            lo,
            hi,
            objects,
            queries,
            corpus.vectors,
            corpus.object_offsets,
            corpus.queries,
            corpus.query_offsets,
            scores,
        )

    run_chunks(run, np.ones(len(objects)))
    return scores


@compiled(inline=True)
def ranking_score(knobs, x, lo, hi, queries, first, last):
    """Score of the parts ``x[lo:hi]`` for the query rows ``first:last``."""
    best, total = -np.inf, 0.0
    for m in range(lo, hi):
        inverse = 1.0
        if knobs.metric == COSINE:
            inverse = inverse_root(np.float64(dot_span(x, m, x, m, 0, x.shape[1])))
        for row in range(first, last):
            raw = np.float64(raw_span(knobs.metric, queries, row, x, m, 0, x.shape[1]))
            similarity = similarity_of(knobs.metric, raw, inverse)
            best = max(best, similarity)
            total += similarity
    if knobs.pooling == MIN:
        return best
    return total / ((hi - lo) * (last - first))


@compiled()
def _score_range(
    knobs, lo, hi, objects, query_of, vectors, object_offsets, queries, query_offsets, scores
):
    for i in range(lo, hi):
        o, query = objects[i], query_of[i]
        scores[i] = ranking_score(
            knobs,
            vectors,
            object_offsets[o],
            object_offsets[o + 1],
            queries,
            query_offsets[query],
            query_offsets[query + 1],
        )


@compiled(inline=True)
def mean_drift(x, original):
    """Mean over parts of 1 - cosine(original, x); a zero vector has cosine 0."""
    total = 0.0
    for m in range(x.shape[0]):
        both = np.float64(dot_span(x, m, original, m, 0, x.shape[1]))
        left = inverse_root(np.float64(dot_span(x, m, x, m, 0, x.shape[1])))
        right = inverse_root(np.float64(dot_span(original, m, original, m, 0, x.shape[1])))
        total += 1.0 - both * left * right
    return total / x.shape[0]


@compiled(inline=True)
def relearn(
    knobs, room, x, original, queries, query_offsets, slot_query, clicked, unclicked, lo, hi
):
    """Fit a pair anew from its original, with the feedback so far in its slots ``lo:hi``."""
    n_rows, n_terms = 0, 0
    for k in range(lo, hi):
        if clicked[k] > 0.0 or unclicked[k] > 0.0:
            room.clicked[n_terms] = clicked[k]
            room.unclicked[n_terms] = unclicked[k]
            n_rows = gather_rows(room, n_rows, n_terms, slot_query[k], query_offsets)
            n_terms += 1
    problem = Problem(
        x,
        original,
        original,
        queries,
        room.rows[:n_rows],
        room.term_rows[: n_terms + 1],
        room.clicked[:n_terms],
        room.unclicked[:n_terms],
    )
    return descend(knobs, problem, room)


@compiled(inline=True)
def learn(knobs, room, x, original, queries, query_offsets, term_query, clicked, unclicked, lo, hi):
    """Go on from where a pair stands, with the terms ``lo:hi`` of one step."""
    n_rows = 0
    for j in range(lo, hi):
        n_rows = gather_rows(room, n_rows, j - lo, term_query[j], query_offsets)
    start = room.start[: x.shape[0]]
    copy_rows(start, x)
    problem = Problem(
        x,
        start,
        original,
        queries,
        room.rows[:n_rows],
        room.term_rows[: hi - lo + 1],
        clicked[lo:hi],
        unclicked[lo:hi],
    )
    return descend(knobs, problem, room)


@compiled()
def _run_range(
    knobs,
    room,
    spare,
    lo,
    hi,
    begin,
    end,
    finish,
    vectors,
    object_offsets,
    queries,
    query_offsets,
    pair_object,
    show_query,
    show_place,
    step_offsets,
    term_offsets,
    term_query,
    term_slot,
    term_clicked,
    term_unclicked,
    slot_offsets,
    slot_query,
    steps_before,
    steps_done,
    touched,
    drift,
    state_offsets,
    state_vectors,
    slot_clicked,
    slot_unclicked,
    scores,
    adjusted,
):
    """Run the pairs ``lo:hi``; the arguments are the fields of `run_streams`' arguments."""
    for p in range(lo, hi):
        first_step = step_offsets[p]
        n_steps = step_offsets[p + 1] - first_step
        if n_steps == 0:
            continue
        o = pair_object[p]
        original = vectors[object_offsets[o] : object_offsets[o + 1]]
        n_parts = original.shape[0]
        if state_offsets[p + 1] > state_offsets[p]:
            x = state_vectors[state_offsets[p] : state_offsets[p + 1]]
        else:
            x = spare[:n_parts]
        done = steps_done[p]
        if done == 0:
            copy_rows(x, original)
        slots = slot_offsets[p]
        # One turn past the last showing, where the streams are to be finished.
        for i in range(begin[p], end[p] + (1 if finish else 0)):
            needed = n_steps if i == end[p] else steps_before[i]
            if needed > done:
                if knobs.refit:
                    # Only the last of several steps can be seen: each starts from the original.
                    for j in range(
                        term_offsets[first_step + done], term_offsets[first_step + needed]
                    ):
                        slot_clicked[slots + term_slot[j]] += term_clicked[j]
                        slot_unclicked[slots + term_slot[j]] += term_unclicked[j]
                    touched[p] |= relearn(
                        knobs,
                        room,
                        x,
                        original,
                        queries,
                        query_offsets,
                        slot_query,
                        slot_clicked,
                        slot_unclicked,
                        slots,
                        slot_offsets[p + 1],
                    )
                else:
                    for step in range(first_step + done, first_step + needed):
                        touched[p] |= learn(
                            knobs,
                            room,
                            x,
                            original,
                            queries,
                            query_offsets,
                            term_query,
                            term_clicked,
                            term_unclicked,
                            term_offsets[step],
                            term_offsets[step + 1],
                        )
                done = needed
            if i < end[p] and touched[p]:
                query = show_query[i]
                scores[show_place[i]] = ranking_score(
                    knobs,
                    x,
                    0,
                    n_parts,
                    queries,
                    query_offsets[query],
                    query_offsets[query + 1],
                )
                adjusted[show_place[i]] = True
        steps_done[p] = done
        if finish and touched[p]:
            drift[p] = mean_drift(x, original)
