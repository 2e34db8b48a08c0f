"""Every owner's copies at the end of a log in partitions, one pair part after the other."""

from collections.abc import Iterator
from dataclasses import fields
from functools import partial

import numpy as np

from adjuster.fused_engine.knobs import Knobs, make_knobs
from adjuster.ragged import offsets_of
from experiments.common.errors import InputError
from experiments.data.format.click_log import ClickLog
from experiments.replay.copies import Copies, copies_of
from experiments.replay.pair_streams import PairStreams
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.partitioned.worker import PartPairs
from experiments.replay.schedule import Schedule
from experiments.replay.settings import Settings

COLUMNS = {field.name: f"copies-{field.name}" for field in fields(Copies)}
"""What is left of each part for a moment, by name."""


def check_copies(settings: Settings) -> None:
    """Refuse settings whose copies are not written part by part.

    Raises:
        InputError: If their semantics is the published one.
    """
    if settings.adjuster.semantics == "published":
        raise InputError(
            "vectors cannot be written part by part of settings with adjuster.semantics=published. "
            "Leave vectors out, or name the whole data set with dataset.path=."
        )


def copies_in_partitions(replay: PartitionedReplay, settings: Settings) -> Iterator[Copies]:
    """The copies at the end of a replay, equal to those of `learn_copies`, part by part.

    Args:
        replay: Over the window ``all``, which takes the ticks after the last session too.
        settings: The configuration.

    Raises:
        InputError: If their semantics is the published one.
    """
    check_copies(settings)
    settings = replay.resolve(settings)
    adjuster = settings.adjuster
    learn = partial(
        _learn,
        schedule=replay.schedule(settings),
        knobs=make_knobs(replay.log.index, adjuster),
        term_weight=adjuster.term_weight,
    )
    for part, _ in enumerate(replay.over_parts(learn)):
        yield Copies(**{name: replay.bench.left(key, part) for name, key in COLUMNS.items()})
        for key in COLUMNS.values():
            replay.bench.clear(key, part)


def _learn(bench: Workbench, part: int, schedule: Schedule, knobs: Knobs, term_weight: str) -> None:
    """Leave a part's copies on disk: what a worker hands back is small."""
    worker = bench.worker
    pairs = worker.pairs(part)
    lessons = worker.lessons(part, pairs.showings, schedule, term_weight)
    mine = PartPairs(worker.config, worker.corpus, pairs.showings)
    streams = PairStreams(mine, lessons, knobs, keep=True)
    n_rows = len(bench.left("position", part))
    scores, adjusted = np.zeros(n_rows, worker.corpus.vectors.dtype), np.zeros(n_rows, np.bool_)
    streams.advance(mine.spans[0], scores, adjusted)
    log = worker.data.log
    for name, values in vars(_alone(log, copies_of(log, pairs, streams.state))).items():
        bench.leave(COLUMNS[name], part, values)


def _alone(log: ClickLog, copies: Copies) -> Copies:
    """Copies without the vectors of pairs that have none."""
    n_parts = np.diff(log.object_offsets)[copies.object]
    first = offsets_of(n_parts)
    rows = np.repeat(copies.first - first[:-1], n_parts) + np.arange(first[-1])
    return Copies(copies.object, copies.owner, first[:-1], copies.vectors[rows])
