"""Who stands first among equals: never the order in which the log showed them."""

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import rank_order


def among_equals(
    similarity: NDArray[np.floating], offsets: NDArray[np.int64], seed: int, first: int = 0
) -> NDArray[np.int64]:
    """Arrange each session's results as a ranking that does not tell them apart has them.

    By falling similarity with the originals, and in an order drawn by chance where that is equal
    too. The shown order would lend what it knows of the clicks to whoever ties.

    Args:
        similarity: Shape ``(n_impressions,)``.
        offsets: Shape ``(n_sessions + 1,)``.
        seed: Of the drawn order; a longer log of the same beginning draws the same for it.
        first: How many impressions of the log came before these.

    Returns:
        Shape ``(n_impressions,)``: session ``s`` has the rows ``[offsets[s]:offsets[s + 1]]``. A
        stable sort by any score of rows so arranged breaks ties like this.

    Example:
        >>> among_equals(np.array([0.1, 0.9, 0.5]), np.array([0, 2, 3]), seed=0).tolist()
        [1, 0, 2]
    """
    source = np.random.PCG64(seed).advance(first)
    drawn = rank_order(np.random.Generator(source).random(len(similarity)), offsets)
    return drawn[rank_order(similarity[drawn], offsets)]
