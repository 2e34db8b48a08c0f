"""The two rankings of a search: by the originals, and with an owner's copies in their place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.index import SearchIndexInfo
from adjuster.live.nearest import Nearest, NearestOriginals
from adjuster.live.owner_copies import OwnerCopies
from adjuster.live.records import Rows
from adjuster.live.similarity import distances_of, flat_similarities


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
    """So many originals that those without a copy fill the results, wherever the copies go."""
    return index.nearest(query, n_results + len(copies))


def with_copies(near: Nearest, query: Rows, copies: OwnerCopies, info: SearchIndexInfo) -> Ranked:
    """The adjusted ranking: an object with a copy is ranked by its copy only.

    As in the replay, among equals the one first that is closer by its original; then, where the
    replay draws, the smaller name.

    Args:
        near: Of `near_enough`.
        query: Shape ``(parts, D)``.
        copies: The owner's.
        info: Metric and pooling.
    """
    if not len(copies):
        return by_originals(near, info)
    has_copy = set(copies.object_ids)
    rest = np.array([name not in has_copy for name in near.object_ids], np.bool_)
    others = near.similarities[rest]
    mine = flat_similarities(query, copies.vectors, copies.offsets, info)
    scores = np.concatenate([mine, others])
    before = np.concatenate([_originals(query, copies, mine, others, info), others])
    kept = [name for name, keep in zip(near.object_ids, rest.tolist(), strict=True) if keep]
    names = [*copies.object_ids, *kept]
    order = sorted(range(len(names)), key=lambda i: (-scores[i], -before[i], names[i]))
    return Ranked([names[i] for i in order], distances_of(scores[order], info))


def _originals(
    query: Rows,
    copies: OwnerCopies,
    mine: NDArray[np.floating],
    others: NDArray[np.floating],
    info: SearchIndexInfo,
) -> NDArray[np.floating]:
    """Similarities of the copies' originals; not worked out where nothing ties."""
    values = np.concatenate([mine, others])
    if len(np.unique(values)) == len(values):
        return mine
    return flat_similarities(query, copies.originals, copies.offsets, info)
