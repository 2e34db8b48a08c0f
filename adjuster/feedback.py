"""Feedback on search results: the plugin API's objects, and the flat form the engines take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.index import MetricType, SearchIndexInfo


@dataclass
class ImprovementElement:
    """A query or an object with its vectors, as a plugin host hands it over.

    Args:
        id: Name of the object (or of the query).
        vector: Shape ``(parts, D)``, a torch tensor or a NumPy array.
        is_average: One flag a part; rows past a non-empty list are padding. Empty: all rows count.
        user_id: Whose copy this is, or None for the shared original.
    """

    id: str
    vector: Any
    is_average: list[bool] = field(default_factory=list)
    user_id: str | None = None

    @property
    def n_parts(self) -> int:
        """Rows of `vector` that are data; the rest is padding."""
        return element_parts(self)


@dataclass
class ImprovementInput:
    """One session's feedback: its query and the objects clicked and passed over."""

    session_id: str
    query: ImprovementElement
    clicked_elements: list[ImprovementElement]
    non_clicked_elements: list[ImprovementElement]


def element_parts(element: Any) -> int:
    """Rows of an element's vector that are data, ours or a host's own class."""
    n_rows = int(element.vector.shape[0])
    flags = getattr(element, "is_average", None)
    return min(len(flags), n_rows) if flags else n_rows


@dataclass(frozen=True)
class FeedbackBatch:
    """What is to be learnt at one tick, flat and ragged: objects, their parts, their terms.

    An *object* here is one (owner, object) pair. Object ``o`` has the parts
    ``object_offsets[o]:object_offsets[o + 1]`` and the terms
    ``term_offsets[o]:term_offsets[o + 1]``; a term pairs it with a query and two weights.

    Args:
        vectors: Shape ``(n_parts, D)``, float32 or float64: where the adjustment starts.
        originals: Shape ``(n_parts, D)``: the index's vectors, for anchor and drift bound.
        object_offsets: Shape ``(n_objects + 1,)``.
        query_vectors: Shape ``(n_query_parts, D)``.
        query_offsets: Shape ``(n_queries + 1,)``.
        term_offsets: Shape ``(n_objects + 1,)``.
        term_query: Shape ``(n_terms,)``: index of the query.
        term_clicked: Shape ``(n_terms,)``: weight of this query's clicked term, >= 0.
        term_unclicked: Shape ``(n_terms,)``: weight of its unclicked term, >= 0, *before*
            `non_clicked_weight` is applied.
    """

    vectors: NDArray[np.floating]
    originals: NDArray[np.floating]
    object_offsets: NDArray[np.int64]
    query_vectors: NDArray[np.floating]
    query_offsets: NDArray[np.int64]
    term_offsets: NDArray[np.int64]
    term_query: NDArray[np.int64]
    term_clicked: NDArray[np.float64]
    term_unclicked: NDArray[np.float64]

    @property
    def n_objects(self) -> int:
        """Number of (owner, object) problems."""
        return len(self.object_offsets) - 1


@dataclass(frozen=True)
class FeedbackLayout:
    """A `FeedbackBatch` with the way back to the sessions' elements.

    Args:
        batch: The flat form.
        places: For each session, its elements in order (clicked first): (object in the batch,
            number of data rows).
        skipped: Reason → number of sessions that say nothing (``no_clicked_object``).
    """

    batch: FeedbackBatch
    places: list[list[tuple[int, int]]]
    skipped: dict[str, int]


def to_array(vector: Any) -> NDArray[np.floating]:
    """A vector of the plugin API as a NumPy array: float32, or float64 if it is float64."""
    if hasattr(vector, "detach"):
        vector = vector.detach().cpu().numpy()
    array = np.asarray(vector)
    return array if array.dtype == np.float64 else array.astype(np.float32, copy=False)


def build_batch(
    sessions: Sequence[Any], index: SearchIndexInfo, *, term_weight: str = "session"
) -> FeedbackLayout:
    """Flatten sessions of the plugin API in one pass.

    Elements with the same (user_id, id) are one object: the sessions that share it adjust it
    jointly. The first one seen gives the vector. Terms on one query are merged; two queries are
    one if their vectors are equal. A session without a clicked object says nothing.

    Args:
        sessions: Objects with ``session_id``, ``query.vector``, ``clicked_elements`` and
            ``non_clicked_elements``.
        index: The search index.
        term_weight: ``session`` or ``impression``.

    Raises:
        ValueError: Naming session, object and field, for a vector that is not ``(parts, D)``,
            not finite, or zero under cosine, and for an object twice in a session.
    """
    return _Builder(index, term_weight).build(sessions)


class _Builder:
    def __init__(self, index: SearchIndexInfo, term_weight: str) -> None:
        self.index = index
        self.term_weight = term_weight
        self.objects: dict[tuple[str | None, str], int] = {}
        self.rows: list[NDArray[np.floating]] = []
        self.queries: dict[bytes, int] = {}
        self.query_rows: list[NDArray[np.floating]] = []
        self.terms: list[dict[int, list[float]]] = []
        self.skipped: dict[str, int] = {}

    def build(self, sessions: Sequence[Any]) -> FeedbackLayout:
        places = [self._add(session) for session in sessions]
        return FeedbackLayout(self._flatten(), places, self.skipped)

    def _add(self, session: Any) -> list[tuple[int, int]]:
        clicked, unclicked = list(session.clicked_elements), list(session.non_clicked_elements)
        query = self._checked(
            session, session.query, "query.vector", f"session {session.session_id!r}, query"
        )
        elements = [*clicked, *unclicked]
        seen: set[tuple[str | None, str]] = set()
        placed = []
        for element in elements:
            key = (getattr(element, "user_id", None), element.id)
            where = f"session {session.session_id!r}, object {element.id!r}"
            if key in seen:
                raise ValueError(f"{where}: id must stand once in a session, got it twice.")
            seen.add(key)
            placed.append((self._object(key, element, where), element_parts(element)))
        if not clicked:
            self.skipped["no_clicked_object"] = self.skipped.get("no_clicked_object", 0) + 1
            return placed
        number = self._query(query)
        by_session = self.term_weight == "session"
        for group, column in ((placed[: len(clicked)], 0), (placed[len(clicked) :], 1)):
            weight = 1.0 / len(group) if by_session and group else 1.0
            for place, _ in group:
                self.terms[place].setdefault(number, [0.0, 0.0])[column] += weight
        return placed

    def _object(self, key: tuple[str | None, str], element: Any, where: str) -> int:
        rows = self._checked(element, "vector", where)
        if key in self.objects:
            known = self.objects[key]
            if self.rows[known].shape != rows.shape:
                raise ValueError(
                    f"{where}: vector must have the parts it has in an earlier session "
                    f"({len(self.rows[known])}), got {len(rows)}."
                )
            return known
        self.objects[key] = len(self.rows)
        self.rows.append(rows)
        self.terms.append({})
        return self.objects[key]

    def _query(self, rows: NDArray[np.floating]) -> int:
        key = rows.tobytes()
        if key not in self.queries:
            self.queries[key] = len(self.query_rows)
            self.query_rows.append(rows)
        return self.queries[key]

    def _checked(self, element: Any, name: str, where: str) -> NDArray[np.floating]:
        array = to_array(element.vector)
        if array.ndim != 2 or array.shape[1] != self.index.dimensions or not len(array):
            raise ValueError(
                f"{where}: {name} must have shape (parts, {self.index.dimensions}) with at least "
                f"one part, got {array.shape}."
            )
        rows = array[: element_parts(element)]
        if not np.isfinite(rows).all():
            raise ValueError(f"{where}: {name} must be finite, got NaN or infinity.")
        if self.index.metric_type is MetricType.COSINE and not rows.any(axis=1).all():
            raise ValueError(f"{where}: {name} must not be zero under cosine, got a zero part.")
        return rows

    def _flatten(self) -> FeedbackBatch:
        dimensions = self.index.dimensions
        vectors = _stack(self.rows, dimensions)
        terms = [(query, *weights) for mine in self.terms for query, weights in mine.items()]
        return FeedbackBatch(
            vectors=vectors,
            originals=vectors,
            object_offsets=offsets_of([len(rows) for rows in self.rows]),
            query_vectors=_stack(self.query_rows, dimensions).astype(vectors.dtype, copy=False),
            query_offsets=offsets_of([len(rows) for rows in self.query_rows]),
            term_offsets=offsets_of([len(mine) for mine in self.terms]),
            term_query=np.array([term[0] for term in terms], np.int64),
            term_clicked=np.array([term[1] for term in terms], np.float64),
            term_unclicked=np.array([term[2] for term in terms], np.float64),
        )


def _stack(rows: list[NDArray[np.floating]], dimensions: int) -> NDArray[np.floating]:
    return np.concatenate(rows) if rows else np.empty((0, dimensions), np.float32)


def offsets_of(lengths: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Ragged lengths as offsets.

    Example:
        >>> offsets_of([2, 0, 3]).tolist()
        [0, 2, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
