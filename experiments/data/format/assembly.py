"""From checked tables to a `ClickLog`: ids become indices, rows take their canonical order."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.ragged import offsets_of
from experiments.data.format.click_log import ClickLog
from experiments.data.format.fingerprint import fingerprint_of
from experiments.data.format.ids import find
from experiments.data.format.metadata import Metadata
from experiments.data.format.relations import Codes
from experiments.data.format.vector_table import VectorTable, read_flags, sorted_ids


def build_click_log(
    metadata: Metadata,
    items: VectorTable,
    queries: VectorTable,
    tables: dict[str, pa.Table],
    codes: Codes,
) -> ClickLog:
    """Put everything into canonical order.

    Args:
        metadata: The content of `dataset.yaml`.
        items: The objects.
        queries: The queries.
        tables: ``sessions``, ``impressions`` and ``events``, without fault.
        codes: Their ids as indices.
    """
    rows, events = ordered_rows(tables, codes)
    arrays: dict[str, Any] = {**vector_arrays(items, queries), **rows}
    return ClickLog(
        name=metadata.name,
        index=metadata.index,
        personalize_by=default_scope(metadata, len(arrays["user_ids"])),
        fingerprint=fingerprint_of(metadata.index, items, queries, arrays, events),
        **arrays,
    )


def default_scope(metadata: Metadata, n_users: int) -> str:
    """Whose vectors a data set's sessions read, unless told otherwise."""
    return metadata.personalize_by or ("user_id" if n_users else "none")


def ordered_rows(
    tables: dict[str, pa.Table], codes: Codes
) -> tuple[dict[str, NDArray[Any]], pa.Table]:
    """Sessions, impressions and events in canonical order.

    Args:
        tables: ``sessions``, ``impressions`` and ``events``, without fault.
        codes: Their ids as indices.

    Returns:
        The arrays of the `ClickLog` that are about them; and the events, with ``id`` and ``type``.
    """
    order = time_order(tables["sessions"]["created_at"], tables["sessions"]["session_id"])
    sessions = _session_arrays(tables["sessions"], codes, order)
    rank = _inverse(order)
    rows, session = _impression_rows(codes, rank)
    impressions = _impression_arrays(tables["impressions"], codes, rows, session, len(order))
    events = _ordered_events(tables["events"], _inverse(rows)[codes.event_impression])
    arrays = {
        **sessions,
        **impressions,
        "event_impression": events["impression"].to_numpy(),
        "event_created_at": events["at"].to_numpy(),
    }
    return arrays, events


def vector_arrays(items: VectorTable, queries: VectorTable) -> dict[str, NDArray[Any]]:
    """The arrays of the `ClickLog` that are about objects and queries."""
    return {
        **_vector_arrays("object", "object_titles", items),
        **_vector_arrays("query", "query_texts", queries),
    }


def _vector_arrays(name: str, texts: str, table: VectorTable) -> dict[str, NDArray[Any]]:
    arrays = {
        f"{name}_ids": _objects(table.ids),
        f"{name}_offsets": table.offsets,
        f"{name}_vectors": table.vectors,
        texts: table.texts,
    }
    return arrays if name == "query" else {**arrays, "object_is_average": table.is_average}


def time_order(created_at: pa.ChunkedArray, session_id: pa.ChunkedArray) -> NDArray[np.int64]:
    """Rows of sessions in order of (time, id)."""
    # Arrow sorts strings by their bytes, which is the order of their characters.
    keys = pa.table({"at": created_at, "id": _strings(session_id)})
    order = pc.sort_indices(keys, [("at", "ascending"), ("id", "ascending")])
    return np.asarray(order.to_numpy(), np.int64)


def _session_arrays(
    sessions: pa.Table, codes: Codes, order: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    users, session_user = _labels(sessions, "user_id", order)
    segments, session_segment = _labels(sessions, "segment", order)
    return {
        "user_ids": _objects(users),
        "segments": _objects(segments),
        "session_ids": _objects(_strings(sessions["session_id"]).take(pa.array(order))),
        "session_query": codes.session_query[order].astype(np.int32),
        "session_user": session_user,
        "session_segment": session_segment,
        "session_created_at": sessions["created_at"].to_numpy().astype(np.int64)[order],
        "session_is_irrelevant": read_flags(sessions, "is_irrelevant")[order],
    }


def _impression_rows(
    codes: Codes, rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the impressions in order of (session, position), and the session of each."""
    rows = codes.impression_order
    session = rank[codes.impression_session[rows]]
    if (np.diff(session) < 0).any():
        by_session = np.argsort(session, kind="stable")
        rows, session = rows[by_session], session[by_session]
    return rows, session


def _impression_arrays(
    impressions: pa.Table,
    codes: Codes,
    rows: NDArray[np.int64],
    session: NDArray[np.int64],
    n_sessions: int,
) -> dict[str, NDArray[Any]]:
    return {
        "impression_offsets": offsets_of(np.bincount(session, minlength=n_sessions)),
        "impression_object": codes.impression_object[rows].astype(np.int32),
        "impression_position": impressions["position"].to_numpy()[rows].astype(np.int32),
        "impression_relevance": _numbers(impressions, "relevance")[rows],
        "impression_propensity": _numbers(impressions, "propensity")[rows],
    }


def _ordered_events(events: pa.Table, impression: NDArray[np.int64]) -> pa.Table:
    """Events in order of (impression, time, id): ``impression``, ``at``, ``id``, ``type``."""
    if "event_type" in events.column_names:
        types = _strings(events["event_type"])
    else:
        types = pa.repeat("click", events.num_rows)
    at = events["created_at"].cast(pa.int64())
    columns = {"impression": impression, "at": at, "id": _strings(events["event_id"])}
    table = pa.table({**columns, "type": types})
    return table.sort_by([(name, "ascending") for name in columns])


def _inverse(order: NDArray[np.int64]) -> NDArray[np.int64]:
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.arange(len(order))
    return inverse


def _labels(
    sessions: pa.Table, column: str, order: NDArray[np.int64]
) -> tuple[pa.Array, NDArray[np.int32]]:
    """The distinct labels in order, and the index of each session's, -1 where it has none."""
    absent = column not in sessions.column_names or pa.types.is_null(sessions[column].type)
    if absent:
        return pa.array([], pa.large_string()), np.full(len(order), -1, np.int32)
    labels = sorted_ids(sessions[column])
    return labels, find(sessions[column], labels)[order].astype(np.int32)


def _strings(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.large_string()).combine_chunks()


def _objects(strings: pa.Array) -> NDArray[np.object_]:
    return np.asarray(strings.to_numpy(zero_copy_only=False), object)


def _numbers(data: pa.Table, column: str) -> NDArray[np.float32]:
    if column not in data.column_names or pa.types.is_null(data[column].type):
        return np.full(data.num_rows, np.nan, np.float32)
    return np.asarray(data[column].cast(pa.float32()).to_numpy(), np.float32)
