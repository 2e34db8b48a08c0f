"""The personalized vectors at the end of the log, as Parquet: what a live index would hold."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adjuster.ragged import offsets_of
from experiments.common.errors import InputError
from experiments.common.files import replacing
from experiments.common.parquet_file import ParquetFileWriter
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.copies import Copies, learn_copies
from experiments.replay.layout import lay_out
from experiments.replay.settings import Settings

FILE = "personalized_vectors.parquet"
EVERYONE = "everyone"
"""The owner where all share one set of vectors."""

COPIES_PER_GROUP = 4096


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

    Raises:
        InputError: If two vectors would have one ``object_id``.
    """
    everything = replace(config, bystander_share=0.0)
    layout = lay_out(log, everything, ObjectiveConfig(estimator="naive"), "all")
    copies = learn_copies(layout, settings)
    names = owner_names(log, layout.timeline.scope)
    check_ids(log.object_ids, log.object_ids[copies.object], names[copies.owner])
    path = folder / FILE
    with replacing(path) as unfinished:
        _write(unfinished, log, copies, names, provenance)
    return path, len(copies.object)


def owner_names(log: ClickLog, scope: str) -> NDArray[np.object_]:
    """Name of each owner."""
    if scope == "none":
        return np.array([EVERYONE], object)
    return log.segments if scope == "segment" else log.user_ids


def joined(originals: NDArray[np.object_], owners: NDArray[np.object_]) -> list[str]:
    """The ids of copies, as hosts call them."""
    return [f"{original}_{owner}" for original, owner in zip(originals, owners, strict=True)]


def check_ids(
    objects: NDArray[np.object_], originals: NDArray[np.object_], owners: NDArray[np.object_]
) -> None:
    """Check that no copy is called like another copy or like an object of the index.

    Args:
        objects: Ids of the index.
        originals: Shape ``(n_copies,)``: id of the object that each copy is of.
        owners: Shape ``(n_copies,)``: name of its owner.

    Raises:
        InputError: Naming two that would have one id.

    Example:
        >>> names = np.array(["a", "a_b"], object)
        >>> check_ids(names, names, np.array(["b_c", "c"], object))
        Traceback (most recent call last):
        experiments.common.errors.InputError: Object 'a_b' as 'c' sees it and object 'a' as 'b_c' \
sees it would both have the object_id 'a_b_c' in personalized_vectors.parquet. Rename objects or \
owners in the log so that <object>_<owner> is unique.
    """
    taken = {str(name): f"object {name!r} itself" for name in objects}
    for name, original, owner in zip(joined(originals, owners), originals, owners, strict=True):
        mine = f"object {original!r} as {owner!r} sees it"
        other = taken.setdefault(name, mine)
        if other != mine:
            raise InputError(
                f"{mine[0].upper()}{mine[1:]} and {other} would both have the object_id {name!r} "
                f"in {FILE}. Rename objects or owners in the log so that <object>_<owner> is "
                "unique."
            )


def _write(
    path: Path,
    log: ClickLog,
    copies: Copies,
    names: NDArray[np.object_],
    provenance: Mapping[str, str],
) -> None:
    schema = _schema(log.index.dimensions).with_metadata(dict(provenance))
    with ParquetFileWriter(path, schema) as writer:
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
        ids = np.array(joined(originals, owners), object)
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
