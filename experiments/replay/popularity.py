"""Ranking by how often an object was clicked, vectors ignored or added.

What an adjuster learns must be worth more than this: whoever reads a table has to see when the
simple thing is better. Counts are as old as the worker's: a search sees the clicks and showings
that had been taken by the last tick.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import judge, rank_order, score_sessions
from adjuster.ticks import NEVER, tick_after
from experiments.replay.layout import Layout
from experiments.replay.timeline import Timeline

Key = TypeVar("Key")

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Showings that the average click rate counts for, as a prior."""

SHARES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Weight of the click rate where it is added to the similarity, in standard deviations."""


@dataclass(frozen=True)
class Popularity:
    """Scores by popularity, and the weights chosen on warmup.

    Args:
        alone: Shape ``(n_impressions,)``.
        added: Shape ``(n_impressions,)``: similarity plus weighted click rate.
        strength: Prior of `alone`, in showings.
        added_strength: Prior of `added`.
        added_weight: Weight of the click rate in `added`, in units of similarity.
    """

    alone: NDArray[np.float64]
    added: NDArray[np.float64]
    strength: float
    added_strength: float
    added_weight: float


def rank_by_popularity(layout: Layout, *, interval_seconds: int) -> Popularity:
    """Score every impression by popularity, with the weights that were best in warmup.

    Without warmup the weights are a prior of 10 showings and one standard deviation.
    """
    timeline = layout.timeline
    clicks, shown = counts_so_far(timeline, interval_seconds)
    prior = _prior(timeline)
    rates = {strength: (clicks + prior * strength) / (shown + strength) for strength in STRENGTHS}
    similarity = layout.before.astype(np.float64)
    scale = float(similarity.std()) / max(1e-12, float(rates[10.0].std()))
    strength = _best(rates, layout, 10.0)
    mixed = {
        (strength, share * scale): similarity + share * scale * rate
        for strength, rate in rates.items()
        for share in SHARES
    }
    added_strength, weight = _best(mixed, layout, (10.0, scale))
    return Popularity(
        alone=rates[strength],
        added=mixed[added_strength, weight],
        strength=strength,
        added_strength=added_strength,
        added_weight=weight,
    )


def counts_so_far(
    timeline: Timeline, interval_seconds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Clicks and showings of each impression's object, as of the last tick before its search.

    Withheld queries count for nothing.

    Returns:
        Two arrays of shape ``(n_impressions,)``.
    """
    created_at = timeline.created_at[timeline.session_of]
    used = ~timeline.withheld[timeline.session_of]
    clicked = used & (timeline.click_at < NEVER)
    arrived = np.maximum(timeline.click_at, created_at)
    objects = timeline.log.impression_object[: timeline.n_impressions].astype(np.int64)
    return (
        _count(objects, tick_after(arrived, interval_seconds), clicked, created_at),
        _count(objects, tick_after(created_at, interval_seconds), used, created_at),
    )


def _count(
    objects: NDArray[np.int64],
    known_at: NDArray[np.int64],
    used: NDArray[np.bool_],
    asked_at: NDArray[np.int64],
) -> NDArray[np.int64]:
    """For each row, the used rows of its object that are known strictly before it is asked."""
    moments = np.unique(np.concatenate([known_at[used], asked_at]))
    known = np.searchsorted(moments, known_at[used])
    keys = np.sort(objects[used] * (len(moments) + 1) + known)
    asked = objects * (len(moments) + 1) + np.searchsorted(moments, asked_at)
    return np.searchsorted(keys, asked) - np.searchsorted(keys, objects * (len(moments) + 1))


def _prior(timeline: Timeline) -> float:
    """Click rate of warmup; of nothing, one half."""
    clicked = timeline.click_at[: timeline.offsets[timeline.warmup_end]] < NEVER
    return float(clicked.mean()) if len(clicked) else 0.5


def _best(candidates: dict[Key, NDArray[np.float64]], layout: Layout, fallback: Key) -> Key:
    """The key whose scores rank warmup best."""
    offsets = layout.timeline.offsets[: layout.timeline.warmup_end + 1]
    rows = slice(0, int(offsets[-1]))
    gains = layout.labels.gains[rows]
    if not gains.any():
        return fallback
    left_out = None if layout.labels.left_out is None else layout.labels.left_out[rows]
    judgements = judge(gains, offsets, left_out=left_out)

    def value(key: Key) -> float:
        order = rank_order(candidates[key][rows], offsets, left_out=left_out)
        return float(np.nanmean(score_sessions(judgements, order)[layout.objective.metric]))

    return max(candidates, key=value)
