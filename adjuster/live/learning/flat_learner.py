"""Learning a batch in the flat form, term by term as the replay does, so that every bit is its."""

from collections.abc import Sequence
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.adjusters.base import BatchAdjuster
from adjuster.feedback import FeedbackBatch
from adjuster.live.learning.batch_material import TaughtSession, Vectors, find_faults
from adjuster.live.learning.learner import Learner, Lesson
from adjuster.live.storage.records import Copy, Rows, Term
from adjuster.live.storage.store import Pair, WorkerStore
from adjuster.ragged import offsets_of, row_sums
from adjuster.terms import merge_terms, term_weights


class BatchTerms(NamedTuple):
    """Terms of many pairs, a pair's together in order of their queries' names.

    Args:
        pairs: The pairs.
        queries: Names of the queries, in order.
        pair: Shape ``(n_terms,)``: index into `pairs`.
        query: Shape ``(n_terms,)``: index into `queries`.
        clicked: Shape ``(n_terms,)``.
        unclicked: Shape ``(n_terms,)``.
    """

    pairs: list[Pair]
    queries: list[str]
    pair: NDArray[np.int64]
    query: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]


class FlatLearner(Learner):
    """Learns with an adjuster that takes `FeedbackBatch`.

    Args:
        adjuster: The adjuster.
        store: Copies and terms so far.
        generation: Which generation of them.
        memory: One of `MEMORIES`.
    """

    def __init__(
        self, adjuster: BatchAdjuster, store: WorkerStore, generation: int, memory: str
    ) -> None:
        super().__init__(store, generation, memory)
        self.adjuster = adjuster

    def faults(self, vectors: Vectors) -> dict[tuple[str, str], str]:
        """See `Learner.faults`."""
        return dict(find_faults(vectors, self.adjuster.search_index_info))

    def learn(self, sessions: Sequence[TaughtSession], vectors: Vectors) -> Lesson:
        """See `Learner.learn`."""
        terms = batch_terms(sessions, self.adjuster.term_weight)
        queries = vectors.queries
        if self.memory == "refit":
            known = self.store.terms(self.generation, terms.pairs)
            terms = with_known_terms(terms, known)
            queries = queries | self.store.queries(set(terms.queries) - set(queries))
        current = list(self.current(terms.pairs, vectors).values())
        originals = [vectors.originals[object_id] for _, object_id in terms.pairs]
        starts = current if self.memory == "carry" else originals
        if not terms.pairs:
            return Lesson([], [])
        batch = _flat_batch(terms, starts, originals, [queries[name] for name in terms.queries])
        adjusted = self.adjuster.adjust_batch(batch)
        before = batch.vectors if starts is current else np.concatenate(current)
        return Lesson(
            _changed_copies(terms.pairs, adjusted, before, batch.object_offsets),
            _to_remember(terms) if self.memory == "refit" else [],
        )


def batch_terms(sessions: Sequence[TaughtSession], term_weight: str) -> BatchTerms:
    """What a batch says of each (owner, object) and query.

    Weights are summed in the order of a log (time, then name), which is the replay's.

    Args:
        sessions: The batch.
        term_weight: ``session`` or ``impression``.
    """
    ordered = sorted(sessions, key=_log_order)
    n_shown = np.array([len(taught.clicked) for taught in ordered], np.int64)
    session = np.repeat(np.arange(len(ordered)), n_shown)
    clicked = np.concatenate([np.empty(0, np.bool_), *(taught.clicked for taught in ordered)])
    n_clicked = row_sums(clicked, offsets_of(n_shown))
    weights = term_weights(clicked, session, n_clicked, n_shown, term_weight)
    shown: list[Pair] = []
    for taught in ordered:
        shown.extend(zip(repeat(taught.session.owner), taught.session.shown, strict=False))
    numbers = dict(zip(dict.fromkeys(shown), count(), strict=False))
    pair = list(map(numbers.__getitem__, shown))
    names = [taught.session.query_id for taught in ordered]
    queries = sorted(set(names))
    number_of = {name: number for number, name in enumerate(queries)}
    query = np.array([number_of[name] for name in names], np.int64)[session]
    (pairs, query), *sums = merge_terms((np.array(pair, np.int64), query), *weights)
    return BatchTerms(list(numbers), queries, pairs, query, *sums)


def with_known_terms(terms: BatchTerms, known: Sequence[Term]) -> BatchTerms:
    """The terms of a batch on top of what its pairs have learnt before.

    Args:
        terms: The batch's.
        known: All that its pairs have learnt.
    """
    queries = sorted({*terms.queries, *(term.query_id for term in known)})
    query_of = {name: number for number, name in enumerate(queries)}
    pair_of = {pair: number for number, pair in enumerate(terms.pairs)}
    renamed = np.array([query_of[name] for name in terms.queries], np.int64)[terms.query]
    before = [(pair_of[term.owner, term.object_id], query_of[term.query_id]) for term in known]
    pair, query = np.array(before, np.int64).reshape(-1, 2).T
    (pairs, query), *sums = merge_terms(
        (np.concatenate([pair, terms.pair]), np.concatenate([query, renamed])),
        np.concatenate([[term.clicked for term in known], terms.clicked]),
        np.concatenate([[term.unclicked for term in known], terms.unclicked]),
    )
    return BatchTerms(terms.pairs, queries, pairs, query, *sums)


def _flat_batch(
    terms: BatchTerms, starts: list[Rows], originals: list[Rows], queries: list[Rows]
) -> FeedbackBatch:
    vectors = np.concatenate(starts)
    return FeedbackBatch(
        vectors=vectors,
        originals=np.concatenate(originals).astype(vectors.dtype, copy=False),
        object_offsets=offsets_of([len(rows) for rows in starts]),
        query_vectors=np.concatenate(queries).astype(vectors.dtype, copy=False),
        query_offsets=offsets_of([len(rows) for rows in queries]),
        term_offsets=offsets_of(np.bincount(terms.pair, minlength=len(terms.pairs))),
        term_query=terms.query,
        term_clicked=terms.clicked,
        term_unclicked=terms.unclicked,
    )


def _changed_copies(
    pairs: list[Pair], adjusted: Rows, before: Rows, offsets: NDArray[np.int64]
) -> list[Copy]:
    """The pairs that do not end as they were before; their parts lie between their offsets."""
    differs = row_sums((adjusted != before).any(axis=1), offsets) > 0
    bounds = offsets.tolist()
    return [
        Copy(*pairs[number], adjusted[bounds[number] : bounds[number + 1]])
        for number in np.flatnonzero(differs).tolist()
    ]


def _to_remember(terms: BatchTerms) -> list[Term]:
    return [
        Term(owner, object_id, terms.queries[query], clicked, unclicked)
        for (owner, object_id), query, clicked, unclicked in zip(
            [terms.pairs[number] for number in terms.pair.tolist()],
            terms.query.tolist(),
            terms.clicked.tolist(),
            terms.unclicked.tolist(),
            strict=True,
        )
    ]


def _log_order(taught: TaughtSession) -> tuple[int, str]:
    return taught.session.created_at, taught.session.session_id
