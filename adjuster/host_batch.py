"""From a host's sessions to the flat form that the engines take, in a few vectorised calls.

A host hands over tens of thousands of small objects; what is done for each of them one by one soon
takes longer than the adjustment itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import (
    FeedbackBatch,
    FeedbackLayout,
    ScatteredBatch,
    Shown,
    element_parts,
)
from adjuster.host_rows import (
    Sources,
    check_rows,
    is_misshapen,
    may_be_padded,
    name_of,
    originals_of,
    to_array,
    vector_rows,
)
from adjuster.host_sessions import SourceOf, read_shown
from adjuster.index import SearchIndexInfo
from adjuster.ragged import offsets_of, rows_of
from adjuster.terms import merge_terms, term_weights

Rows = NDArray[np.floating]
Stack = Callable[[Sequence[Any]], Rows]
"""From many vectors of shape ``(parts, D)`` to all of their rows, one after the other."""

FEW_NUMBERS = 8

FIRST_OF, FEWEST_IN_PARTS = 8, 256
"""An eighth of the sessions is soon read and keeps the other cores busy while the others are; fewer
sessions than this are not worth a second start."""

AddressesOf = Callable[[Sequence[Any]], tuple[NDArray[np.int64], np.dtype[Any]] | None]
"""From vectors of shape ``(parts, D)`` to the address of each one's first number, the others behind
it, and the type of all numbers; None where that cannot be told."""


def stack_arrays(vectors: Sequence[Any]) -> Rows:
    """All rows of many vectors, tensors or arrays of any type, as float32 or float64."""
    return np.concatenate([to_array(vector) for vector in vectors])


class _Blocks(NamedTuple):
    """Vectors of several parts each: their rows, and how many each has."""

    rows: Rows
    lengths: NDArray[np.int64]


def build_batch(
    sessions: Sequence[Any],
    index: SearchIndexInfo,
    *,
    term_weight: str = "session",
    stack: Stack = stack_arrays,
) -> FeedbackLayout:
    """Flatten sessions of the plugin API.

    Elements with the same (user_id, id) are one object: the sessions that share it adjust it
    jointly. The first one seen gives the vector. Terms on one query are merged; two queries are
    one if their vectors are equal. A session without a clicked object says nothing.

    Args:
        sessions: Objects with ``session_id``, ``query.vector``, ``clicked_elements`` and
            ``non_clicked_elements``.
        index: The search index.
        term_weight: ``session`` or ``impression``.
        stack: How vectors become rows.

    Raises:
        ValueError: Naming session, object and field, for a vector that is not ``(parts, D)``,
            not finite, or zero under cosine, and for an object twice in a session.
    """
    feedback = HostFeedback(sessions, index, term_weight, stack)
    return FeedbackLayout(feedback.gathered(), feedback.shown)


@dataclass(frozen=True)
class HostFeedback:
    """Sessions of the plugin API, of which nothing has been read until it is asked for.

    Args:
        sessions: The sessions.
        index: The search index.
        term_weight: ``session`` or ``impression``.
        stack: How vectors become rows.
        known: What the sessions show, if that was read already.
    """

    sessions: Sequence[Any]
    index: SearchIndexInfo
    term_weight: str
    stack: Stack
    known: Shown | None = None

    @cached_property
    def shown(self) -> Shown:
        """What the sessions show; errors of `read_shown`."""
        return read_shown(self.sessions) if self.known is None else self.known

    def parts(self) -> Iterator["HostFeedback"]:
        """The first few sessions, then the others: one is adjusted while the other is read.

        The whole alone where that is not worth it. Where both show an object, which is known only
        once all are read, the whole comes second, in place of the others.
        """
        if len(self.sessions) >= FEWEST_IN_PARTS:
            sessions, n_first = list(self.sessions), len(self.sessions) // FIRST_OF
            head = replace(self, sessions=sessions[:n_first])
            # What so few sessions show again, the others are likely to.
            if head.shown.elements and head.shown.is_each_another:
                yield head
                others = self.shown.after(n_first)
                if others is not None:
                    yield replace(self, sessions=sessions[n_first:], known=others)
                    return
        yield self

    @cached_property
    def objects(self) -> list[Any]:
        """The first element of each object, which gives its vector."""
        elements = self.shown.elements
        if self.shown.is_each_another:
            return elements
        return [elements[row] for row in self.shown.first.tolist()]

    def gathered(self) -> FeedbackBatch:
        """The batch, its vectors gathered in one array and checked; errors of `build_batch`."""
        sources = SourceOf(self.sessions, self.shown, self.shown.first)
        objects = self._blocks(self.objects, sources)
        check_rows(objects.rows, objects.lengths, sources, self.index)
        self._check_again(objects.lengths)
        return FeedbackBatch(
            vectors=objects.rows,
            originals=self._originals(objects, sources),
            **self._terms(objects.lengths, objects.rows.dtype),
        )

    def scattered(self, addresses_of: AddressesOf) -> ScatteredBatch | None:
        """The batch, its vectors left where they are, not checked but for their shapes.

        Args:
            addresses_of: Tells where vectors are.

        Returns:
            None where vectors cannot be read in place, or the host tells of originals.

        Raises:
            ValueError: As `build_batch`, but for what is wrong with an object's own numbers.
        """
        objects = self.objects
        if not _is_told_nothing(originals_of(objects)):
            return None
        sources = SourceOf(self.sessions, self.shown, self.shown.first)
        vectors = [element.vector for element in objects]
        lengths, whole = self._lengths(objects, vectors, sources)
        found = addresses_of(vectors)
        if found is None:
            return None
        addresses, dtype = found
        again = self._check_again(lengths)
        is_alike = lengths is whole and self._are_alike(again, lengths, dtype, addresses_of)
        return ScatteredBatch(
            addresses=addresses,
            dtype=dtype,
            holders=vectors,
            is_alike=is_alike,
            **self._terms(lengths, dtype),
        )

    def _terms(self, lengths: NDArray[np.int64], dtype: np.dtype[Any]) -> dict[str, Any]:
        """The fields of `FeedbackTerms` for objects of so many parts."""
        shown = self.shown
        queries, query = self._queries()
        taught = (shown.n_clicked > 0)[shown.session]
        session = shown.session[taught]
        owned, asked = shown.places[taught], query[session]
        clicked, unclicked = term_weights(
            shown.clicked[taught], session, shown.n_clicked, shown.n_shown, self.term_weight
        )
        if not shown.is_each_another:
            (owned, asked), clicked, unclicked = merge_terms((owned, asked), clicked, unclicked)
        return {
            "object_offsets": offsets_of(lengths),
            "query_vectors": queries.rows.astype(dtype, copy=False),
            "query_offsets": offsets_of(queries.lengths),
            "term_offsets": offsets_of(np.bincount(owned, minlength=len(shown.first))),
            "term_query": asked,
            "term_clicked": clicked,
            "term_unclicked": unclicked,
        }

    def _lengths(
        self, elements: Sequence[Any], vectors: Sequence[Any], sources: Sources
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The parts of each element's vector, and its rows: the same array where none is padded.

        Raises:
            ValueError: Naming the first whose shape is not ``(parts, D)``.
        """
        shapes = [vector.shape for vector in vectors]
        kinds = set(shapes[:1])
        if shapes and shapes.count(shapes[0]) < len(shapes):  # counting is sooner done
            kinds = set(shapes)
        if any(is_misshapen(shape, self.index) for shape in kinds):
            for place, element in enumerate(elements):
                vector_rows(sources[place][0], element, self.index)
        if len(kinds) == 1:
            whole = np.full(len(shapes), shapes[0][0], np.int64)
        else:
            whole = np.fromiter(map(itemgetter(0), shapes), np.int64, len(shapes))
        if not may_be_padded(elements):
            return whole, whole
        return np.fromiter(map(element_parts, elements), np.int64, len(elements)), whole

    def _blocks(self, elements: Sequence[Any], sources: Sources) -> _Blocks:
        """The data rows of elements' vectors, without padding."""
        if not elements:
            return _Blocks(np.empty((0, self.index.dimensions), np.float32), np.empty(0, np.int64))
        vectors = [element.vector for element in elements]
        lengths, whole = self._lengths(elements, vectors, sources)
        rows = self.stack(vectors)
        if lengths is whole:
            return _Blocks(rows, lengths)
        return _Blocks(rows[rows_of(offsets_of(whole)[:-1], lengths)], lengths)

    def _check_again(self, n_parts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Check the vectors of objects that were seen before; only the first one counts.

        Args:
            n_parts: Parts of each object.

        Returns:
            The elements with a vector of their own for such an object.
        """
        shown = self.shown
        if shown.is_each_another:
            return np.empty(0, np.int64)
        first, places = shown.first[shown.places], shown.places
        vectors = [element.vector for element in shown.elements]
        repeated = np.flatnonzero(first != np.arange(len(places)))
        pairs = zip(repeated.tolist(), first[repeated].tolist(), strict=True)
        again = np.array([row for row, one in pairs if vectors[row] is not vectors[one]], np.int64)
        sources = SourceOf(self.sessions, shown, again)
        blocks = self._blocks([shown.elements[row] for row in again.tolist()], sources)
        wanted = n_parts[places[again]]
        for number in np.flatnonzero(blocks.lengths != wanted)[:1].tolist():
            session, element = sources[number]
            raise ValueError(
                f"session {session.session_id!r}, object {element.id!r}: vector must have the "
                f"parts it has in an earlier session ({wanted[number]}), got "
                f"{blocks.lengths[number]}."
            )
        check_rows(blocks.rows, blocks.lengths, sources, self.index)
        return again

    def _are_alike(
        self,
        again: NDArray[np.int64],
        n_parts: NDArray[np.int64],
        dtype: np.dtype[Any],
        addresses_of: AddressesOf,
    ) -> bool:
        """Whether the vectors of some elements are plain, of a type and of their objects' parts."""
        vectors = [self.shown.elements[row].vector for row in again.tolist()]
        found = addresses_of(vectors) if vectors else None
        if found is None:
            return not vectors
        lengths = [vector.shape[0] for vector in vectors]
        return found[1] == dtype and lengths == n_parts[self.shown.places[again]].tolist()

    def _queries(self) -> tuple[_Blocks, NDArray[np.int64]]:
        """Distinct queries in order of their first session, and which one each session asks."""
        asked = list(map(attrgetter("query"), self.sessions))
        sources = list(zip(self.sessions, asked, strict=True))
        blocks = self._blocks(asked, sources)
        check_rows(blocks.rows, blocks.lengths, sources, self.index)
        query = _equal_blocks(blocks)
        first = np.unique(query, return_index=True)[1]
        if len(first) == len(query):
            return blocks, query
        is_first = np.zeros(len(query), np.bool_)
        is_first[first] = True
        rows = blocks.rows[np.repeat(is_first, blocks.lengths)]
        return _Blocks(rows, blocks.lengths[first]), query

    def _originals(self, objects: _Blocks, sources: Sources) -> Rows:
        """The index's own rows of each object; its vector's where the host does not tell."""
        originals = originals_of(self.objects)
        if _is_told_nothing(originals):
            return objects.rows
        mine = np.split(objects.rows, offsets_of(objects.lengths)[1:-1])
        rows = [
            vector if original is None else _original_rows(original, vector, sources[place])
            for place, (original, vector) in enumerate(zip(originals, mine, strict=True))
        ]
        stacked = np.concatenate(rows).astype(objects.rows.dtype, copy=False)
        check_rows(stacked, objects.lengths, sources, self.index)
        return stacked


def _equal_blocks(blocks: _Blocks) -> NDArray[np.int64]:
    """Numbers the distinct blocks of rows in order; shape ``(n_blocks,)``."""
    starts = offsets_of(blocks.lengths)
    # Most differ in their first numbers, which are compared sooner than whole rows.
    heads = list(map(bytes, blocks.rows[starts[:-1], :FEW_NUMBERS]))
    if len(set(heads)) == len(heads):
        return np.arange(len(heads))
    pieces = [blocks.rows[lo:hi].tobytes() for lo, hi in pairwise(starts.tolist())]
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(piece, len(numbers)) for piece in pieces], np.int64)


def _is_told_nothing(originals: Sequence[Any]) -> bool:
    return set(map(type, originals)) <= {type(None)}


def _original_rows(
    original: Any, rows: NDArray[np.floating], source: tuple[Any, Any]
) -> NDArray[np.floating]:
    """The data rows of an element's original, as many as its vector has."""
    array = to_array(original)
    if array.ndim != 2 or len(array) < len(rows) or array.shape[1] != rows.shape[1]:
        raise ValueError(
            f"{name_of(*source)} must have the parts of its original, shape {array.shape}, got "
            f"{rows.shape}."
        )
    return array[: len(rows)]
