"""What a live system writes down: searches with what was shown, events, and where they stand."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating]
"""Vectors, shape ``(parts, D)``, float32 or float64."""

CLICK = "click"
"""The type of the events that are learnt from; others are kept."""


class Status(str, Enum):
    """Where a session stands on its way through the worker."""

    OPEN = "open"
    PENDING = "pending"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, eq=False)
class Query:
    """What was asked; searches with the same `query_id` share it.

    Args:
        query_id: Its name. Two names are two queries, however equal their vectors.
        vectors: Shape ``(parts, D)``.
        text: What the user typed.
    """

    query_id: str
    vectors: Rows
    text: str = ""

    def __post_init__(self) -> None:
        check_id("query_id", self.query_id)
        if self.vectors.ndim != 2 or not len(self.vectors):
            raise ValueError(
                f"query {self.query_id!r}: vectors must have shape (parts, D) with at least one "
                f"part, got {self.vectors.shape}."
            )


class Impression(NamedTuple):
    """One shown result.

    Args:
        object_id: What was shown.
        propensity: Chance with which it was shown where it was, in (0, 1]; None if not known. It
            is not the chance of a look at that position, which data sets call propensity.
        team: The ranking that put it there when two were interleaved, one of
            `interleaving.TEAMS`; None if one ranked alone.
    """

    object_id: str
    propensity: float | None = None
    team: str | None = None


@dataclass(frozen=True)
class Session:
    """One search by one user.

    Args:
        session_id: Its name.
        created_at: Time of the search, in epoch seconds.
        query: What was asked.
        shown: The results in the order in which they were shown, each object once.
        owner: Whose vectors it reads and adjusts; None where nobody's are.
        user_id: Who searched; None if not known.

    Raises:
        ValueError: For a name that is empty or holds a NUL, or an object that is shown twice.
    """

    session_id: str
    created_at: int
    query: Query
    shown: tuple[Impression, ...]
    owner: str | None = None
    user_id: str | None = None

    def __post_init__(self) -> None:
        check_id("session_id", self.session_id)
        seen = set()
        for impression in self.shown:
            check_id("object_id", impression.object_id)
            if impression.object_id in seen:
                raise ValueError(
                    f"session {self.session_id!r}: object {impression.object_id!r} must be shown "
                    "once, got it twice."
                )
            seen.add(impression.object_id)
        for name in ("owner", "user_id"):
            if getattr(self, name) is not None:
                check_id(name, getattr(self, name))


@dataclass(frozen=True)
class Event:
    """One interaction with a shown result.

    Args:
        event_id: Its name, its own within the session.
        session_id: The session.
        object_id: What was interacted with; the session shows it.
        created_at: When, in epoch seconds.
        event_type: What happened.
    """

    event_id: str
    session_id: str
    object_id: str
    created_at: int
    event_type: str = CLICK

    def __post_init__(self) -> None:
        for name in ("event_id", "session_id", "object_id", "event_type"):
            check_id(name, getattr(self, name))


@dataclass(frozen=True)
class StoredSession:
    """A session as the store holds it.

    Args:
        session: What was registered.
        events: Its events, in order of (time, id).
        is_irrelevant: Marked by the user as irrelevant.
        status: Where it stands.
        reason: Why it stands there, where there is more to say.
        marked_at: When it was marked for improvement; None if it was not.
        attempts: How often a worker has taken it.
    """

    session: Session
    events: tuple[Event, ...]
    is_irrelevant: bool
    status: Status
    reason: str
    marked_at: int | None
    attempts: int


class Copy(NamedTuple):
    """One owner's adjusted vectors of one object, shape ``(parts, D)``."""

    owner: str
    object_id: str
    vectors: Rows


class Term(NamedTuple):
    """All that an (owner, object) has learnt of one query: two weights, >= 0."""

    owner: str
    object_id: str
    query_id: str
    clicked: float
    unclicked: float


def check_id(name: str, value: object) -> None:
    """Refuse what cannot be the name of something.

    Raises:
        ValueError: If it is not a text, empty, or holds a NUL.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{name} must be a text, not empty and without NUL, got {value!r}.")
