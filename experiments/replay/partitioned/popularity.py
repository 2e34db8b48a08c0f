"""Ranking by popularity in partitions: equal to the whole log's, with one shard in memory.

An object's clicks come from every shard. They are counted shard after shard, in order of time, in
the process that asks; all else is worked out wherever the engine says.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from experiments.replay.exact_sums import ExactSums
from experiments.replay.object_counts import ObjectCounts
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.popularity import (
    Counted,
    Tried,
    Weights,
    choose_weights,
    click_rate,
    counts_so_far,
    scale_of,
    try_on_warmup,
    warmup_clicks,
)
from experiments.replay.results import ReplayResult

CLICKS, SHOWN = "popular-clicks", "popular-shown"
"""What is left of each shard: how often each impression's object was clicked and shown so far."""


def score_popularity(
    replay: PartitionedReplay, interval_seconds: int
) -> tuple[ReplayResult, ReplayResult, Weights]:
    """Rank by the click rate alone, and added to the similarity.

    Args:
        replay: Of any window.
        interval_seconds: Seconds between ticks.

    Returns:
        Both results, and the weights that were best in warmup.
    """
    prior = _count(replay, interval_seconds)
    weights = _weights(replay, prior)
    return (
        replay.score_fixed(partial(rank_alone, prior=prior, weights=weights)),
        replay.score_fixed(partial(rank_added, prior=prior, weights=weights)),
        weights,
    )


def rank_alone(bench: Workbench, shard: int, prior: float, weights: Weights) -> NDArray[np.float64]:
    """A shard's impressions by their click rate. Shape ``(n_impressions,)``."""
    return _counted(bench, shard, prior).rate(weights.strength)


def rank_added(bench: Workbench, shard: int, prior: float, weights: Weights) -> NDArray[np.float64]:
    """The same, added to their similarity."""
    counted = _counted(bench, shard, prior)
    return counted.added(weights.added_strength, weights.added_weight)


def _count(replay: PartitionedReplay, interval_seconds: int) -> float:
    """Leave the counts of every shard; the click rate of warmup."""
    n_objects = replay.log.n_objects
    earlier = ObjectCounts(n_objects), ObjectCounts(n_objects)
    n_clicks = n_shown = 0
    for shard in replay.shards:
        timeline = replay.bench.worker.timeline(shard)
        counts = counts_so_far(timeline, interval_seconds, earlier)
        for name, column in zip((CLICKS, SHOWN), counts, strict=True):
            replay.bench.leave(name, shard, column)
        found = warmup_clicks(timeline)
        n_clicks, n_shown = n_clicks + found[0], n_shown + found[1]
    return click_rate(n_clicks, n_shown)


def _weights(replay: PartitionedReplay, prior: float) -> Weights:
    frame = replay.frame
    n_seen = int(frame.offsets[frame.warmup_end]) or frame.n_impressions
    sums = partial(_sums, prior=prior, n_seen=n_seen)
    means = _merged(replay.over_shards(partial(sums, means=None))).means()
    scale = scale_of(_merged(replay.over_shards(partial(sums, means=means))))
    found = list(replay.over_shards(partial(_try, prior=prior, scale=scale)))
    tried = Tried(
        np.concatenate([one.session for one in found]),
        np.concatenate([one.values for one in found], axis=1),
    )
    return choose_weights(tried, frame.log.session_person, scale)


def _merged(parts: Iterable[ExactSums]) -> ExactSums:
    whole = ExactSums()
    for part in parts:
        whole.merge(part)
    return whole


def _sums(
    bench: Workbench, shard: int, prior: float, n_seen: int, means: NDArray[np.float64] | None
) -> ExactSums:
    """See `Counted.sums`, of those of a shard's impressions that are seen."""
    n = n_seen - int(bench.data.shard_impressions[shard])
    return _counted(bench, shard, prior).first(n).sums(means) if n > 0 else ExactSums()


def _try(bench: Workbench, shard: int, prior: float, scale: float) -> Tried:
    """See `try_on_warmup`, of the part of warmup that lies in a shard."""
    timeline = bench.worker.timeline(shard)
    labels, objective = bench.labels(shard, timeline), bench.worker.objective
    counted = _counted(bench, shard, prior)
    found = try_on_warmup(timeline, labels, objective, counted, scale)
    first = bench.data.manifest.shard_bounds[shard]
    return Tried(first + found.session, found.values)


def _counted(bench: Workbench, shard: int, prior: float) -> Counted:
    return Counted(
        clicks=np.asarray(bench.left(CLICKS, shard)),
        shown=np.asarray(bench.left(SHOWN, shard)),
        similarity=bench.originals(shard).astype(np.float64),
        prior=prior,
    )
