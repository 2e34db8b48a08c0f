"""The vectors of a host's objects as arrays of rows, and what is refused of them."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import element_parts
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.scale import cannot_be_computed, computable_sizes, row_sizes


def to_array(vector: Any) -> NDArray[np.floating]:
    """A vector of the plugin API as a NumPy array: float32, or float64 if it is float64."""
    if hasattr(vector, "detach"):
        vector = vector.detach().cpu()
        vector = (vector if vector.dtype.itemsize >= 4 else vector.float()).numpy()
    array = np.asarray(vector)
    return array if array.dtype == np.float64 else array.astype(np.float32, copy=False)


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


def originals_of(elements: Sequence[Any]) -> list[Any]:
    """What a host tells of each element's vector in the index; None where it does not.

    Here and below: an attribute that all have is read sooner than it is asked for.
    """
    try:
        return [element.original for element in elements]
    except AttributeError:
        return [getattr(element, "original", None) for element in elements]


def may_be_padded(elements: Sequence[Any]) -> bool:
    """Whether any element tells which of its rows are data."""
    try:
        return any(map(attrgetter("is_average"), elements))
    except AttributeError:
        return any(getattr(element, "is_average", None) for element in elements)


def is_misshapen(shape: Sequence[int], index: SearchIndexInfo) -> bool:
    """Whether a vector's shape is not ``(parts, D)`` with at least one part."""
    return len(shape) != 2 or shape[1] != index.dimensions or not shape[0]


def vector_rows(session: Any, element: Any, index: SearchIndexInfo) -> NDArray[np.floating]:
    """The data rows of an element's vector, without padding.

    Raises:
        ValueError: Naming session, object and field, if the shape is not ``(parts, D)``.
    """
    array = to_array(element.vector)
    if is_misshapen(array.shape, index):
        raise ValueError(
            f"{name_of(session, element)} must have shape (parts, {index.dimensions}) with at "
            f"least one part, got {array.shape}."
        )
    return array[: element_parts(element)]


class Sources(Protocol):
    """The session and element that vectors came from, asked for where a sentence names them."""

    def __getitem__(self, place: int, /) -> tuple[Any, Any]: ...


def check_rows(
    rows: NDArray[np.floating],
    lengths: Sequence[int] | NDArray[np.integer],
    sources: Sources,
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
            raise ValueError(f"{name_of(*sources[first])} {sentence}")


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


def name_of(session: Any, element: Any) -> str:
    """What a sentence about an element's vector begins with."""
    if element is session.query:
        return f"session {session.session_id!r}, query: query.vector"
    return f"session {session.session_id!r}, object {element.id!r}: vector"
