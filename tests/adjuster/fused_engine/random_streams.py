"""Random lives of (owner, object) pairs, and ways to run them that must not matter."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from adjuster.fused_engine import problem
from adjuster.fused_engine.knobs import REFIT
from adjuster.fused_engine.streams import (
    Answers,
    Corpus,
    Lessons,
    Showings,
    Span,
    Streams,
    run_streams,
    start_state,
)
from adjuster.ragged import offsets_of

N_PAIRS, N_OBJECTS, N_QUERIES = 30, 9, 6


@dataclass(frozen=True)
class Way:
    """A way to run the streams.

    Args:
        n_blocks: Calls of `run_streams`.
        by_time: Cut every pair's showings, rather than the pairs.
        n_threads: Of each call.
        shift: Numbers by which vectors and working memory lie off a cache line.
    """

    n_blocks: int = 1
    by_time: bool = False
    n_threads: int = 1
    shift: int = 0


def shifted(array, shift):
    """A copy that begins `shift` numbers after a cache line."""
    memory = np.empty(array.nbytes + 64 + shift * array.itemsize, np.uint8)
    first = -memory.ctypes.data % 64 + shift * array.itemsize
    copy = memory[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def random_streams(seed, dimensions, dtype):
    """Corpus, showings and lessons: objects of one to three parts, pairs without lessons too."""
    rng = np.random.default_rng(seed)

    def units(lengths):
        rows = rng.standard_normal((lengths.sum(), dimensions))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(dtype)

    n_parts, n_query_parts = rng.integers(1, 4, N_OBJECTS), rng.integers(1, 3, N_QUERIES)
    corpus = Corpus(
        units(n_parts), offsets_of(n_parts), units(n_query_parts), offsets_of(n_query_parts)
    )
    n_shown, n_steps = rng.integers(1, 6, N_PAIRS), rng.integers(0, 4, N_PAIRS)
    showings = Showings(
        pair_object=rng.integers(0, N_OBJECTS, N_PAIRS).astype(np.int32),
        offsets=offsets_of(n_shown),
        query=rng.integers(0, N_QUERIES, n_shown.sum()).astype(np.int32),
        impression=rng.permutation(n_shown.sum()),
    )
    n_terms = rng.integers(1, 4, n_steps.sum())
    terms = [rng.permutation(N_QUERIES)[:count] for count in n_terms]
    slot = np.concatenate([np.empty(0, np.int64), *terms]).astype(np.int32)
    before = [
        np.sort(rng.integers(0, most + 1, count))
        for most, count in zip(n_steps, n_shown, strict=True)
    ]
    lessons = Lessons(
        step_offsets=offsets_of(n_steps),
        term_offsets=offsets_of(n_terms),
        term_query=slot,
        term_slot=slot,
        clicked=rng.uniform(0.0, 1.0, len(slot)),
        unclicked=rng.uniform(0.0, 1.0, len(slot)),
        slot_offsets=offsets_of([N_QUERIES] * N_PAIRS),
        slot_query=np.tile(np.arange(N_QUERIES, dtype=np.int32), N_PAIRS),
        steps_before=np.concatenate(before).astype(np.int32),
        steps_early=rng.integers(0, n_steps + 1).astype(np.int32),
    )
    return Streams(corpus, showings, lessons)


def run(knobs, streams, way):
    """Scores, marks and both drifts of every pair, as bytes."""
    corpus, n_shown = streams.corpus, len(streams.showings.query)
    elsewhere = corpus._replace(
        vectors=shifted(corpus.vectors, way.shift),
        queries=shifted(corpus.queries, 3 * way.shift % 16),
    )
    streams = streams._replace(corpus=elsewhere)
    answers = Answers(np.zeros(n_shown, corpus.vectors.dtype), np.zeros(n_shown, np.bool_))
    state = start_state(streams, keep=way.by_time, refit=knobs.memory == REFIT)
    aligned = problem.aligned_empty
    problem.aligned_empty = lambda shape, dtype: shifted(np.empty(shape, dtype), way.shift)
    try:
        for span in _spans(streams.showings.offsets, way):
            run_streams(knobs, streams, state, span, answers, n_threads=way.n_threads)
    finally:
        problem.aligned_empty = aligned
    columns = (answers.scores, answers.adjusted, state.drift, state.early_drift)
    return tuple(column.tobytes() for column in columns)


def _spans(offsets, way):
    if way.by_time:
        lengths = np.diff(offsets)
        cuts = [offsets[:-1] + lengths * k // way.n_blocks for k in range(way.n_blocks + 1)]
        for number in range(way.n_blocks):
            last = number == way.n_blocks - 1
            yield Span((0, N_PAIRS), cuts[number], cuts[number + 1], last)
        return
    edges = np.linspace(0, N_PAIRS, way.n_blocks + 1).astype(int).tolist()
    for lo, hi in pairwise(edges):
        yield Span((lo, hi), offsets[:-1], offsets[1:], True)
