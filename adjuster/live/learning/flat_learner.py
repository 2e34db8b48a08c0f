"""Learning a batch in the flat form, term by term as the replay does, so that every bit is its."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.adjusters.base import BatchAdjuster
from adjuster.feedback import FeedbackBatch
from adjuster.live.learning.batch_material import TaughtSessions, find_faults
from adjuster.live.learning.known_copies import PairRows
from adjuster.live.learning.learner import Learner, Lesson
from adjuster.live.learning.vector_table import VectorTable
from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.records import Rows, Term
from adjuster.live.storage.store import Pair, WorkerStore
from adjuster.ragged import offsets_of, row_sums, rows_of
from adjuster.terms import changes, merge_terms, term_weights

MOST_DISTINCT = 0.9
"""Where more of what a batch shows are pairs of their own, the next one will hardly meet them."""


class BatchTerms(NamedTuple):
    """Terms of many pairs, in order of owner's name, object's number and query's name.

    Args:
        owners: Owner of each pair.
        object_ids: Object of each pair.
        number: Shape ``(n_pairs,)``: the object's number in the table of originals.
        queries: Names of the queries, in order.
        pair: Shape ``(n_terms,)``: index of the pair.
        query: Shape ``(n_terms,)``: index into `queries`.
        clicked: Shape ``(n_terms,)``.
        unclicked: Shape ``(n_terms,)``.
    """

    owners: list[str]
    object_ids: list[str]
    number: NDArray[np.int64]
    queries: list[str]
    pair: NDArray[np.int64]
    query: NDArray[np.int64]
    clicked: NDArray[np.float64]
    unclicked: NDArray[np.float64]

    @property
    def pairs(self) -> list[Pair]:
        """The pairs."""
        return list(zip(self.owners, self.object_ids, strict=True))


class FlatLearner(Learner):
    """Learns with an adjuster that takes `FeedbackBatch`.

    Args:
        adjuster: The adjuster.
        store: Queries, copies and terms so far.
        index: The originals.
        generation: Which generation of copies and terms.
        memory: One of `MEMORIES`.
    """

    def __init__(
        self,
        adjuster: BatchAdjuster,
        store: WorkerStore,
        index: VectorIndex,
        generation: int,
        memory: str,
    ) -> None:
        self.adjuster = adjuster
        super().__init__(store, index, generation, memory)

    def find_faults(self, vectors: dict[str, Rows]) -> Iterable[tuple[str, str]]:
        """See `Learner.find_faults`."""
        return find_faults(vectors, self.adjuster.search_index_info)

    def learn(self, sessions: TaughtSessions) -> Lesson:
        """See `Learner.learn`."""
        terms = batch_terms(sessions, self.objects, self.adjuster.term_weight)
        if not terms.owners:
            return Lesson(Copies.of([]), [])
        if self.memory == "refit":
            terms = with_known_terms(terms, self.store.terms(self.generation, terms.pairs))
        rows = self.copies.current(terms.owners, terms.number)
        batch = self._flat_batch(terms, rows)
        adjusted = self.adjuster.adjust_batch(batch)
        changed = np.flatnonzero(row_sums((adjusted != rows.vectors).any(axis=1), rows.offsets))
        repeats = len(terms.owners) < MOST_DISTINCT * len(sessions.shown)
        return Lesson(
            _copies_at(changed, terms, adjusted, rows.offsets),
            _to_remember(terms) if self.memory == "refit" else [],
            terms.number[changed],
            repeats,
        )

    def _flat_batch(self, terms: BatchTerms, rows: PairRows) -> FeedbackBatch:
        vectors = rows.vectors if self.memory == "carry" else rows.originals
        queries, query_offsets = self.queries.gather(self.queries.numbers(terms.queries))
        return FeedbackBatch(
            vectors=vectors,
            originals=rows.originals.astype(vectors.dtype, copy=False),
            object_offsets=rows.offsets,
            query_vectors=queries.astype(vectors.dtype, copy=False),
            query_offsets=query_offsets,
            term_offsets=offsets_of(np.bincount(terms.pair, minlength=len(terms.owners))),
            term_query=terms.query,
            term_clicked=terms.clicked,
            term_unclicked=terms.unclicked,
        )


def batch_terms(sessions: TaughtSessions, objects: VectorTable, term_weight: str) -> BatchTerms:
    """What a batch says of each (owner, object) and query.

    Weights are summed in the order of a log (time, then name), which is the replay's.

    Args:
        sessions: The batch.
        objects: Numbers what they show.
        term_weight: ``session`` or ``impression``.
    """
    ordered = sessions.in_log_order()
    n_shown = np.diff(ordered.offsets)
    session = np.repeat(np.arange(len(ordered)), n_shown)
    n_clicked = row_sums(ordered.clicked, ordered.offsets)
    weights = term_weights(ordered.clicked, session, n_clicked, n_shown, term_weight)
    owners, owner = _ranked(ordered.owners)
    queries, query = _ranked(ordered.query_ids)
    number, n_objects = objects.numbers(ordered.shown), len(objects.names)
    keys = owner[session] * n_objects + number, query[session]
    (pairs, query), *sums = merge_terms(keys, *weights)
    starts = changes(pairs)
    owner, number = np.divmod(pairs[starts], max(n_objects, 1))
    return BatchTerms(
        [owners[row] for row in owner.tolist()],
        [objects.names[row] for row in number.tolist()],
        number,
        queries,
        np.cumsum(starts) - 1,
        query,
        *sums,
    )


def _ranked(names: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct names in order, and each name's place among them."""
    distinct = sorted(set(names))
    rank = dict(zip(distinct, range(len(distinct)), strict=True))
    return distinct, np.fromiter(map(rank.__getitem__, names), np.int64, len(names))


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
    return terms._replace(
        queries=queries, pair=pairs, query=query, clicked=sums[0], unclicked=sums[1]
    )


def _copies_at(
    rows: NDArray[np.int64], terms: BatchTerms, adjusted: Rows, offsets: NDArray[np.int64]
) -> Copies:
    """The new copies of some pairs, by their rows; their parts lie between their offsets."""
    if len(rows) == len(terms.owners):
        return Copies(terms.owners, terms.object_ids, adjusted, offsets)
    theirs = offsets_of(np.diff(offsets)[rows])
    return Copies(
        [terms.owners[row] for row in rows.tolist()],
        [terms.object_ids[row] for row in rows.tolist()],
        adjusted[rows_of(offsets[rows], np.diff(theirs))],
        theirs,
    )


def _to_remember(terms: BatchTerms) -> list[Term]:
    return [
        Term(terms.owners[pair], terms.object_ids[pair], terms.queries[query], clicked, unclicked)
        for pair, query, clicked, unclicked in zip(
            terms.pair.tolist(),
            terms.query.tolist(),
            terms.clicked.tolist(),
            terms.unclicked.tolist(),
            strict=True,
        )
    ]
