"""A click log in memory, written as the folder that a user would have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from adjuster.ragged import offsets_of
from experiments.data.format.click_log import ClickLog
from experiments.data.format.folder import vector_column, write_click_log
from experiments.data.format.metadata import Metadata


def write_folder(path: Path, log: ClickLog, seed: int = 0) -> Path:
    """Write a log whose sessions all show something, rows in an order drawn by chance."""
    rng = np.random.default_rng(seed)
    tables = {
        "items": _vectors("object_id", log.object_ids, log.object_offsets, log.object_vectors),
        "queries": _vectors("query_id", log.query_ids, log.query_offsets, log.query_vectors),
        "sessions": _sessions(log),
        "impressions": _impressions(log),
        "events": _events(log),
    }
    for name in ("sessions", "impressions", "events"):
        tables[name] = tables[name].take(pa.array(rng.permutation(tables[name].num_rows)))
    metadata = Metadata(log.name, log.index, personalize_by=log.personalize_by)
    write_click_log(path, metadata, tables)
    return path


def _vectors(name, ids, offsets, vectors) -> pa.Table:
    names = np.repeat(ids, np.diff(offsets))
    return pa.table({name: pa.array(names, pa.string()), "vector": vector_column(vectors)})


def _known(names, codes) -> pa.Array:
    return pa.array([names[code] if code >= 0 else None for code in codes], pa.string())


def _sessions(log: ClickLog) -> pa.Table:
    return pa.table(
        {
            "session_id": pa.array(log.session_ids, pa.string()),
            "user_id": _known(log.user_ids, log.session_user),
            "query_id": _known(log.query_ids, log.session_query),
            "created_at": log.session_created_at,
            "is_irrelevant": log.session_is_irrelevant,
            "segment": _known(log.segments, log.session_segment),
        }
    )


def _impressions(log: ClickLog) -> pa.Table:
    session = np.repeat(np.arange(log.n_sessions), np.diff(log.impression_offsets))
    return pa.table(
        {
            "session_id": pa.array(log.session_ids[session], pa.string()),
            "position": log.impression_position,
            "object_id": _known(log.object_ids, log.impression_object),
            "relevance": log.impression_relevance,
            "propensity": log.impression_propensity,
        }
    )


def _events(log: ClickLog) -> pa.Table:
    n = len(log.event_impression)
    return pa.table(
        {
            "event_id": pa.array([f"e{number}" for number in range(n)], pa.string()),
            "session_id": pa.array(log.session_ids[log.event_session], pa.string()),
            "object_id": _known(log.object_ids, log.impression_object[log.event_impression]),
            "event_type": pa.array(["click"] * n, pa.string()),
            "created_at": log.event_created_at,
        }
    )


def showing(log: ClickLog) -> ClickLog:
    """A log without the sessions that show nothing, which a folder cannot hold."""
    lengths = np.diff(log.impression_offsets)
    kept = np.flatnonzero(lengths)
    names = ("ids", "query", "user", "segment", "created_at", "is_irrelevant")
    columns = {f"session_{name}": getattr(log, f"session_{name}")[kept] for name in names}
    return replace(log, impression_offsets=offsets_of(lengths[kept]), **columns)
