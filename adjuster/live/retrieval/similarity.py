"""How close objects are to a query, in the arithmetic that the replay ranks with."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.fused_engine.streams import make_corpus, score_originals
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.live.storage.records import Rows
from adjuster.ragged import offsets_of


def similarities_of(
    query: Rows, objects: Sequence[Rows], info: SearchIndexInfo
) -> NDArray[np.floating]:
    """Similarity of objects to a query, by their nearest part or the mean over parts.

    The very function that scores a replay's showings, so that equal vectors give equal bits.

    Args:
        query: Shape ``(parts, D)``; compared in the type of the objects' vectors.
        objects: Each of shape ``(parts, D)``, all of one type.
        info: Metric and pooling.

    Returns:
        Shape ``(n_objects,)``, in the type of the vectors; larger is closer.

    Example:
        >>> rows = [np.array([[1.0, 0.0]]), np.array([[0.0, 2.0], [3.0, 0.0]])]
        >>> similarities_of(rows[0], rows, SearchIndexInfo(2, "cosine", "avg")).tolist()
        [1.0, 0.5]
    """
    if not objects:
        return np.empty(0, query.dtype)
    offsets = offsets_of([len(rows) for rows in objects])
    return flat_similarities(query, np.concatenate(objects), offsets, info)


def flat_similarities(
    query: Rows, vectors: Rows, offsets: NDArray[np.int64], info: SearchIndexInfo
) -> NDArray[np.floating]:
    """`similarities_of` objects whose parts lie in one array.

    Args:
        query: Shape ``(parts, D)``.
        vectors: Shape ``(n_parts, D)``.
        offsets: Shape ``(n_objects + 1,)``.
        info: Metric and pooling.
    """
    asked = query.astype(vectors.dtype, copy=False)
    corpus = make_corpus(vectors, offsets, asked, offsets_of([len(asked)]), info)
    knobs = _ranking_knobs(info)
    objects = np.arange(len(offsets) - 1, dtype=np.int32)
    # One thread: others take longer to start than a search has.
    return score_originals(corpus, knobs, objects, np.zeros_like(objects), n_threads=1)


@cache
def _ranking_knobs(info: SearchIndexInfo) -> Knobs:
    """Metric and pooling as the compiled code takes them; the rest plays no part in ranking."""
    return make_knobs(info, AdjusterConfig())


def distances_of(similarities: NDArray[np.floating], info: SearchIndexInfo) -> NDArray[np.float64]:
    """What clients call distance: 1 - cosine, minus the dot product, or Euclid's; small is close.

    Example:
        >>> distances_of(np.array([1.0, 0.25]), SearchIndexInfo(2)).tolist()
        [0.0, 0.75]
    """
    exact = similarities.astype(np.float64)
    return 1.0 - exact if info.metric_type is MetricType.COSINE else -exact
