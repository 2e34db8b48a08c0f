"""What a search asks of the index that holds the originals."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.records import Rows


class Nearest(NamedTuple):
    """Objects, closest first.

    Args:
        object_ids: Their names; of equally close ones the smaller name first.
        similarities: Shape ``(n,)``: as `similarity.similarities_of` gives them, to the bit, in
            the type of the index's vectors.
    """

    object_ids: list[str]
    similarities: NDArray[np.floating]


class NearestOriginals(VectorIndex, Protocol):
    """An index of the originals alone: personalized copies are never in it.

    An index that finds candidates in another arithmetic, or not all of them, still reports the
    similarities of `similarity.similarities_of`, and ranks what it found by them.
    """

    @property
    def info(self) -> SearchIndexInfo:
        """Dimensions, metric and pooling."""

    def __len__(self) -> int:
        """How many objects it holds."""

    def nearest(self, query: Rows, k: int) -> Nearest:
        """The objects closest to a query.

        Args:
            query: Shape ``(parts, D)``, finite, and not zero under cosine.
            k: How many, >= 1; fewer come back where the index holds fewer.
        """
