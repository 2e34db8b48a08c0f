"""The personalized vectors at the end of the log, as Parquet: what a live index would hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adjuster.adjusters.published import PublishedAdjuster
from adjuster.feedback import offsets_of
from adjuster.fused_engine.knobs import make_knobs
from adjuster.live.personalization import PersonalizedVectors
from experiments.common.files import replacing
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.replay.worker_replay import LogIndex, TickingReplay

FILE = "personalized_vectors.parquet"
EVERYONE = "everyone"
"""The owner where all share one set of vectors."""

COPIES_PER_GROUP = 4096


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


def write_personalized(
    folder: Path,
    log: ClickLog,
    config: ReplayConfig,
    settings: Settings,
    provenance: Mapping[str, str],
) -> tuple[Path, int]:
    """Replay the whole log and write what the owners' vectors are after its last tick.

    The columns are ``object_id`` (``<original_id>_<user_id>``), ``original_id``, ``user_id`` (the
    owner: a user, a segment, or ``everyone``), ``part`` (from 0) and ``vector``. The feedback of
    all queries is used, those withheld in a study too. The file is whole or unchanged.

    Args:
        folder: Where; the file is ``personalized_vectors.parquet``.
        log: The click log.
        config: How it is replayed.
        settings: The configuration.
        provenance: Kept in the file's own metadata, texts by name.

    Returns:
        The file and the number of copies in it.
    """
    everything = replace(config, bystander_share=0.0)
    replay = Replay(log, everything, ObjectiveConfig(), window="all")
    copies = learn_copies(replay, settings)
    names = owner_names(log, replay.timeline.scope)
    path = folder / FILE
    with replacing(path) as unfinished:
        _write(unfinished, log, copies, names, provenance)
    return path, len(copies.object)


def learn_copies(replay: Replay, settings: Settings) -> Copies:
    """The copies at the end of a replay.

    Args:
        replay: Over the window ``all``, which takes the ticks after the last session too.
        settings: The configuration.
    """
    settings = replay.resolve(settings)
    if settings.adjuster.semantics == "published":
        return _through_worker(replay, settings)
    return _through_streams(replay, settings)


def owner_names(log: ClickLog, scope: str) -> NDArray[np.object_]:
    """Name of each owner."""
    if scope == "none":
        return np.array([EVERYONE], object)
    return log.segments if scope == "segment" else log.user_ids


def _through_streams(replay: Replay, settings: Settings) -> Copies:
    knobs = make_knobs(replay.log.index, settings.adjuster)
    plan = replay.plan(settings)
    state = replay.start(plan, knobs, keep=True)
    scores, adjusted = replay.before.copy(), np.zeros(len(replay.before), np.bool_)
    for block in replay.blocks:
        replay.advance(knobs, plan, state, block, scores, adjusted)
    touched = np.flatnonzero(state.touched)
    return _in_order(
        replay.pairs.showings.pair_object[touched].astype(np.int64),
        replay.pairs.owner[touched],
        state.offsets[touched],
        state.vectors,
    )


def _through_worker(replay: Replay, settings: Settings) -> Copies:
    adjuster = settings.adjuster
    published = PublishedAdjuster(
        replay.log.index,
        adjuster.adjustment_rate,
        adjuster.num_iterations,
        adjuster.softmin_temperature,
        engine=adjuster.engine,
    )
    index = LogIndex(replay.log)
    vectors = PersonalizedVectors(index)
    ticking = TickingReplay(replay.timeline, published, settings, replay.config.batch_size)
    for _ in ticking.run(vectors, replay.before.copy(), np.zeros(len(replay.before), np.bool_)):
        pass
    copies = list(vectors)
    rows = [copy.vectors for copy in copies]
    return _in_order(
        np.array([index.places[copy.original_id] for copy in copies], np.int64),
        np.array([int(copy.user_id) for copy in copies], np.int64),
        offsets_of([len(mine) for mine in rows])[:-1],
        np.concatenate(rows) if rows else np.empty((0, replay.log.index.dimensions), np.float32),
    )


def _in_order(
    objects: NDArray[np.int64],
    owners: NDArray[np.int64],
    first: NDArray[np.int64],
    vectors: NDArray[np.floating],
) -> Copies:
    order = np.lexsort((owners, objects))
    return Copies(objects[order], owners[order], first[order], vectors)


def _write(
    path: Path,
    log: ClickLog,
    copies: Copies,
    names: NDArray[np.object_],
    provenance: Mapping[str, str],
) -> None:
    schema = _schema(log.index.dimensions).with_metadata(dict(provenance))
    with pq.ParquetWriter(path, schema) as writer:
        for group in _groups(log, copies, names, schema):
            writer.write_table(group)


def _schema(dimensions: int) -> pa.Schema:
    return pa.schema(
        [
            ("object_id", pa.string()),
            ("original_id", pa.string()),
            ("user_id", pa.string()),
            ("part", pa.int32()),
            ("vector", pa.list_(pa.float32(), dimensions)),
        ]
    )


def _groups(
    log: ClickLog, copies: Copies, names: NDArray[np.object_], schema: pa.Schema
) -> Iterator[pa.Table]:
    """The rows of the file, some copies at a time."""
    for start in range(0, len(copies.object), COPIES_PER_GROUP):
        chosen = slice(start, start + COPIES_PER_GROUP)
        objects = copies.object[chosen]
        n_parts = log.object_offsets[objects + 1] - log.object_offsets[objects]
        part = np.arange(n_parts.sum()) - np.repeat(offsets_of(n_parts)[:-1], n_parts)
        rows = copies.vectors[np.repeat(copies.first[chosen], n_parts) + part]
        originals, owners = log.object_ids[objects], names[copies.owner[chosen]]
        ids = np.array([f"{a}_{b}" for a, b in zip(originals, owners, strict=True)], object)
        flat = pa.array(rows.astype(np.float32, copy=False).ravel())
        yield pa.table(
            [
                pa.array(np.repeat(ids, n_parts), pa.string()),
                pa.array(np.repeat(originals, n_parts), pa.string()),
                pa.array(np.repeat(owners, n_parts), pa.string()),
                pa.array(part.astype(np.int32)),
                pa.FixedSizeListArray.from_arrays(flat, log.index.dimensions),
            ],
            schema=schema,
        )
