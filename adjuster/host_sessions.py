"""Which objects a host's sessions show, by owner and id: many small objects, read in bulk."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import Shown, keys_of
from adjuster.host_rows import check_distinct


class SourceOf:
    """The session and element of some of a `Shown`'s rows, put together when asked for."""

    def __init__(self, sessions: Sequence[Any], shown: Shown, rows: NDArray[np.integer]) -> None:
        self.sessions, self.shown, self.rows = sessions, shown, rows

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        row = self.rows[place]
        return self.sessions[self.shown.session[row]], self.shown.elements[row]


def read_shown(sessions: Sequence[Any]) -> Shown:
    """What sessions of the plugin API show. Elements with the same (user_id, id) are one object.

    Raises:
        ValueError: Naming session and object, if a session shows one twice.
    """
    n_clicked = np.array([len(one.clicked_elements) for one in sessions], np.int64)
    n_passed = np.array([len(one.non_clicked_elements) for one in sessions], np.int64)
    elements = [
        item for one in sessions for item in (*one.clicked_elements, *one.non_clicked_elements)
    ]
    session = np.repeat(np.arange(len(sessions)), n_clicked + n_passed)
    lengths = np.stack([n_clicked, n_passed], axis=1).ravel()
    places, first = _objects_of(elements)
    if len(first) < len(elements):
        _check_once(sessions, session, places, len(first))
    return Shown(
        session=session,
        clicked=np.repeat(np.tile([True, False], len(sessions)), lengths),
        n_clicked=n_clicked,
        n_shown=n_clicked + n_passed,
        elements=elements,
        places=places,
        first=first,
    )


def _objects_of(elements: list[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which (owner, id) each element is, and the first element of each."""
    keys = keys_of(elements)
    distinct = dict.fromkeys(keys)
    if len(distinct) == len(keys):
        every = np.arange(len(keys))
        return every, every
    number = dict(zip(distinct, count(), strict=False))
    places = np.fromiter(map(number.__getitem__, keys), np.int64, len(keys))
    return places, np.unique(places, return_index=True)[1]


def _check_once(
    sessions: Sequence[Any], session: NDArray[np.int64], places: NDArray[np.int64], n_objects: int
) -> None:
    """Refuse a session that shows an object twice."""
    if len(np.unique(session * n_objects + places)) < len(places):
        for one in sessions:
            check_distinct(one)
