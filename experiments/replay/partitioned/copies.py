"""Every owner's copies at the end of a log in partitions, one pair part after the other.

Those of a walk through shards, which holds all copies anyway, come at once.
"""

from collections.abc import Iterator
from dataclasses import fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.ragged import offsets_of
from experiments.data.format.click_log import ClickLog
from experiments.replay.copies import Copies, copies_of, copies_stored
from experiments.replay.pair_streams import PairStreams
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import WalkedDrifts, Workbench
from experiments.replay.partitioned.worker import PartPairs
from experiments.replay.published_sessions import Calls
from experiments.replay.schedule import Schedule
from experiments.replay.settings import Settings

COLUMNS = {field.name: f"copies-{field.name}" for field in fields(Copies)}
"""What is left of each part until it is handed over, by name."""


def copies_in_partitions(replay: PartitionedReplay, settings: Settings) -> Iterator[Copies]:
    """The copies at the end of a replay, equal to those of `learn_copies`, part by part.

    Args:
        replay: Over the window ``all``, which takes the ticks after the last session too.
        settings: The configuration.

    Raises:
        InputError: If the setting cannot be replayed in partitions.
    """
    settings = replay.resolve(settings)
    if settings.adjuster.semantics == "published":
        yield from _through_calls(replay, settings)
    else:
        yield from _through_streams(replay, settings)


def _through_streams(replay: PartitionedReplay, settings: Settings) -> Iterator[Copies]:
    adjuster = settings.adjuster
    learn = partial(
        _learn,
        schedule=replay.schedule(settings),
        knobs=make_knobs(replay.log.index, adjuster),
        term_weight=adjuster.term_weight,
    )
    for part, _ in enumerate(replay.over_parts(learn)):
        yield from _left(replay.bench, part)


def _through_calls(replay: PartitionedReplay, settings: Settings) -> Iterator[Copies]:
    replay.check_published()
    replay.walk(settings, replay.schedule(settings), _walk_part)
    manifest, log = replay.bench.data.manifest, replay.log
    if manifest.by == "object":
        state = replay.walk_files.read(replay.shards[-1], log.index.dimensions)
        yield copies_stored(log, state.copies)
        return
    # Only now: who is refused in one part may have all of them walked through anew.
    for part in range(manifest.n_parts):
        yield from _left(replay.bench, part)


def _left(bench: Workbench, part: int) -> Iterator[Copies]:
    """A part's copies, which are removed once they are done with."""
    yield Copies(**{name: bench.left(key, part) for name, key in COLUMNS.items()})
    for key in COLUMNS.values():
        bench.clear(key, part)


def _leave(bench: Workbench, part: int, copies: Copies) -> None:
    """Leave a part's copies on disk: what a worker hands back is small."""
    for name, values in vars(copies).items():
        bench.leave(COLUMNS[name], part, values)


def _learn(bench: Workbench, part: int, schedule: Schedule, knobs: Knobs, term_weight: str) -> None:
    """Run a part's pairs, and leave their copies."""
    worker = bench.worker
    pairs = worker.pairs(part)
    lessons = worker.lessons(part, pairs.showings, schedule, term_weight)
    mine = PartPairs(worker.config, worker.corpus, pairs.showings)
    streams = PairStreams(mine, lessons, knobs, keep=True)
    n_rows = len(bench.left("position", part))
    scores, adjusted = np.zeros(n_rows, worker.corpus.vectors.dtype), np.zeros(n_rows, np.bool_)
    streams.advance(mine.spans[0], scores, adjusted)
    log = worker.data.log
    _leave(bench, part, _alone(log, copies_of(log, pairs, streams.state)))


def _walk_part(
    bench: Workbench,
    part: int,
    calls: Calls,
    n_together: NDArray[np.integer],
    adjuster: AdjusterConfig,
) -> WalkedDrifts:
    """Replay a part's owners as `Workbench.walk_part` does, and leave their copies."""
    found, refused, table = bench.worker.walk_part(part, calls, n_together, adjuster)
    _leave(bench, part, copies_stored(bench.data.log, table.stored()))
    return WalkedDrifts(found.drift, found.early_drift, refused)


def _alone(log: ClickLog, copies: Copies) -> Copies:
    """Copies without the vectors of pairs that have none."""
    n_parts = np.diff(log.object_offsets)[copies.object]
    first = offsets_of(n_parts)
    rows = np.repeat(copies.first - first[:-1], n_parts) + np.arange(first[-1])
    return Copies(copies.object, copies.owner, first[:-1], copies.vectors[rows])
