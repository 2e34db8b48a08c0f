"""The two rankings of a search: by the originals, and with an owner's copies in their place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.nearest import Nearest, NearestOriginals
from adjuster.live.retrieval.owner_copies import OwnerCopies
from adjuster.live.retrieval.similarity import distances_of, flat_similarities, similarities_of
from adjuster.live.storage.records import Rows

COPIES_AT_ONCE = 200
"""So many copies are made up for at once by asking the index for as many originals more."""

GROWTH = 8
"""By how many times more is asked for where that was not enough: each time is a whole search."""


@dataclass(frozen=True)
class Ranked:
    """Objects, best first, with their distances.

    Args:
        object_ids: The objects.
        distances: Shape ``(n,)`` float64; see `similarity.distances_of`.
    """

    object_ids: list[str]
    distances: NDArray[np.float64]

    def within(self, max_distance: float | None) -> "Ranked":
        """Those that are not further away."""
        if max_distance is None:
            return self
        kept = self.distances <= max_distance
        names = [name for name, keep in zip(self.object_ids, kept.tolist(), strict=True) if keep]
        return Ranked(names, self.distances[kept])


def by_originals(near: Nearest, info: SearchIndexInfo) -> Ranked:
    """The originals' ranking."""
    return Ranked(near.object_ids, distances_of(near.similarities, info))


def near_enough(
    index: NearestOriginals, query: Rows, n_results: int, copies: OwnerCopies
) -> Nearest:
    """Originals of which so many have no copy, wherever the copies go.

    With few copies that is asked for at once. Where most objects have one, as where all users
    share their copies, that many would be read in vain, so it asks for more until it is enough.

    Args:
        index: The originals.
        query: Shape ``(parts, D)``.
        n_results: How many, >= 1.
        copies: The owner's.
    """
    most = n_results + len(copies)
    asked = min(most, n_results + COPIES_AT_ONCE)
    while True:
        near = index.nearest(query, asked)
        n_free = sum(name not in copies.row for name in near.object_ids)
        if n_free >= n_results or asked == most or len(near.object_ids) < asked:
            return near
        asked = min(most, GROWTH * asked)


def with_copies(
    near: Nearest, query: Rows, n_results: int, copies: OwnerCopies, info: SearchIndexInfo
) -> Ranked:
    """The adjusted ranking: an object with a copy is ranked by its copy only.

    As in the replay, among equals the one first that is closer by its original; then, where the
    replay draws, the smaller name.

    Args:
        near: Of `near_enough`.
        query: Shape ``(parts, D)``.
        n_results: How many are wanted, >= 1.
        copies: The owner's.
        info: Metric and pooling.

    Returns:
        The first results; behind them those of the first by their originals that are not among
        them.
    """
    if not len(copies):
        return by_originals(near, info)
    free = [i for i, name in enumerate(near.object_ids) if name not in copies.row]
    mine = flat_similarities(query, copies.vectors, copies.offsets, info)
    scores = np.concatenate([mine, near.similarities[free]])
    kept = _first(scores, n_results)
    kept |= _places(near.object_ids[:n_results], free, near, copies)
    before = _originals(query, sorted(kept), scores, copies, info)
    n = len(copies)
    names = {i: copies.object_ids[i] if i < n else near.object_ids[free[i - n]] for i in kept}
    order = sorted(kept, key=lambda i: (-scores[i], -before[i], names[i]))
    return Ranked([names[i] for i in order], distances_of(scores[order], info))


def _first(scores: NDArray[np.floating], n: int) -> set[int]:
    """The places of the n largest, and of all that equal the last of them."""
    if len(scores) <= n:
        return set(range(len(scores)))
    least = np.partition(scores, len(scores) - n)[len(scores) - n]
    return set(np.flatnonzero(scores >= least).tolist())


def _places(names: Sequence[str], free: list[int], near: Nearest, copies: OwnerCopies) -> set[int]:
    """Where the first originals stand among copies and the originals without one.

    Of `free`, which is in the originals' order, it takes no more than there are names.
    """
    without_copy = {near.object_ids[i]: place for place, i in enumerate(free[: len(names)])}
    rows = ((copies.row.get(name), name) for name in names)
    return {len(copies) + without_copy[name] if row is None else row for row, name in rows}


def _originals(
    query: Rows,
    places: Sequence[int],
    scores: NDArray[np.floating],
    copies: OwnerCopies,
    info: SearchIndexInfo,
) -> dict[int, float]:
    """Similarities of originals at some places; not worked out where nothing ties."""
    before = {place: float(scores[place]) for place in places}
    ties = Counter(before.values())
    tied = [place for place in places if place < len(copies) and ties[before[place]] > 1]
    parts = [copies.originals[copies.offsets[i] : copies.offsets[i + 1]] for i in tied]
    found = similarities_of(query, parts, info).tolist()
    return before | dict(zip(tied, found, strict=True))
