"""Feedback on search results: the plugin API's objects, and the flat form the engines take."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.scale import shifted, shifts_of


@dataclass(slots=True)
class ImprovementElement:
    """A query or an object with its vectors, as a plugin host hands it over.

    With slots, since there are tens of thousands of them: a host that wants attributes of its own
    has a class of its own.

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


def with_vectors(
    elements: Sequence[ImprovementElement], vectors: Sequence[Any]
) -> list[ImprovementElement]:
    """Shallow copies of elements, each with another vector, in a tenth of `copy.copy`'s time.

    Args:
        elements: Of no subclass.
        vectors: As many.
    """
    new = object.__new__
    twins: list[ImprovementElement] = [new(ImprovementElement) for _ in elements]
    for twin, element, vector in zip(twins, elements, vectors, strict=True):
        twin.id = element.id
        twin.vector = vector
        twin.is_average = element.is_average
        twin.user_id = element.user_id
        twin.original = element.original
    return twins


@dataclass
class ImprovementInput:
    """One session's feedback: its query and the objects clicked and passed over."""

    session_id: str
    query: ImprovementElement
    clicked_elements: list[ImprovementElement]
    non_clicked_elements: list[ImprovementElement]


def keys_of(elements: Sequence[Any]) -> list[tuple[str | None, str]]:
    """The (owner, id) of each element; its owner is None where the host does not tell.

    An attribute that all have is read sooner than it is asked for.
    """
    try:
        return [(element.user_id, element.id) for element in elements]
    except AttributeError:
        return [(getattr(element, "user_id", None), element.id) for element in elements]


def element_parts(element: Any) -> int:
    """Rows of an element's vector that are data, ours or a host's own class."""
    n_rows = int(element.vector.shape[0])
    flags = getattr(element, "is_average", None)
    return min(len(flags), n_rows) if flags else n_rows


@dataclass(frozen=True, kw_only=True)
class FeedbackTerms:
    """What is to be learnt at one tick, flat and ragged, but for the vectors that are to move.

    An *object* here is one (owner, object) pair. Object ``o`` has the parts
    ``object_offsets[o]:object_offsets[o + 1]`` and the terms
    ``term_offsets[o]:term_offsets[o + 1]``; a term pairs it with a query and two weights.

    Args:
        object_offsets: Shape ``(n_objects + 1,)``.
        query_vectors: Shape ``(n_query_parts, D)``.
        query_offsets: Shape ``(n_queries + 1,)``.
        term_offsets: Shape ``(n_objects + 1,)``.
        term_query: Shape ``(n_terms,)``: index of the query.
        term_clicked: Shape ``(n_terms,)``: weight of this query's clicked term, >= 0.
        term_unclicked: Shape ``(n_terms,)``: weight of its unclicked term, >= 0, *before*
            `non_clicked_weight` is applied.
    """

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


@dataclass(frozen=True, kw_only=True)
class FeedbackBatch(FeedbackTerms):
    """`FeedbackTerms` with the vectors of all parts in one array.

    Args:
        vectors: Shape ``(n_parts, D)``, float32 or float64: where the adjustment starts.
        originals: Shape ``(n_parts, D)``: the index's vectors, for anchor and drift bound.
    """

    vectors: NDArray[np.floating]
    originals: NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class ScatteredBatch(FeedbackTerms):
    """`FeedbackTerms` with the vectors where their owner keeps them, each its own original.

    Args:
        addresses: Shape ``(n_objects,)``: where in memory an object's first part begins; the
            others follow, D numbers each.
        dtype: float32 or float64, of every vector.
        holders: What the memory belongs to, so that it stays.
        is_alike: Whether the vectors of all elements, not only the first of each object, are like
            this: of the type, and no longer than their objects' parts.
    """

    addresses: NDArray[np.int64]
    dtype: np.dtype[Any]
    holders: Sequence[Any]
    is_alike: bool

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_parts, D)``."""
        return int(self.object_offsets[-1]), self.query_vectors.shape[1]


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


class Shown(NamedTuple):
    """What some sessions show, element after element, and which elements are one object.

    Args:
        session: Shape ``(n_elements,)``: the session of each.
        clicked: Shape ``(n_elements,)`` bool.
        n_clicked: Shape ``(n_sessions,)``.
        n_shown: Shape ``(n_sessions,)``.
        elements: The elements, each session's clicked ones first.
        places: Shape ``(n_elements,)``: the object that each element shows; objects are numbered in
            the order in which they are first shown.
        first: Shape ``(n_objects,)``: the first element of each.
    """

    session: NDArray[np.int64]
    clicked: NDArray[np.bool_]
    n_clicked: NDArray[np.int64]
    n_shown: NDArray[np.int64]
    elements: list[Any]
    places: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def is_each_another(self) -> bool:
        """Whether no two elements are one object."""
        return len(self.first) == len(self.elements)

    @property
    def skipped(self) -> dict[str, int]:
        """Reason → number of sessions that say nothing (``no_clicked_object``)."""
        n_silent = int((self.n_clicked == 0).sum())
        return {"no_clicked_object": n_silent} if n_silent else {}

    def after(self, n_sessions: int) -> "Shown | None":
        """What is shown after so many sessions; None if it is nothing, or shown in them, too."""
        row = int(self.n_shown[:n_sessions].sum())
        n_objects = int(np.searchsorted(self.first, row))
        if row == len(self.elements) or self.places[row:].min() < n_objects:
            return None
        return Shown(
            session=self.session[row:] - n_sessions,
            clicked=self.clicked[row:],
            n_clicked=self.n_clicked[n_sessions:],
            n_shown=self.n_shown[n_sessions:],
            elements=self.elements[row:],
            places=self.places[row:] - n_objects,
            first=self.first[n_objects:] - row,
        )


@dataclass(frozen=True)
class FeedbackLayout:
    """A `FeedbackBatch` with the way back to the sessions' elements.

    Args:
        batch: The flat form.
        shown: Whose objects these are.
    """

    batch: FeedbackBatch
    shown: Shown

    @property
    def objects(self) -> list[tuple[str | None, str]]:
        """The (owner, object id) of each of the batch's objects."""
        elements = self.shown.elements
        return keys_of([elements[row] for row in self.shown.first.tolist()])

    @property
    def skipped(self) -> dict[str, int]:
        """Reason → number of sessions that say nothing."""
        return self.shown.skipped
