"""A log in partitions, as it is read: session columns at once, what they show a part at a time."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adjuster.ragged import offsets_of
from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.data.format.assembly import default_scope, vector_arrays
from experiments.data.format.click_log import ClickLog
from experiments.data.format.faults import Faults
from experiments.data.format.folder import group_vectors, read_table
from experiments.data.format.metadata import read_metadata
from experiments.data.format.schema import file_of
from experiments.data.partitions.files import (
    EVENT_COLUMNS,
    MANIFEST,
    PAIR_COLUMNS,
    SEGMENTS,
    SESSION_COLUMNS,
    SESSIONS,
    SHOWN_COLUMNS,
    USERS,
    Manifest,
    event_file,
    pair_file,
    read_manifest,
    shown_file,
)


class PairRows(NamedTuple):
    """All showings of some (user, object) pairs, in the log's order.

    Args:
        impression: Shape ``(n,)``: number of each among all impressions of the log.
        session: Shape ``(n,)``: its session.
        object: Shape ``(n,)``: index of the object.
        click_at: Shape ``(n,)``: first event on it, or `NEVER`.
    """

    impression: NDArray[np.int64]
    session: NDArray[np.int32]
    object: NDArray[np.int32]
    click_at: NDArray[np.int64]


@dataclass(frozen=True)
class SessionLog(ClickLog):
    """A click log without what its sessions show.

    Args:
        top_click: Shape ``(n_sessions,)``: position of each one's highest click, -1 without one.
    """

    top_click: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    @cached_property
    def session_top_click(self) -> NDArray[np.int64]:
        """See `ClickLog.session_top_click`."""
        return self.top_click.astype(np.int64)


class PartitionedLog:
    """A folder that `partition_log` wrote.

    Args:
        path: The folder.
        person: Who counts as a person; see `ClickLog`.
        names: Whether the ids of sessions and users are read, which only who writes rows needs.

    Raises:
        InputError: If a file is missing or does not hold what it must.
    """

    def __init__(self, path: str | Path, *, person: str = "user", names: bool = True) -> None:
        self.folder = Path(path).expanduser()
        self.manifest: Manifest = read_manifest(self.folder)
        self.log = self._sessions(person, names)
        n_shown = np.diff(self.log.impression_offsets)
        bounds = np.array(self.manifest.shard_bounds)
        held = self.log.impression_offsets[np.minimum(bounds, len(n_shown))]
        if bounds[-1] != len(n_shown):
            raise InputError(f"{self.folder / SESSIONS} is not of the shards that lie beside it.")
        self.shard_impressions: NDArray[np.int64] = held

    def _sessions(self, person: str, names: bool) -> ClickLog:
        """The log without anything that a session shows."""
        faults = Faults()
        metadata = read_metadata(self.folder, faults)
        groups = []
        for table in ("items", "queries"):
            rows = read_table(self.folder / file_of(table), table, faults)
            if rows is not None:
                groups.append(group_vectors(table, rows, metadata, faults))
        faults.raise_if_any(f"The log in partitions {str(self.folder)!r} cannot be used:")
        assert metadata is not None
        columns = [name for name in SESSION_COLUMNS.names if names or name != "session_id"]
        rows = read_columns(self.folder / SESSIONS, SESSION_COLUMNS, columns)
        n = rows.num_rows
        nothing = np.empty(0, np.int64)
        users, segments = (_ids(self.folder / name, names) for name in (USERS, SEGMENTS))
        return SessionLog(
            name=metadata.name,
            index=metadata.index,
            personalize_by=default_scope(metadata, len(users)),
            **vector_arrays(*groups),
            user_ids=users,
            segments=segments,
            session_ids=_objects(rows["session_id"]) if names else _unnamed(n),
            session_query=rows["query"].to_numpy(),
            session_user=rows["user"].to_numpy(),
            session_segment=rows["segment"].to_numpy(),
            session_created_at=rows["created_at"].to_numpy(),
            session_is_irrelevant=rows["is_irrelevant"].to_numpy(),
            impression_offsets=offsets_of(rows["n_shown"].to_numpy()),
            impression_object=nothing.astype(np.int32),
            impression_position=nothing.astype(np.int32),
            impression_relevance=nothing.astype(np.float32),
            impression_propensity=nothing.astype(np.float32),
            event_impression=nothing,
            event_created_at=nothing,
            fingerprint=self.manifest.fingerprint,
            person=person,
            top_click=rows["top_click"].to_numpy(),
        )

    def shard(self, number: int) -> ClickLog:
        """The sessions of one shard with all that they show; those before it are left out."""
        first, last = self.manifest.shard_bounds[number : number + 2]
        shown = read_columns(shown_file(self.folder, number), SHOWN_COLUMNS)
        events = read_columns(event_file(self.folder, number), EVENT_COLUMNS, ["impression", "at"])
        offsets = self.log.impression_offsets[first : last + 1] - self.shard_impressions[number]
        if shown.num_rows != offsets[-1]:
            raise InputError(f"{shown_file(self.folder, number)} is not of {SESSIONS}.")
        log, mine = self.log, slice(first, last)
        return replace(
            log,
            session_ids=log.session_ids[mine],
            session_query=log.session_query[mine],
            session_user=log.session_user[mine],
            session_segment=log.session_segment[mine],
            session_created_at=log.session_created_at[mine],
            session_is_irrelevant=log.session_is_irrelevant[mine],
            impression_offsets=offsets,
            impression_object=shown["object"].to_numpy(),
            impression_position=shown["position"].to_numpy(),
            impression_relevance=shown["relevance"].to_numpy(),
            impression_propensity=shown["propensity"].to_numpy(),
            event_impression=events["impression"].to_numpy(),
            event_created_at=events["at"].to_numpy(),
        )

    def pair_rows(self, part: int, n_sessions: int) -> PairRows:
        """The showings of a pair part, in the first so many sessions of the log."""
        path = pair_file(self.folder, part)
        rows = read_columns(path, PAIR_COLUMNS)
        if rows.num_rows != sum(self.manifest.slices[part]):
            raise InputError(f"{path} is not of the {MANIFEST} that lies beside it.")
        session = rows["session"].to_numpy()
        keep = slice(0, int(np.searchsorted(session, n_sessions)))
        click_at = rows["click_at"].fill_null(NEVER).to_numpy()
        return PairRows(
            impression=rows["impression"].to_numpy()[keep],
            session=session[keep],
            object=rows["object"].to_numpy()[keep],
            click_at=click_at[keep],
        )


def read_columns(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """Read columns of a file of a partitioned log.

    Raises:
        InputError: If it is missing, or its columns are not what they must be.
    """
    names = columns or schema.names
    try:
        table = pq.ParquetFile(path).read(names)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} cannot be read: {reason}. Partition the data set anew.") from None
    wanted = pa.schema([schema.field(name) for name in names])
    if not table.schema.equals(wanted):
        raise InputError(f"{path} does not have the columns {', '.join(names)} as it must.")
    return table.combine_chunks()


def _ids(path: Path, names: bool) -> NDArray[np.object_]:
    column = read_columns(path, pa.schema([("id", pa.large_string())]))["id"]
    return _objects(column) if names else _unnamed(len(column))


def _unnamed(n: int) -> NDArray[np.object_]:
    """So many ids that take no memory."""
    return np.broadcast_to(np.array("", object), n)


def _objects(strings: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.asarray(strings.to_numpy(), object)
