"""The lives of (owner, object) pairs: each is shown, scored, adjusted, shown again.

The documented loss is separable, so nothing that happens to one pair depends on another. A whole
replay is therefore a set of independent streams; each is run from its first showing to its last
with its vectors in the core's cache, and no store of copies exists.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.batch import query_rows
from adjuster.fused_engine.knobs import NEWTON, REFIT, Knobs
from adjuster.fused_engine.problem import make_workspace
from adjuster.fused_engine.stream_loop import run_range, score_range
from adjuster.fused_engine.threads import run_chunks
from adjuster.index import SearchIndexInfo
from adjuster.scale import in_range


class Corpus(NamedTuple):
    """The vectors that all streams read.

    Args:
        vectors: Shape ``(n_parts, D)``: the originals.
        object_offsets: Shape ``(n_objects + 1,)``.
        queries: Shape ``(n_query_parts, D)``, as `query_rows` gives them.
        query_offsets: Shape ``(n_queries + 1,)``.
    """

    vectors: NDArray[np.floating]
    object_offsets: NDArray[np.int64]
    queries: NDArray[np.floating]
    query_offsets: NDArray[np.int64]


class Showings(NamedTuple):
    """When each pair is shown; the same for every setting.

    Args:
        pair_object: Shape ``(n_pairs,)``: its object.
        offsets: Shape ``(n_pairs + 1,)``: its showings, in order of time.
        query: Shape ``(n_showings,)``: the query that is asked.
        impression: Shape ``(n_showings,)``: where its score goes.
    """

    pair_object: NDArray[np.int32]
    offsets: NDArray[np.int64]
    query: NDArray[np.int32]
    impression: NDArray[np.int64]


class Lessons(NamedTuple):
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
        steps_early: Shape ``(n_pairs,)``: after how many of its steps a pair's drift is measured
            for the first time; 0 for not at all.
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
    steps_early: NDArray[np.int32]


class StreamState(NamedTuple):
    """Where the streams stand, so that a replay can pause between two blocks.

    Args:
        steps_done: Shape ``(n_pairs,)``.
        touched: Shape ``(n_pairs,)`` bool: adjusted at least once.
        drift: Shape ``(n_pairs,)``: mean over parts of 1 - cosine; NaN until finished or where
            not adjusted.
        early_drift: Shape ``(n_pairs,)``: the same after ``steps_early`` steps, or the first that
            is taken from then on: under refit steps that no showing sees are left out.
        offsets: Shape ``(n_pairs + 1,)`` into `vectors`, or all zero where none are kept.
        vectors: Shape ``(n_kept_parts, D)``: the adjusted copies.
        clicked: Shape ``(n_slots,)``: feedback so far, for ``memory: refit``.
        unclicked: Shape ``(n_slots,)``.
    """

    steps_done: NDArray[np.int64]
    touched: NDArray[np.bool_]
    drift: NDArray[np.float64]
    early_drift: NDArray[np.float64]
    offsets: NDArray[np.int64]
    vectors: NDArray[np.floating]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


class Streams(NamedTuple):
    """The pairs' lives: what is read, when they are shown, and what they learn."""

    corpus: Corpus
    showings: Showings
    lessons: Lessons


class Span(NamedTuple):
    """How far which pairs are run.

    Args:
        pairs: First pair and the one after the last.
        begin: Shape ``(n_pairs,)``: first showing of each pair.
        end: Shape ``(n_pairs,)``: the one after the last.
        finish: Take the steps after the last showing too, and measure drift.
    """

    pairs: tuple[int, int]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    finish: bool


class Answers(NamedTuple):
    """Where the streams write.

    Args:
        scores: At each showing's impression: its score, written only where the pair is adjusted.
        adjusted: At each showing's impression: set where the pair is adjusted.
    """

    scores: NDArray[np.floating]
    adjusted: NDArray[np.bool_]


def make_corpus(
    vectors: NDArray[np.floating],
    object_offsets: NDArray[np.int64],
    query_vectors: NDArray[np.floating],
    query_offsets: NDArray[np.int64],
    index: SearchIndexInfo,
) -> Corpus:
    """Vectors as the streams compare them: contiguous, and under cosine of a safe length.

    A part that `scale` had to multiply is run at that length; the powers of two are those of
    `shifts_of(vectors)`.

    Args:
        vectors: Shape ``(n_parts, D)``.
        object_offsets: Shape ``(n_objects + 1,)``.
        query_vectors: Shape ``(n_query_parts, D)``.
        query_offsets: Shape ``(n_queries + 1,)``.
        index: The metric.
    """
    return Corpus(
        np.ascontiguousarray(in_range(vectors, index.metric_type)),
        object_offsets,
        query_rows(query_vectors, index),
        query_offsets,
    )


def start_state(streams: Streams, *, keep: bool, refit: bool) -> StreamState:
    """The state before the first showing.

    Args:
        streams: The pairs.
        keep: Whether the copies outlive a call of `run_streams`; they must where it is called
            more than once for a pair.
        refit: Whether feedback is remembered.
    """
    corpus, showings, lessons = streams
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
        early_drift=np.full(n_pairs, np.nan),
        offsets=offsets,
        vectors=np.empty((offsets[-1], corpus.vectors.shape[1]), corpus.vectors.dtype),
        clicked=np.zeros(n_slots),
        unclicked=np.zeros(n_slots),
    )


def run_streams(
    knobs: Knobs,
    streams: Streams,
    state: StreamState,
    span: Span,
    answers: Answers,
    *,
    n_threads: int = 0,
) -> None:
    """Run a range of pairs over their showings.

    A showing is scored as an index ranks: by the nearest part (``min``) or the mean over parts
    (``avg``), without temperature.

    Args:
        knobs: The setting.
        streams: The pairs.
        state: Where they stand; moved on.
        span: Which pairs are run, and how far.
        answers: Where scores go.
        n_threads: 0 is one a core; the result does not depend on it.
    """
    first, last = span.pairs
    corpus, (pair_object, *_) = streams.corpus, streams.showings
    parts = np.diff(corpus.object_offsets)[pair_object[first:last]]
    rows = _rows_per_pair(streams, first, last)
    steps = np.diff(streams.lessons.step_offsets[first : last + 1])
    work = steps * (rows if knobs.memory == REFIT else 1) * knobs.num_iterations
    costs = 1 + parts * (span.end[first:last] - span.begin[first:last] + work)

    def run(lo: int, hi: int) -> None:
        most_rows = int(rows[lo:hi].max(initial=1))
        workspace = make_workspace(
            int(parts[lo:hi].max()), most_rows, corpus.vectors, newton=knobs.optimizer == NEWTON
        )
        mine = span._replace(pairs=(first + lo, first + hi))
        run_range(knobs, workspace, streams, state, mine, answers)

    run_chunks(run, costs, n_threads)


def _rows_per_pair(streams: Streams, first: int, last: int) -> NDArray[np.int64]:
    """Rows of all the queries that each pair ever learns from."""
    lessons = streams.lessons
    slots = slice(lessons.slot_offsets[first], lessons.slot_offsets[last])
    lengths = np.diff(streams.corpus.query_offsets)[lessons.slot_query[slots]]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    rows: NDArray[np.int64] = np.diff(ends[lessons.slot_offsets[first : last + 1] - slots.start])
    return rows


def score_originals(
    corpus: Corpus,
    index_knobs: Knobs,
    objects: NDArray[np.integer],
    queries: NDArray[np.integer],
    *,
    n_threads: int = 0,
) -> NDArray[np.floating]:
    """Score objects with the originals, as an index ranks.

    Args:
        corpus: The vectors.
        index_knobs: Metric and pooling.
        objects: Shape ``(n,)``.
        queries: Shape ``(n,)``.
        n_threads: 0 is one a core; the result does not depend on it.

    Returns:
        Shape ``(n,)``, in the type of the vectors.
    """
    scores = np.empty(len(objects), corpus.vectors.dtype)

    def run(lo: int, hi: int) -> None:
        score_range(index_knobs, corpus, objects[lo:hi], queries[lo:hi], scores[lo:hi])

    run_chunks(run, np.ones(len(objects)), n_threads)
    return scores
