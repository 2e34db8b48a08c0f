"""How attractive a result is, as a click model and earlier sessions tell it."""

import numpy as np
from numpy.typing import NDArray

from experiments.replay.position.click_counts import ClickCounts
from experiments.replay.position.click_model import ClickModel
from experiments.replay.position.impressions import Impressions

ROWS_AT_ONCE = 1 << 16
"""Impressions weighed in one piece, which bounds the memory."""


def earlier_attraction(
    log: Impressions, counts: ClickCounts, model: ClickModel
) -> NDArray[np.float64]:
    """Mean of γ of each impression's pair, given its clicks in earlier sessions alone.

    A pair's first impression gets the mean of its stratum.

    Args:
        log: The impressions, in order of time.
        counts: Their counts.
        model: A fitted click model.

    Returns:
        Shape ``(n_impressions,)``, in (0, 1).
    """
    order = np.argsort(log.pair, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(log.pair[order], prepend=-1)), len(order))
    if_clicked, if_skipped = np.log(model.chances), np.log1p(-model.chances)
    log_law = np.log(np.maximum(model.law, 1e-300))
    result = np.empty(len(order))
    first = 0
    while first < len(starts) - 1:
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + ROWS_AT_ONCE)) - 1)
        rows = order[starts[first] : starts[last]]
        seen = np.where(
            log.clicked[rows][:, None], if_clicked[log.depth[rows]], if_skipped[log.depth[rows]]
        )
        before = np.cumsum(seen, axis=0) - seen  # (rows, levels)
        begin = starts[first:last] - starts[first]
        before -= np.repeat(before[begin], np.diff(starts[first : last + 1]), axis=0)
        before += log_law[counts.stratum[counts.row[rows]]]
        before = np.exp(before - before.max(axis=1, keepdims=True))
        result[rows] = before @ model.levels / before.sum(axis=1)
        first = last
    return result
