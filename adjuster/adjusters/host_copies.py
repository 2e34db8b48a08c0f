"""A host's objects on their way in and out: tensors as one array, copies with new vectors."""

import copy
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.feedback import FeedbackLayout
from adjuster.host_batch import stack_arrays
from adjuster.host_rows import to_array


def stack_tensors(vectors: Sequence[Any]) -> NDArray[np.floating]:
    """As `stack_arrays`; tensors of one device in one call."""
    if any(not isinstance(vector, torch.Tensor) for vector in vectors):
        return stack_arrays(vectors)
    devices = {vector.device for vector in vectors}
    if len(devices) != 1:
        return stack_arrays(vectors)
    with torch.no_grad():
        if devices == {torch.device("cpu")} and {v.dtype for v in vectors} == {torch.float32}:
            return _stack_in_huge_pages(vectors)
        return to_array(torch.cat(list(vectors)))


def _stack_in_huge_pages(vectors: Sequence[torch.Tensor]) -> NDArray[np.floating]:
    """Float32 tensors on the CPU, in memory that NumPy asks for.

    NumPy asks the system for large pages, torch does not: with small ones the first touch of each
    page took three times as long as the copy.
    """
    rows = np.empty((sum(len(vector) for vector in vectors), vectors[0].shape[1]), np.float32)
    torch.cat(list(vectors), out=torch.from_numpy(rows))
    return rows


def with_adjusted(
    sessions: Sequence[Any], layout: FeedbackLayout, adjusted: NDArray[np.floating]
) -> list[Any]:
    """Copies of sessions with the vectors that adjusting their batch gave.

    Args:
        sessions: The sessions.
        layout: What `build_batch` made of them.
        adjusted: Shape ``(n_parts, D)``: new vectors of the batch's parts, used by nobody else.
    """
    with _no_collection():
        vectors = _new_vectors(layout, adjusted)
        twins = iter(
            _changed(element, vector=vector)
            for element, vector in zip(layout.elements, vectors, strict=True)
        )
        return [
            _changed(
                session,
                clicked_elements=list(islice(twins, len(session.clicked_elements))),
                non_clicked_elements=list(islice(twins, len(session.non_clicked_elements))),
            )
            for session in sessions
        ]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python looks through all objects again and again while many are made; none of these is lost.

    It took three times as long as making them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _new_vectors(layout: FeedbackLayout, adjusted: NDArray[np.floating]) -> list[Any]:
    """The new vector of each element, of its own type, dtype and device.

    A view where an element comes as the engine gives it, whole and the first of its object; a
    copy where it does not.
    """
    offsets = layout.batch.object_offsets
    whole = torch.from_numpy(adjusted)
    parts = torch.split(whole, np.diff(offsets).tolist())
    given = [False] * len(parts)
    vectors: list[Any] = []
    for element, place in zip(layout.elements, layout.places.tolist(), strict=True):
        old, new = element.vector, parts[place]
        if not _is_like(old, new):
            vectors.append(_like(old, adjusted[offsets[place] : offsets[place + 1]]))
        else:
            vectors.append(new.clone() if given[place] else new)
            given[place] = True
    return vectors


def _is_like(old: Any, new: torch.Tensor) -> bool:
    return (
        isinstance(old, torch.Tensor)
        and old.dtype is new.dtype
        and old.device == new.device
        and old.shape == new.shape
    )


def device_of(sessions: Sequence[Any]) -> torch.device:
    """Where the first tensor among the elements lives; the CPU if there is none."""
    for session in sessions:
        for element in (*session.clicked_elements, *session.non_clicked_elements):
            if isinstance(element.vector, torch.Tensor):
                return element.vector.device
    return torch.device("cpu")


def with_rows(session: Any, rows: Sequence[NDArray[np.floating]]) -> Any:
    """A copy of a session whose elements' first rows are these, clicked elements first."""
    n_clicked = len(session.clicked_elements)
    return _changed(
        session,
        clicked_elements=_all_with(session.clicked_elements, rows[:n_clicked]),
        non_clicked_elements=_all_with(session.non_clicked_elements, rows[n_clicked:]),
    )


def _all_with(elements: Sequence[Any], rows: Sequence[NDArray[np.floating]]) -> list[Any]:
    return [
        _changed(element, vector=_like(element.vector, mine))
        for element, mine in zip(elements, rows, strict=True)
    ]


def _like(vector: Any, rows: NDArray[np.floating]) -> Any:
    """A copy of a vector with its first rows replaced; type, dtype and device stay."""
    if isinstance(vector, torch.Tensor):
        moved = torch.from_numpy(rows.copy()).to(vector)
        padding = vector.detach()[len(rows) :]
        return torch.cat([moved, padding]) if len(padding) else moved
    return np.concatenate([rows.astype(vector.dtype), vector[len(rows) :]])


def _changed(original: Any, **values: Any) -> Any:
    """A shallow copy with these attributes; works on frozen classes of a host, too."""
    kind: Any = type(original)
    twin = _copier(kind)
    changed = twin(original)
    for name, value in values.items():
        object.__setattr__(changed, name, value)
    return changed


@cache
def _copier(kind: type) -> Callable[[Any], Any]:
    """How to copy what is of a class: `copy.copy`, or the same in short for a class like any."""
    special = ("__copy__", "__setstate__", "__getnewargs__", "__getnewargs_ex__", "__slots__")
    usual = ("__reduce__", "__reduce_ex__", "__getstate__", "__new__")
    if any(hasattr(kind, name) for name in special):
        return copy.copy
    if any(getattr(kind, name, None) is not getattr(object, name, None) for name in usual):
        return copy.copy

    def twin(original: Any) -> Any:
        made: Any = object.__new__(kind)
        made.__dict__.update(original.__dict__)
        return made

    return twin
