"""Every owner's copies at the end of a replay: what a live index would hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.knobs import make_knobs
from adjuster.fused_engine.streams import StreamState
from adjuster.index import MetricType
from adjuster.ragged import offsets_of
from adjuster.scale import shifted, shifts_of
from experiments.data.format.click_log import ClickLog
from experiments.replay.layout import Layout
from experiments.replay.lessons import Pairs
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import find_schedule, make_plan, resolve
from experiments.replay.published_copies import StoredCopies
from experiments.replay.published_replay import walk_through
from experiments.replay.settings import Settings


@dataclass(frozen=True)
class Copies:
    """Every owner's adjusted copies, in order of object and owner.

    Args:
        object: Shape ``(n_copies,)``: index of the object.
        owner: Shape ``(n_copies,)``: index of the owner.
        first: Shape ``(n_copies,)``: its first row in `vectors`; it has the object's parts.
        vectors: Shape ``(n_rows, D)``.
    """

    object: NDArray[np.int64]
    owner: NDArray[np.int64]
    first: NDArray[np.int64]
    vectors: NDArray[np.floating]


def learn_copies(layout: Layout, settings: Settings) -> Copies:
    """The copies at the end of a replay.

    Args:
        layout: Over the window ``all``, which takes the ticks after the last session too.
        settings: The configuration.
    """
    settings = resolve(layout, settings)
    if settings.adjuster.semantics == "published":
        return _through_calls(layout, settings)
    return _through_streams(layout, settings)


def _through_streams(layout: Layout, settings: Settings) -> Copies:
    adjuster = settings.adjuster
    plan = make_plan(layout, settings.selection, adjuster.interval_seconds, adjuster.term_weight)
    knobs = make_knobs(layout.log.index, adjuster)
    streams = PairStreams(layout, plan.lessons, knobs, keep=True)
    scores, adjusted = layout.before.copy(), np.zeros(len(layout.before), np.bool_)
    for block in layout.blocks:
        streams.advance(block.span, scores, adjusted)
    return copies_of(layout.log, layout.pairs, streams.state)


def copies_of(log: ClickLog, pairs: Pairs, state: StreamState) -> Copies:
    """The copies that pairs have come to.

    Args:
        log: Holds the originals.
        pairs: Which were run.
        state: Where they stand.
    """
    touched = np.flatnonzero(state.touched)
    return _in_order(
        pairs.showings.pair_object[touched].astype(np.int64),
        pairs.owner[touched],
        state.offsets[touched],
        _as_they_came(log, pairs, state),
    )


def _as_they_came(log: ClickLog, pairs: Pairs, state: StreamState) -> NDArray[np.floating]:
    """The copies at the length of their originals, which `make_corpus` may have scaled."""
    shifts = shifts_of(log.object_vectors)
    if log.index.metric_type is not MetricType.COSINE or not shifts.any():
        return state.vectors
    n_parts = np.diff(state.offsets)
    first = log.object_offsets[pairs.showings.pair_object] - state.offsets[:-1]
    return shifted(state.vectors, -shifts[np.arange(n_parts.sum()) + np.repeat(first, n_parts)])


def _through_calls(layout: Layout, settings: Settings) -> Copies:
    schedule = find_schedule(layout, settings.selection, settings.adjuster.interval_seconds)
    walk = walk_through(layout, schedule, settings.adjuster)
    walk.finish()
    return copies_stored(layout.log, walk.table.stored())


def copies_stored(log: ClickLog, stored: StoredCopies) -> Copies:
    """The copies that a walk of the published semantics has come to.

    Args:
        log: Holds the originals.
        stored: Where the walk ends.
    """
    objects = stored.pair % log.n_objects
    first = offsets_of(np.diff(log.object_offsets)[objects])[:-1]
    return _in_order(objects, stored.pair // log.n_objects, first, stored.vectors)


def _in_order(
    objects: NDArray[np.int64],
    owners: NDArray[np.int64],
    first: NDArray[np.int64],
    vectors: NDArray[np.floating],
) -> Copies:
    order = np.lexsort((owners, objects))
    return Copies(objects[order], owners[order], first[order], vectors)
