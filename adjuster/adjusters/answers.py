"""A host's sessions copied, each new vector a view of memory that may be filled later."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.adjusters.host_copies import all_changed, like
from adjuster.feedback import ImprovementElement, Shown, with_vectors
from adjuster.ragged import offsets_of, rows_of


class Answers:
    """Copies of sessions, ready before their vectors' numbers are.

    An element's new vector is of its own type, dtype and device: a view of the memory where the
    element comes as the engine gives it, whole; a copy where it does not. Elements that show one
    object get memory of their own each.

    Args:
        sessions: The sessions.
        shown: What they show.
        offsets: Shape ``(n_objects + 1,)``: the parts of each object.
        memory: Shape ``(n_parts, D)``: where the new vectors will stand, used by nobody else.
        alike: Whether all vectors are known to be whole tensors on the CPU of the memory's type.

    Attributes:
        sessions: The copies; good after `fill`.
    """

    sessions: list[Any]

    def __init__(
        self,
        sessions: Sequence[Any],
        shown: Shown,
        offsets: NDArray[np.int64],
        memory: NDArray[np.floating],
        *,
        alike: bool = False,
    ) -> None:
        self._shown, self._offsets, self._memory = shown, offsets, memory
        self._repeated, self._copies = self._room_for_repeated()
        views = self._views()
        twins = _with_vectors(shown.elements, views)
        self._unlike = [] if alike else self._find_unlike(views)
        self._twins = twins if self._unlike else []
        clicked, unclicked = self._lists_of(twins)
        self.sessions = all_changed(
            sessions, clicked_elements=clicked, non_clicked_elements=unclicked
        )

    def fill(self) -> list[Any]:
        """Bring in what is no view of the memory, now that it is filled; the sessions."""
        if len(self._repeated):
            places = self._shown.places[self._repeated]
            rows = rows_of(self._offsets[places], np.diff(self._offsets)[places])
            np.take(self._memory, rows, axis=0, out=self._copies)
        for number in self._unlike:
            old, twin = self._shown.elements[number], self._twins[number]
            lo, hi = self._offsets[self._shown.places[number] :][:2]
            object.__setattr__(twin, "vector", like(old.vector, self._memory[lo:hi]))
        return self.sessions

    def _room_for_repeated(self) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        """Elements whose object was shown before, and memory for their vectors."""
        shown = self._shown
        if shown.is_each_another:
            return np.empty(0, np.int64), self._memory[:0]
        is_first = np.zeros(len(shown.elements), np.bool_)
        is_first[shown.first] = True
        repeated = np.flatnonzero(~is_first)
        n_parts = np.diff(self._offsets)[shown.places[repeated]].sum()
        return repeated, np.empty((n_parts, self._memory.shape[1]), self._memory.dtype)

    def _views(self) -> Sequence[torch.Tensor]:
        """The memory of each element's new vector."""
        shown, lengths = self._shown, np.diff(self._offsets)
        parts = _split(self._memory, lengths)
        if shown.is_each_another:
            return parts
        copies = _split(self._copies, lengths[shown.places[self._repeated]])
        views = [parts[place] for place in shown.places.tolist()]
        for number, view in zip(self._repeated.tolist(), copies, strict=True):
            views[number] = view
        return views

    def _lists_of(self, twins: list[Any]) -> tuple[list[list[Any]], list[list[Any]]]:
        """Each session's clicked elements, and its others."""
        n_clicked, n_shown = self._shown.n_clicked, self._shown.n_shown
        lengths = np.stack([n_clicked, n_shown - n_clicked], axis=1).ravel()
        lists = [twins[lo:hi] for lo, hi in pairwise(offsets_of(lengths).tolist())]
        return lists[::2], lists[1::2]

    def _find_unlike(self, views: Sequence[torch.Tensor]) -> list[int]:
        return [
            number
            for number, (element, view) in enumerate(zip(self._shown.elements, views, strict=True))
            if not _is_like(element.vector, view)
        ]


@contextmanager
def no_collection() -> Iterator[None]:
    """Python looks through all objects again and again while many are made; none of these is lost.

    It took three times as long as making them. Not for long stretches of work: garbage of other
    threads stays as well.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _with_vectors(elements: Sequence[Any], vectors: Sequence[torch.Tensor]) -> list[Any]:
    if set(map(type, elements)) == {ImprovementElement}:
        return with_vectors(elements, vectors)
    return all_changed(elements, vector=vectors)


def _split(rows: NDArray[np.floating], lengths: NDArray[np.int64]) -> Sequence[torch.Tensor]:
    """Tensors over so many rows each.

    Autograd is not to know that they have a memory in common, since they have no number in common:
    each is then a tensor of its own to a host, and is made in three quarters of the time.
    """
    return torch.unsafe_split_with_sizes(torch.from_numpy(rows), lengths.tolist())


def _is_like(old: Any, new: torch.Tensor) -> bool:
    return (
        isinstance(old, torch.Tensor)
        and old.dtype is new.dtype
        and old.device == new.device
        and old.shape == new.shape
    )
