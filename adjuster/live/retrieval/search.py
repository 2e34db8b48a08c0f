"""Personalized search: the originals' nearest, the owner's copies in their place, and chance."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from adjuster.live.monitoring.health import HealthLog, Seen
from adjuster.live.monitoring.modes import MODE, Mode, read_mode
from adjuster.live.retrieval.arrangement import (
    INTERLEAVED,
    ORIGINALS_ONLY,
    Slot,
    alone,
    assign,
    draws_of,
    explore,
    fraction_of,
    interleave,
)
from adjuster.live.retrieval.nearest import Nearest, NearestOriginals
from adjuster.live.retrieval.owner_copies import CopyCache, CopyStore, OwnerCopies
from adjuster.live.retrieval.personal_ranking import Ranked, by_originals, near_enough, with_copies
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.live.retrieval.similarity import similarities_of
from adjuster.live.storage.records import Impression, Query, Session
from adjuster.live.storage.store import COPIES_VERSION, GENERATION


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
        distance: See `similarity.distances_of`; of the owner's copy, where one is and anything but
            the originals' ranking is shown.
        is_adjusted: Whether it is of a copy.
        propensity: Chance with which this object stands in this slot, over all draws of searches
            like this one: 1 where one ranking is shown alone, else worked out by `slots`. What a
            user was assigned to is no part of it.
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


class SearchStore(CopyStore, Protocol):
    """The part of a store that searches use."""

    def states(self, names: Collection[str]) -> dict[str, str]:
        """Named values, those that there are."""

    def register(self, sessions: Sequence[Session]) -> int:
        """Write sessions down."""


class _Found(NamedTuple):
    """What a search is made of.

    Args:
        near: The nearest originals.
        originals: The originals' ranking.
        adjusted: The adjusted one; None where none is wanted.
        copies: What it was made with.
    """

    near: Nearest
    originals: Ranked
    adjusted: Ranked | None
    copies: OwnerCopies | None


class LiveSearch:
    """Searches by originals and copies, as the mode has it; any number of threads may search.

    In ``off`` and ``shadow`` the originals' ranking is shown. In ``shadow`` the adjusted one is
    made too, for its health alone; if that fails, the search does not.

    Args:
        index: The originals.
        config: Chances and shares.
        health: Takes what each search tells.
        clock: Seconds.
    """

    def __init__(
        self,
        index: NearestOriginals,
        config: SearchConfig | None = None,
        health: HealthLog | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.index, self.config, self.clock = index, config or SearchConfig(), clock
        self.health = health or HealthLog()
        self.copies = CopyCache(index)

    def search(self, store: SearchStore, request: SearchRequest) -> Answer:
        """Search, and write the session down where that is asked for.

        Args:
            store: The calling thread's.
            request: What is asked.

        Raises:
            ValueError: If the query cannot be compared, or the session is known and differs.
            StoreUnavailable: If the store cannot be read or written.
        """
        started = self.clock()
        try:
            answer, seen = self._search(store, request)
            if request.is_registered:
                store.register([_session(request, answer)])
        except ValueError:
            raise
        except Exception:
            self.health.add_error()
            raise
        self.health.add(seen._replace(seconds=self.clock() - started))
        return answer

    def _search(self, store: SearchStore, request: SearchRequest) -> tuple[Answer, Seen]:
        state = store.states([MODE, GENERATION, COPIES_VERSION])
        mode, generation = read_mode(state.get(MODE)).mode, int(state.get(GENERATION, "0"))
        version = state.get(COPIES_VERSION, "0")
        found = self._find(store, request, mode, generation, version)
        shows = ORIGINALS_ONLY
        if found.adjusted is not None:
            who = f"user {request.user_id}" if request.user_id else f"session {request.session_id}"
            shares = self.config.interleaved_share, self.config.kept_share
            shows = assign(mode, who, shares=shares, seed=self.config.seed)
        results = self._page(request, found, shows)
        return Answer(results, shows, generation), self._seen(request, found)

    def _find(
        self, store: SearchStore, request: SearchRequest, mode: Mode, generation: int, version: str
    ) -> _Found:
        query, n = request.query.vectors, request.offset + request.limit
        info = self.index.info
        if mode is Mode.OFF or request.owner is None:
            near = self.index.nearest(query, n)
            return _Found(near, by_originals(near, info), None, None)
        try:
            copies = self.copies.get(store, generation, version, request.owner)
            near = near_enough(self.index, query, n, copies)
            adjusted = with_copies(near, query, n, copies, info)
            return _Found(near, by_originals(near, info), adjusted, copies)
        except Exception:
            if mode is not Mode.SHADOW:
                raise
            self.health.add_error()
            near = self.index.nearest(query, n)
            return _Found(near, by_originals(near, info), None, None)

    def _page(self, request: SearchRequest, found: _Found, shows: str) -> tuple[Result, ...]:
        n_slots = request.offset + request.limit
        if shows == ORIGINALS_ONLY or found.adjusted is None or found.copies is None:
            ranked = found.originals.within(request.max_distance)
            slots, has_copy = alone(ranked.object_ids, n_slots), dict[str, int]()
        else:
            ranked = found.adjusted.within(request.max_distance)
            slots = self._mixed(request, ranked, found.originals, shows)
            has_copy = found.copies.row
        distance = dict(zip(ranked.object_ids, ranked.distances.tolist(), strict=True))
        return tuple(
            Result(name, distance[name], name in has_copy, propensity, team)
            for name, propensity, team in slots[request.offset :]
        )

    def _mixed(
        self, request: SearchRequest, adjusted: Ranked, originals: Ranked, shows: str
    ) -> list[Slot]:
        """The slots of an adjusted or interleaved ranking, of what may be shown at all."""
        allowed = set(adjusted.object_ids)
        theirs = [name for name in originals.object_ids if name in allowed]
        n_slots = request.offset + request.limit
        rng = draws_of(request.session_id, self.config.seed)
        if shows == INTERLEAVED:
            return interleave(adjusted.object_ids, theirs, n_slots, rng)
        ratio = self.config.exploration_ratio
        return explore(adjusted.object_ids, theirs, ratio, n_slots, rng)

    def _seen(self, request: SearchRequest, found: _Found) -> Seen:
        is_equal = None
        key = f"check {self.config.seed} {request.session_id}"
        if fraction_of(key) < self.config.checked_share:
            is_equal = self._is_equal(request, found.near)
        if found.adjusted is None or found.copies is None:
            return Seen(0.0, is_equal=is_equal)
        page = found.adjusted.object_ids[request.offset : request.offset + request.limit]
        rows = [found.copies.row[name] for name in page if name in found.copies.row]
        drift = float(found.copies.drift[rows].sum())
        return Seen(0.0, len(rows), drift, is_equal)

    def _is_equal(self, request: SearchRequest, near: Nearest) -> bool:
        """Whether the index reports of its first results what their vectors say, to the bit."""
        names = near.object_ids[: request.limit]
        vectors = [self.index.vectors(name) for name in names]
        exact = similarities_of(request.query.vectors, vectors, self.index.info)
        return np.array_equal(exact, near.similarities[: len(names)])


def _session(request: SearchRequest, answer: Answer) -> Session:
    shown = tuple(
        Impression(result.object_id, result.propensity, result.team) for result in answer.results
    )
    return Session(
        request.session_id, request.at, request.query, shown, request.owner, request.user_id
    )
