"""Feedback on search results: the plugin API's objects, and the flat form the engines take."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.index import MetricType, SearchIndexInfo
from adjuster.ragged import offsets_of
from adjuster.scale import cannot_be_computed, computable_sizes, row_sizes, shifted, shifts_of


@dataclass
class ImprovementElement:
    """A query or an object with its vectors, as a plugin host hands it over.

    Args:
        id: Name of the object (or of the query).
        vector: Shape ``(parts, D)``, a torch tensor or a NumPy array.
        is_average: One flag a part; rows past a non-empty list are padding. Empty: all rows count.
        user_id: Whose copy this is, or None for the shared original.
        original: The index's own vector, shape of `vector`, from which drift is measured; None
            where `vector` is the original, or the host does not tell.
    """

    id: str
    vector: Any
    is_average: list[bool] = field(default_factory=list)
    user_id: str | None = None
    original: Any = None

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


def batch_in_range(batch: FeedbackBatch) -> tuple[FeedbackBatch, NDArray[np.intc]]:
    """A batch that can be compared by cosine (see `scale`), and how its vectors were shifted.

    A part is scaled as its original is, so that a vector that is carried from tick to tick is
    always scaled alike. ``shifted(adjusted, -shifts)`` scales back.
    """
    shared = batch.originals is batch.vectors
    of_original = shifts_of(batch.originals)
    shifts = of_original if shared else np.where(of_original, of_original, shifts_of(batch.vectors))
    vectors = shifted(batch.vectors, shifts)
    safe = replace(
        batch,
        vectors=vectors,
        originals=vectors if shared else shifted(batch.originals, of_original),
        query_vectors=shifted(batch.query_vectors, shifts_of(batch.query_vectors)),
    )
    return safe, shifts


@dataclass(frozen=True)
class FeedbackLayout:
    """A `FeedbackBatch` with the way back to the sessions' elements.

    Args:
        batch: The flat form.
        objects: The (owner, object id) of each of the batch's objects.
        places: For each session, its elements in order (clicked first): (object in the batch,
            number of data rows).
        skipped: Reason → number of sessions that say nothing (``no_clicked_object``).
    """

    batch: FeedbackBatch
    objects: list[tuple[str | None, str]]
    places: list[list[tuple[int, int]]]
    skipped: dict[str, int]


def to_array(vector: Any) -> NDArray[np.floating]:
    """A vector of the plugin API as a NumPy array: float32, or float64 if it is float64."""
    if hasattr(vector, "detach"):
        vector = vector.detach().cpu()
        vector = (vector if vector.dtype.itemsize >= 4 else vector.float()).numpy()
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
        self.by_session = term_weight == "session"
        self.objects: dict[tuple[str | None, str], int] = {}
        self.rows: list[NDArray[np.floating]] = []
        self.sources: list[tuple[Any, Any]] = []  # the session and element first seen
        self.queries: dict[tuple[str, bytes], int] = {}
        self.query_rows: list[NDArray[np.floating]] = []
        self.query_sources: list[tuple[Any, Any]] = []
        self.terms: list[dict[int, list[float]]] = []
        self.skipped: dict[str, int] = {}

    def build(self, sessions: Sequence[Any]) -> FeedbackLayout:
        places = [self._add(session) for session in sessions]
        vectors = self._stack(self.rows, self.sources)
        queries = self._stack(self.query_rows, self.query_sources)
        batch = self._flatten(vectors, queries)
        return FeedbackLayout(batch, list(self.objects), places, self.skipped)

    def _add(self, session: Any) -> list[tuple[int, int]]:
        check_distinct(session)
        query = self._query(session)
        clicked = [self._object(session, element) for element in session.clicked_elements]
        unclicked = [self._object(session, element) for element in session.non_clicked_elements]
        if clicked:
            self._learn(query, clicked, 0)
            self._learn(query, unclicked, 1)
        else:
            self.skipped["no_clicked_object"] = self.skipped.get("no_clicked_object", 0) + 1
        return clicked + unclicked

    def _learn(self, query: int, placed: list[tuple[int, int]], column: int) -> None:
        weight = 1.0 / len(placed) if self.by_session and placed else 1.0
        for place, _ in placed:
            self.terms[place].setdefault(query, [0.0, 0.0])[column] += weight

    def _object(self, session: Any, element: Any) -> tuple[int, int]:
        rows = vector_rows(session, element, self.index)
        key = (getattr(element, "user_id", None), element.id)
        known = self.objects.setdefault(key, len(self.rows))
        if known == len(self.rows):
            self.rows.append(rows)
            self.sources.append((session, element))
            self.terms.append({})
        elif element.vector is not self.sources[known][1].vector:
            self._check_again(session, element, rows, len(self.rows[known]))
        return known, len(rows)

    def _check_again(
        self, session: Any, element: Any, rows: NDArray[np.floating], n_known: int
    ) -> None:
        if len(rows) != n_known:
            raise ValueError(
                f"{_where(session, element)} must have the parts it has in an earlier session "
                f"({n_known}), got {len(rows)}."
            )
        check_rows(rows, [1], [(session, element)], self.index)

    def _query(self, session: Any) -> int:
        rows = vector_rows(session, session.query, self.index)
        key = (rows.dtype.str, rows.tobytes())
        known = self.queries.setdefault(key, len(self.query_rows))
        if known == len(self.query_rows):
            self.query_rows.append(rows)
            self.query_sources.append((session, session.query))
        return known

    def _stack(
        self, rows: list[NDArray[np.floating]], sources: list[tuple[Any, Any]]
    ) -> NDArray[np.floating]:
        if not rows:
            return np.empty((0, self.index.dimensions), np.float32)
        stacked = np.concatenate(rows)
        check_rows(stacked, [len(mine) for mine in rows], sources, self.index)
        return stacked

    def _originals(self, vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        known = [getattr(element, "original", None) for _, element in self.sources]
        if all(original is None for original in known):
            return vectors
        rows = [
            mine if original is None else _original_rows(original, mine, source)
            for original, mine, source in zip(known, self.rows, self.sources, strict=True)
        ]
        stacked = np.concatenate(rows).astype(vectors.dtype, copy=False)
        check_rows(stacked, [len(mine) for mine in rows], self.sources, self.index)
        return stacked

    def _flatten(
        self, vectors: NDArray[np.floating], queries: NDArray[np.floating]
    ) -> FeedbackBatch:
        terms = [(query, *weights) for mine in self.terms for query, weights in mine.items()]
        return FeedbackBatch(
            vectors=vectors,
            originals=self._originals(vectors),
            object_offsets=offsets_of([len(rows) for rows in self.rows]),
            query_vectors=queries.astype(vectors.dtype, copy=False),
            query_offsets=offsets_of([len(rows) for rows in self.query_rows]),
            term_offsets=offsets_of([len(mine) for mine in self.terms]),
            term_query=np.array([term[0] for term in terms], np.int64),
            term_clicked=np.array([term[1] for term in terms], np.float64),
            term_unclicked=np.array([term[2] for term in terms], np.float64),
        )


def check_distinct(session: Any) -> None:
    """Refuse a session that shows one object of one owner twice.

    Raises:
        ValueError: Naming session and object.
    """
    seen = set()
    for element in (*session.clicked_elements, *session.non_clicked_elements):
        key = (getattr(element, "user_id", None), element.id)
        if key in seen:
            raise ValueError(
                f"session {session.session_id!r}, object {element.id!r}: id must stand once in a "
                "session, got it twice."
            )
        seen.add(key)


def vector_rows(session: Any, element: Any, index: SearchIndexInfo) -> NDArray[np.floating]:
    """The data rows of an element's vector, without padding.

    Raises:
        ValueError: Naming session, object and field, if the shape is not ``(parts, D)``.
    """
    array = to_array(element.vector)
    if array.ndim != 2 or array.shape[1] != index.dimensions or not len(array):
        raise ValueError(
            f"{_where(session, element)} must have shape (parts, {index.dimensions}) with at least "
            f"one part, got {array.shape}."
        )
    return array[: element_parts(element)]


def _original_rows(
    original: Any, rows: NDArray[np.floating], source: tuple[Any, Any]
) -> NDArray[np.floating]:
    """The data rows of an element's original, as many as its vector has."""
    array = to_array(original)
    if array.ndim != 2 or len(array) < len(rows) or array.shape[1] != rows.shape[1]:
        raise ValueError(
            f"{_where(*source)} must have the parts of its original, shape {array.shape}, got "
            f"{rows.shape}."
        )
    return array[: len(rows)]


def check_rows(
    rows: NDArray[np.floating],
    lengths: Sequence[int],
    sources: Sequence[tuple[Any, Any]],
    index: SearchIndexInfo,
    *,
    zeros_allowed: bool = False,
) -> None:
    """Check the stacked rows of many elements at once.

    Args:
        rows: Shape ``(n_rows, D)``.
        lengths: Rows of each element.
        sources: The session and element that each came from.
        index: The search index.
        zeros_allowed: Take zero rows under cosine, too.

    Raises:
        ValueError: Naming session, object and field of the first that is not finite, zero under
            cosine, or of a size whose square cannot be computed under dot and Euclid.
    """
    for bad, sentence in row_faults(rows, index, zeros_allowed=zeros_allowed):
        if bad.any():
            first = int(np.searchsorted(np.cumsum(lengths), np.argmax(bad), side="right"))
            raise ValueError(f"{_where(*sources[first])} {sentence}")


def row_faults(
    rows: NDArray[np.floating], index: SearchIndexInfo, *, zeros_allowed: bool = False
) -> list[tuple[NDArray[np.bool_], str]]:
    """What rows of vectors must not be, with the flags of those that are.

    Args:
        rows: Shape ``(n_rows, D)``.
        index: The search index.
        zeros_allowed: Take zero rows under cosine, too.

    Returns:
        Flags of shape ``(n_rows,)``, each with the end of a sentence that begins with a name.

    Example:
        >>> (_, (zero, _)) = row_faults(np.array([[0.0], [1.0]]), SearchIndexInfo(1))
        >>> zero.tolist()
        [True, False]
    """
    sizes = row_sizes(rows)
    faults = [(~np.isfinite(sizes), "must be finite, got NaN or infinity.")]
    if index.metric_type is not MetricType.COSINE:
        faults.append((cannot_be_computed(sizes), _range_fault(rows.dtype, index)))
    elif not zeros_allowed:
        faults.append((sizes == 0, "must not be zero under cosine, got a zero part."))
    return faults


def _range_fault(dtype: np.dtype[np.floating], index: SearchIndexInfo) -> str:
    smallest, largest = computable_sizes(dtype)
    return (
        f"must have its largest coordinate between {smallest:.0e} and {largest:.0e} under "
        f"{index.metric_type.value}, or squares leave {dtype.name}. Scale all vectors alike."
    )


def _where(session: Any, element: Any) -> str:
    if element is session.query:
        return f"session {session.session_id!r}, query: query.vector"
    return f"session {session.session_id!r}, object {element.id!r}: vector"
