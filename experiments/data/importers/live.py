"""A live system's own store: what it really showed, and what was clicked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from adjuster.live.http.clickstream import EVERYONE
from adjuster.live.retrieval.exact_index import ExactIndex
from adjuster.live.storage.records import CLICK, StoredSession
from adjuster.live.storage.store import Store
from experiments.common.errors import InputError
from experiments.common.live_store import open_store, store_opener
from experiments.common.secrets import LIVE_SOURCE
from experiments.config.data import IngestConfig
from experiments.data.importers.base import Importer, chosen_types
from experiments.data.intake.intake import Intake

STORE, INDEX = "live.db", "index-*"
PAGE = 1000
"""Sessions or objects that are read at a time."""


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read the folder of a live system: its index and its store.

    Args:
        root: The folder ``live`` under the system's output folder, or one index in it.
        config: Where the store is, if not in that folder.
        intake: Where rows go.

    Raises:
        InputError: If there is no index, more than one, or no store.
    """
    folder = index_folder(root)
    place = LIVE_SOURCE.read(config.live.store, config.live.store_env)
    path = folder.parent / STORE
    if place is None and not path.is_file():
        raise InputError(f"{path} is not there: name the live system's store with live.store=.")
    if place is not None and "://" not in place and not Path(place).expanduser().is_file():
        raise InputError(f"live.store must be a store that is there, got {place}.")
    opener, _ = store_opener(place, config.live.schema, path)
    index = ExactIndex(folder)
    _check_metric(config, index)
    store = open_store(opener)
    try:
        _add_objects(index, intake)
        _add_sessions(store, config, intake)
    finally:
        store.close()


def _check_metric(config: IngestConfig, index: ExactIndex) -> None:
    info = index.info
    own = info.metric_type.value, info.metric_aggregation_type.value
    asked = config.metric_type, config.metric_aggregation_type
    if own != asked:
        raise InputError(
            f"metric_type={asked[0]} metric_aggregation_type={asked[1]} is not how the live system "
            f"searches. Say metric_type={own[0]} metric_aggregation_type={own[1]}."
        )


def index_folder(root: Path) -> Path:
    """The one index in a folder, or the folder itself where it is one.

    Raises:
        InputError: If there is none, or more than one.
    """
    if (root / "index.json").is_file():
        return root
    found = sorted(path.parent for path in root.glob(f"{INDEX}/index.json"))
    if len(found) != 1:
        names = ", ".join(str(path) for path in found) or "none"
        raise InputError(
            f"path must hold one index of a live system, got {names}. Name one of them as path."
        )
    return found[0]


def _add_objects(index: ExactIndex, intake: Intake) -> None:
    names = list(index.object_ids)
    for first in range(0, len(names), PAGE):
        rows: dict[str, list[Any]] = {"object_id": [], "part_id": [], "vector": []}
        for name in names[first : first + PAGE]:
            _add_parts(rows, "object_id", name, index.vectors(name))
        _send(intake, "items", rows, first)


def _add_parts(rows: dict[str, list[Any]], key: str, name: str, vectors: Any) -> None:
    for part, vector in enumerate(vectors):
        rows[key].append(name)
        rows["part_id"].append(str(part))
        rows["vector"].append(vector.tolist())


def _add_sessions(store: Store, config: IngestConfig, intake: Intake) -> None:
    types = chosen_types(config, IMPORTER.click_types)
    known: set[str] = set()
    n_read = 0
    for page in _pages(store):
        queries: dict[str, list[Any]] = {"query_id": [], "part_id": [], "vector": [], "text": []}
        for stored in page:
            query = stored.session.query
            if query.query_id not in known:
                known.add(query.query_id)
                _add_parts(queries, "query_id", query.query_id, query.vectors)
                queries["text"] += [query.text] * len(query.vectors)
        _send(intake, "queries", queries, n_read)
        shown = [stored for stored in page if stored.session.shown]
        for stored in page:
            if not stored.session.shown:
                intake.leave_out("sessions", "searches without results", 1)
                why = "searches without results"
                intake.leave_out_session(stored.session.session_id, why)
        _send(intake, "sessions", _session_rows(shown), n_read)
        _send(intake, "impressions", _impression_rows(shown), n_read)
        _send(intake, "events", _event_rows(page, types, intake), n_read)
        n_read += len(page)


def _pages(store: Store) -> Iterator[list[StoredSession]]:
    after = ""
    while page := store.archive(after, PAGE):
        yield page
        after = page[-1].session.session_id


def _session_rows(page: list[StoredSession]) -> dict[str, list[Any]]:
    sessions = [stored.session for stored in page]
    owners = [session.owner for session in sessions]
    return {
        "session_id": [session.session_id for session in sessions],
        "user_id": [session.user_id for session in sessions],
        "query_id": [session.query.query_id for session in sessions],
        "created_at": [session.created_at for session in sessions],
        "is_irrelevant": [stored.is_irrelevant for stored in page],
        "segment": [
            None if owner in (session.user_id, EVERYONE) else owner
            for owner, session in zip(owners, sessions, strict=True)
        ],
    }


def _impression_rows(page: list[StoredSession]) -> dict[str, list[Any]]:
    shown = [
        (stored.session.session_id, position, mine.object_id, mine.propensity)
        for stored in page
        for position, mine in enumerate(stored.session.shown)
    ]
    names = ("session_id", "position", "object_id", "display_propensity")
    return {name: [row[column] for row in shown] for column, name in enumerate(names)}


def _event_rows(
    page: list[StoredSession], types: set[str] | None, intake: Intake
) -> dict[str, list[Any]]:
    events = [event for stored in page for event in stored.events]
    taken = [event for event in events if types is None or event.event_type in types]
    intake.leave_out("events", "events that are no clicks", len(events) - len(taken))
    return {
        "event_id": [f"{event.session_id} {event.event_id}" for event in taken],
        "session_id": [event.session_id for event in taken],
        "object_id": [event.object_id for event in taken],
        "event_type": [event.event_type for event in taken],
        "created_at": [event.created_at for event in taken],
    }


def _send(intake: Intake, table: str, columns: dict[str, list[Any]], first: int) -> None:
    n_rows = len(next(iter(columns.values())))
    intake.add(table, f"{table} of the store", np.arange(first + 1, first + 1 + n_rows), columns)


IMPORTER = Importer(
    read=read,
    click_types=(CLICK,),
    source="A live system's store and index",
    how_made=(
        "A session is a search that was registered, with what it showed from the top down; an "
        "owner that is neither the user nor everyone is the segment. display_propensity is the "
        "chance with which an object was shown where it was, where the system drew it; it is not "
        "the chance of a look, which is estimated from results that moved among positions."
    ),
)
