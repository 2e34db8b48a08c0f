"""From a host's sessions to the flat form that the engines take, in a few vectorised calls.

A host hands over tens of thousands of small objects; what is done for each of them one by one soon
takes longer than the adjustment itself.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import FeedbackBatch, FeedbackLayout, element_parts
from adjuster.host_rows import (
    check_distinct,
    check_rows,
    is_misshapen,
    name_of,
    to_array,
    vector_rows,
)
from adjuster.index import SearchIndexInfo
from adjuster.ragged import offsets_of
from adjuster.terms import merge_terms, term_weights

Rows = NDArray[np.floating]
Stack = Callable[[Sequence[Any]], Rows]
"""From many vectors of shape ``(parts, D)`` to all of their rows, one after the other."""


def stack_arrays(vectors: Sequence[Any]) -> Rows:
    """All rows of many vectors, tensors or arrays of any type, as float32 or float64."""
    return np.concatenate([to_array(vector) for vector in vectors])


class _Shown(NamedTuple):
    """What some sessions show, element after element.

    Args:
        session: Shape ``(n_elements,)``: the session of each.
        clicked: Shape ``(n_elements,)`` bool.
        n_clicked: Shape ``(n_sessions,)``.
        n_shown: Shape ``(n_sessions,)``.
        element: The elements.
    """

    session: NDArray[np.int64]
    clicked: NDArray[np.bool_]
    n_clicked: NDArray[np.int64]
    n_shown: NDArray[np.int64]
    element: list[Any]


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
    shown = _flattened(sessions)
    names: dict[tuple[str | None, str], int] = {}
    keys = [(getattr(item, "user_id", None), item.id) for item in shown.element]
    places = np.array([names.setdefault(key, len(names)) for key in keys], np.int64)
    _check_once(sessions, shown, places, len(names))
    first = np.unique(places, return_index=True)[1]
    sources = [(sessions[shown.session[row]], shown.element[row]) for row in first]
    objects = _blocks(sources, index, stack)
    check_rows(objects.rows, objects.lengths, sources, index)
    _check_again(sessions, shown, (places, first, objects.lengths), index, stack)
    queries, query = _queries(sessions, index, stack)
    (owned, asked), clicked, unclicked = _terms(shown, places, query, term_weight)
    batch = FeedbackBatch(
        vectors=objects.rows,
        originals=_originals(objects, sources, index),
        object_offsets=offsets_of(objects.lengths),
        query_vectors=queries.rows.astype(objects.rows.dtype, copy=False),
        query_offsets=offsets_of(queries.lengths),
        term_offsets=offsets_of(np.bincount(owned, minlength=len(names))),
        term_query=asked,
        term_clicked=clicked,
        term_unclicked=unclicked,
    )
    n_silent = int((shown.n_clicked == 0).sum())
    return FeedbackLayout(
        batch,
        objects=list(names),
        elements=shown.element,
        n_elements=shown.n_shown.tolist(),
        places=places,
        skipped={"no_clicked_object": n_silent} if n_silent else {},
    )


def _terms(
    shown: _Shown, places: NDArray[np.int64], query: NDArray[np.int64], term_weight: str
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.float64], NDArray[np.float64]]:
    """(Object, query) of each term, and its two weights; sessions without a click say nothing."""
    taught = (shown.n_clicked > 0)[shown.session]
    session = shown.session[taught]
    weights = term_weights(
        shown.clicked[taught], session, shown.n_clicked, shown.n_shown, term_weight
    )
    return merge_terms((places[taught], query[session]), *weights)


def _flattened(sessions: Sequence[Any]) -> _Shown:
    n_clicked = np.array([len(one.clicked_elements) for one in sessions], np.int64)
    n_passed = np.array([len(one.non_clicked_elements) for one in sessions], np.int64)
    lengths = np.stack([n_clicked, n_passed], axis=1).ravel()
    return _Shown(
        session=np.repeat(np.arange(len(sessions)), n_clicked + n_passed),
        clicked=np.repeat(np.tile([True, False], len(sessions)), lengths),
        n_clicked=n_clicked,
        n_shown=n_clicked + n_passed,
        element=[
            item for one in sessions for item in (*one.clicked_elements, *one.non_clicked_elements)
        ],
    )


def _check_once(
    sessions: Sequence[Any], shown: _Shown, places: NDArray[np.int64], n_objects: int
) -> None:
    """Refuse a session that shows an object twice."""
    if len(np.unique(shown.session * max(n_objects, 1) + places)) < len(places):
        for session in sessions:
            check_distinct(session)


def _blocks(sources: Sequence[tuple[Any, Any]], index: SearchIndexInfo, stack: Stack) -> _Blocks:
    """The data rows of elements' vectors, without padding.

    Raises:
        ValueError: Naming the first whose shape is not ``(parts, D)``.
    """
    if not sources:
        return _Blocks(np.empty((0, index.dimensions), np.float32), np.empty(0, np.int64))
    elements = [element for _, element in sources]
    vectors = [element.vector for element in elements]
    shapes = [vector.shape for vector in vectors]
    if any(is_misshapen(shape, index) for shape in set(shapes)):
        for session, element in sources:
            vector_rows(session, element, index)
    whole = np.array([shape[0] for shape in shapes], np.int64)
    flags = [getattr(element, "is_average", None) for element in elements]
    if not any(flags):
        return _Blocks(stack(vectors), whole)
    lengths = np.array([element_parts(element) for element in elements], np.int64)
    starts = offsets_of(whole)[:-1]
    local = np.arange(lengths.sum()) - np.repeat(offsets_of(lengths)[:-1], lengths)
    return _Blocks(stack(vectors)[np.repeat(starts, lengths) + local], lengths)


def _check_again(
    sessions: Sequence[Any],
    shown: _Shown,
    known: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    index: SearchIndexInfo,
    stack: Stack,
) -> None:
    """Check the vectors of objects that were seen before; only the first one counts.

    Args:
        sessions: The sessions.
        shown: What they show.
        known: Object of each element, first element of each object, parts of each object.
        index: The search index.
        stack: How vectors become rows.
    """
    places, first, n_parts = known
    vectors = [item.vector for item in shown.element]
    again = [
        row
        for row in np.flatnonzero(first[places] != np.arange(len(places))).tolist()
        if vectors[row] is not vectors[first[places[row]]]
    ]
    sources = [(sessions[shown.session[row]], shown.element[row]) for row in again]
    blocks = _blocks(sources, index, stack)
    wanted = n_parts[places[again]] if again else blocks.lengths
    for number in np.flatnonzero(blocks.lengths != wanted)[:1].tolist():
        session, element = sources[number]
        raise ValueError(
            f"session {session.session_id!r}, object {element.id!r}: vector must have the parts it "
            f"has in an earlier session ({wanted[number]}), got {blocks.lengths[number]}."
        )
    check_rows(blocks.rows, blocks.lengths, sources, index)


def _queries(
    sessions: Sequence[Any], index: SearchIndexInfo, stack: Stack
) -> tuple[_Blocks, NDArray[np.int64]]:
    """The distinct queries in order of their first session, and which one each session asks."""
    sources = [(session, session.query) for session in sessions]
    blocks = _blocks(sources, index, stack)
    check_rows(blocks.rows, blocks.lengths, sources, index)
    starts = offsets_of(blocks.lengths)
    pieces = [blocks.rows[lo:hi].tobytes() for lo, hi in pairwise(starts)]
    numbers: dict[bytes, int] = {}
    query = np.array([numbers.setdefault(piece, len(numbers)) for piece in pieces], np.int64)
    first = np.unique(query, return_index=True)[1]
    is_first = np.zeros(len(pieces), np.bool_)
    is_first[first] = True
    return _Blocks(blocks.rows[np.repeat(is_first, blocks.lengths)], blocks.lengths[first]), query


def _originals(
    objects: _Blocks, sources: Sequence[tuple[Any, Any]], index: SearchIndexInfo
) -> Rows:
    """The index's own rows of each object; its vector's where the host does not tell."""
    originals = [getattr(element, "original", None) for _, element in sources]
    if all(original is None for original in originals):
        return objects.rows
    mine = np.split(objects.rows, offsets_of(objects.lengths)[1:-1])
    rows = [
        vector if original is None else _original_rows(original, vector, source)
        for original, vector, source in zip(originals, mine, sources, strict=True)
    ]
    stacked = np.concatenate(rows).astype(objects.rows.dtype, copy=False)
    check_rows(stacked, objects.lengths, sources, index)
    return stacked


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
