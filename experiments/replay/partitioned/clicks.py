"""What the clicks of a log in partitions say of positions: of all of them, or of some queries'."""

from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import offsets_of
from adjuster.ticks import NEVER
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.position.impressions import Impressions
from experiments.replay.position_bias import ClickEstimate

MOST_IMPRESSIONS = 4_000_000
"""Of more, those of some queries are looked at, drawn by hash, so that memory stays bounded."""


@dataclass(frozen=True)
class ShownUpToTune:
    """What some sessions of a shard show.

    Args:
        session: Shape ``(n_sessions,)``: their numbers in the log.
        n_shown: Shape ``(n_sessions,)``.
        object: Shape ``(n_impressions,)``.
        position: Shape ``(n_impressions,)``.
        clicked: Shape ``(n_impressions,)`` bool.
        score: Shape ``(n_impressions,)``: similarity with the originals.
    """

    session: NDArray[np.int64]
    n_shown: NDArray[np.int64]
    object: NDArray[np.int32]
    position: NDArray[np.int32]
    clicked: NDArray[np.bool_]
    score: NDArray[np.floating]


def read_clicks(replay: PartitionedReplay, *, most: int = MOST_IMPRESSIONS) -> ClickEstimate:
    """What clicks up to tune's end say of positions: the sealed test has no say in it.

    Up to `most` impressions it is what the whole log says. Of more, whole queries are drawn: what
    they tell is told by the whole log too, only better.

    Args:
        replay: Of any window.
        most: About how many impressions are looked at.
    """
    frame, log = replay.frame, replay.log
    n_sessions = min(frame.tune_end, frame.n_sessions)
    share = min(1.0, most / max(1, int(frame.offsets[n_sessions])))
    asked = _drawn(log.query_ids, share, replay.seed)
    found = list(replay.over_shards(partial(_look, asked=asked)))
    session = np.concatenate([shown.session for shown in found])
    return ClickEstimate(
        Impressions(
            query=log.session_query[session],
            user=log.session_person[session],
            offsets=offsets_of(np.concatenate([shown.n_shown for shown in found])),
            object=np.concatenate([shown.object for shown in found]),
            position=np.concatenate([shown.position for shown in found]),
            clicked=np.concatenate([shown.clicked for shown in found]),
        ),
        np.concatenate([shown.score for shown in found]),
        replay.seed,
        share,
    )


def _drawn(queries: NDArray[np.object_], share: float, seed: int) -> NDArray[np.bool_]:
    """Which queries are looked at, shape ``(n_queries,)``."""
    if share == 1:
        return np.ones(len(queries), np.bool_)
    salt = f"clicks {seed}".encode()
    digests = [blake2b(name.encode(), key=salt, digest_size=4).digest() for name in queries]
    drawn = np.array([int.from_bytes(digest, "little") for digest in digests], np.float64)
    return drawn < share * 2.0**32


def _look(bench: Workbench, shard: int, asked: NDArray[np.bool_]) -> ShownUpToTune:
    """What the sessions of a shard that ask some queries show, up to tune's end."""
    timeline = bench.worker.timeline(shard)
    n_sessions = min(timeline.tune_end, timeline.n_sessions)
    offsets = timeline.offsets[: n_sessions + 1]
    mine = asked[timeline.query[:n_sessions]]
    n_shown = np.diff(offsets)
    rows = np.flatnonzero(np.repeat(mine, n_shown))
    return ShownUpToTune(
        session=bench.data.manifest.shard_bounds[shard] + np.flatnonzero(mine),
        n_shown=n_shown[mine],
        object=timeline.log.impression_object[rows],
        position=timeline.log.impression_position[rows],
        clicked=timeline.click_at[rows] < NEVER,
        score=np.asarray(bench.originals(shard))[rows],
    )
