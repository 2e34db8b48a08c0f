"""The personalized vectors at the end of the log, as Parquet: what a live index would hold."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adjuster.ragged import offsets_of
from experiments.common.errors import InputError
from experiments.common.files import replacing
from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.format.click_log import ClickLog
from experiments.replay.copies import Copies

FILE = "personalized_vectors.parquet"
EVERYONE = "everyone"
"""The owner where all share one set of vectors."""

COPIES_PER_GROUP = 4096


def write_copies(
    folder: Path,
    log: ClickLog,
    scope: str,
    copies: Iterable[Copies],
    provenance: Mapping[str, str],
) -> tuple[Path, int]:
    """Write what the owners' vectors are after a replay's last tick.

    The columns are ``object_id`` (``<original_id>_<user_id>``), ``original_id``, ``user_id`` (the
    owner: a user, a segment, or ``everyone``), ``part`` (from 0) and ``vector``. The file is whole
    or unchanged.

    Args:
        folder: Where; the file is ``personalized_vectors.parquet``.
        log: The click log, or its sessions.
        scope: Whose vectors they are: ``user_id``, ``segment`` or ``none``.
        copies: All of them, some at a time.
        provenance: Kept in the file's own metadata, texts by name.

    Returns:
        The file and the number of copies in it.

    Raises:
        InputError: If two vectors would have one ``object_id``.
    """
    names, ids = owner_names(log, scope), CopyIds(log.object_ids)

    def checked() -> Iterator[Copies]:
        for some in copies:
            ids.check(log.object_ids[some.object], names[some.owner])
            yield some

    path = folder / FILE
    with replacing(path) as unfinished:
        return path, _write(unfinished, log, checked(), names, provenance)


def owner_names(log: ClickLog, scope: str) -> NDArray[np.object_]:
    """Name of each owner."""
    if scope == "none":
        return np.array([EVERYONE], object)
    return log.segments if scope == "segment" else log.user_ids


def joined(originals: NDArray[np.object_], owners: NDArray[np.object_]) -> list[str]:
    """The ids of copies, as hosts call them."""
    return [f"{original}_{owner}" for original, owner in zip(originals, owners, strict=True)]


class CopyIds:
    """The ids of copies, checked as they come: none is called like another, or like an object.

    Two ids can only be the same where one object is called like the beginning of another, before
    an underscore: copies of such objects are remembered, no others.

    Args:
        objects: Ids of the index.

    Example:
        >>> ids = CopyIds(np.array(["a", "a_b"], object))
        >>> ids.check(np.array(["a", "a_b"], object), np.array(["b_c", "c"], object))
        Traceback (most recent call last):
        experiments.common.errors.InputError: Object 'a_b' as 'c' sees it and object 'a' as 'b_c' \
sees it would both have the object_id 'a_b_c' in personalized_vectors.parquet. Rename objects or \
owners in the log so that <object>_<owner> is unique.
    """

    def __init__(self, objects: NDArray[np.object_]) -> None:
        known = {str(name) for name in objects}
        self._alike = {
            both
            for name in known
            for at, letter in enumerate(name)
            if letter == "_" and name[:at] in known
            for both in (name, name[:at])
        }
        self._taken = {name: f"object {name!r} itself" for name in self._alike}

    def check(self, originals: NDArray[np.object_], owners: NDArray[np.object_]) -> None:
        """Check further copies.

        Args:
            originals: Shape ``(n_copies,)``: id of the object that each copy is of.
            owners: Shape ``(n_copies,)``: name of its owner.

        Raises:
            InputError: Naming two that would have one id.
        """
        rows = [row for row, original in enumerate(originals) if original in self._alike]
        for original, owner in zip(originals[rows], owners[rows], strict=True):
            name = f"{original}_{owner}"
            mine = f"object {original!r} as {owner!r} sees it"
            other = self._taken.setdefault(name, mine)
            if other != mine:
                raise InputError(
                    f"{mine[0].upper()}{mine[1:]} and {other} would both have the object_id "
                    f"{name!r} in {FILE}. Rename objects or owners in the log so that "
                    "<object>_<owner> is unique."
                )


def _write(
    path: Path,
    log: ClickLog,
    copies: Iterable[Copies],
    names: NDArray[np.object_],
    provenance: Mapping[str, str],
) -> int:
    """Write the file; the number of copies in it."""
    schema, n_copies = _schema(log.index.dimensions).with_metadata(dict(provenance)), 0
    with ParquetFileWriter(path, schema) as writer:
        for some in copies:
            n_copies += len(some.object)
            for group in _groups(log, some, names, schema):
                writer.write_table(group)
    return n_copies


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
