"""Personalized search: what is asked, and what comes of it."""

from dataclasses import dataclass
from typing import NamedTuple

from adjuster.live.records import Query

GENERATION = "generation"
"""Under this name the state holds which generation of copies is shown; 0 where it does not."""


@dataclass(frozen=True, eq=False)
class SearchRequest:
    """One search.

    Args:
        session_id: Its name; it draws what is left to chance, so asking again shows the same.
        at: When, in epoch seconds.
        query: What is asked.
        owner: Whose copies are read; None for nobody's.
        user_id: Who asks; None if not known.
        limit: Results wanted, >= 1.
        offset: Results to be passed over, >= 0.
        max_distance: Nothing further is shown; None for no bound.
        is_registered: Whether the store writes the session down, with what it shows.

    Raises:
        ValueError: If a number is out of range.
    """

    session_id: str
    at: int
    query: Query
    owner: str | None = None
    user_id: str | None = None
    limit: int = 10
    offset: int = 0
    max_distance: float | None = None
    is_registered: bool = False

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"limit must be >= 1 result, got {self.limit}.")
        if self.offset < 0:
            raise ValueError(f"offset must be >= 0 results, got {self.offset}.")


class Result(NamedTuple):
    """One result.

    Args:
        object_id: What is shown.
        distance: By the ranking that placed it; see `similarity.distances_of`.
        is_adjusted: Whether that ranking reads a copy of it.
        propensity: Chance with which this object stands in this slot, given what the search was
            assigned to; see `slots`.
        team: As in `records.Impression`.
    """

    object_id: str
    distance: float
    is_adjusted: bool
    propensity: float
    team: str | None = None


class Answer(NamedTuple):
    """What a search shows.

    Args:
        results: The page, best first.
        shows: Which ranking is shown: ``originals``, ``adjusted`` or ``interleaved``.
        generation: Which generation of copies was read.
    """

    results: tuple[Result, ...]
    shows: str
    generation: int
