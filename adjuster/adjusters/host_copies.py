"""A host's objects on their way in and out: tensors as one array, copies with new vectors."""

import copy
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.host_batch import stack_arrays
from adjuster.host_rows import to_array


def stack_tensors(vectors: Sequence[Any]) -> NDArray[np.floating]:
    """As `stack_arrays`; tensors of one device in one call."""
    if not all(map(isinstance, vectors, repeat(torch.Tensor))):
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
    n_rows = sum([vector.shape[0] for vector in vectors])
    rows = np.empty((n_rows, vectors[0].shape[1]), np.float32)
    torch.cat(list(vectors), out=torch.from_numpy(rows))
    return rows


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
    return changed(
        session,
        clicked_elements=_all_with(session.clicked_elements, rows[:n_clicked]),
        non_clicked_elements=_all_with(session.non_clicked_elements, rows[n_clicked:]),
    )


def _all_with(elements: Sequence[Any], rows: Sequence[NDArray[np.floating]]) -> list[Any]:
    return [
        changed(element, vector=like(element.vector, mine))
        for element, mine in zip(elements, rows, strict=True)
    ]


def like(vector: Any, rows: NDArray[np.floating]) -> Any:
    """A copy of a vector with its first rows replaced; type, dtype and device stay."""
    if isinstance(vector, torch.Tensor):
        moved = torch.from_numpy(rows.copy()).to(vector)
        padding = vector.detach()[len(rows) :]
        return torch.cat([moved, padding]) if len(padding) else moved
    return np.concatenate([rows.astype(vector.dtype), vector[len(rows) :]])


def changed(original: Any, **values: Any) -> Any:
    """A shallow copy with these attributes; works on frozen classes of a host, too."""
    twin = copy.copy(original)
    for name, value in values.items():
        object.__setattr__(twin, name, value)
    return twin


def all_changed(originals: Sequence[Any], **values: Sequence[Any]) -> list[Any]:
    """A shallow copy of each object, with attributes of its own: a column of values a name.

    Where all are of one class that is like any, `copy.copy` in short: it takes a fifth of the time.
    """
    kinds = set(map(type, originals))
    if len(kinds) != 1 or not _is_plain(*kinds, tuple(values)):
        rows = zip(originals, *values.values(), strict=True)
        return [changed(original, **dict(zip(values, row, strict=True))) for original, *row in rows]
    (kind,) = kinds
    (name, column), *others = values.items()
    twins: list[Any] = list(map(object.__new__, repeat(kind, len(originals))))
    assign: Any = object.__setattr__
    way: Any = kind.__setattr__
    # One loop over all: what is left alone until the last is made has left the core's cache.
    for twin, original, value in zip(twins, originals, column, strict=True):
        state = original.__dict__.copy()
        state[name] = value
        if way is assign:
            twin.__dict__ = state
        else:
            assign(twin, "__dict__", state)
    for name, column in others:
        for twin, value in zip(twins, column, strict=True):
            twin.__dict__[name] = value
    return twins


@cache
def _is_plain(kind: type, names: tuple[str, ...]) -> bool:
    """Whether an object of a class is its dictionary, copied as any, and `names` are keys in it."""
    special = ("__copy__", "__setstate__", "__getnewargs__", "__getnewargs_ex__", "__slots__")
    usual = ("__reduce__", "__reduce_ex__", "__getstate__", "__new__")
    return (
        not any(hasattr(kind, name) for name in special)
        and all(getattr(kind, name, None) is getattr(object, name, None) for name in usual)
        and not any(hasattr(getattr(kind, name, None), "__set__") for name in names)
    )
