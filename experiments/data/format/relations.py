"""Checks between the tables of a data set: what one row says of another."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.data.format.faults import Faults, Got
from experiments.data.format.ids import encode, find
from experiments.data.format.schema import file_of
from experiments.data.format.validation import check_unique


@dataclass(frozen=True)
class Codes:
    """The ids of sessions, impressions and events as indices, in the order of their rows.

    Args:
        session_query: Shape ``(n_sessions,)``: index of the query.
        impression_session: Shape ``(n_impressions,)``: row of the session, the first of its id.
        impression_object: Shape ``(n_impressions,)``: index of the object.
        impression_order: Shape ``(n_impressions,)``: rows in order of (session, position).
        event_impression: Shape ``(n_events,)``: row of the impression, -1 where there is none.
    """

    session_query: NDArray[np.int64]
    impression_session: NDArray[np.int64]
    impression_object: NDArray[np.int64]
    impression_order: NDArray[np.int64]
    event_impression: NDArray[np.int64]


def check_relations(
    tables: dict[str, pa.Table],
    object_ids: pa.Array,
    query_ids: pa.Array,
    faults: Faults,
    *,
    complete_lists: bool = True,
) -> Codes:
    """Check how sessions, impressions and events refer to each other and to the index.

    Args:
        tables: ``sessions``, ``impressions`` and ``events``.
        object_ids: Distinct ids of the objects that have vectors.
        query_ids: Distinct ids of the queries that have vectors.
        faults: Where to report.
        complete_lists: Positions must run without gaps; else each must stand once in a session.
    """
    sessions, impressions, events = (tables[n] for n in ("sessions", "impressions", "events"))
    check_unique("sessions.parquet", "session_id", sessions["session_id"], faults)
    check_unique("events.parquet", "event_id", events["event_id"], faults)
    # Impressions are checked against the distinct ids, so a session twice is one fault, not many.
    session_ids, code = encode(sessions["session_id"])
    query = _refer(sessions, "sessions", "query_id", query_ids, "queries.parquet", faults)
    session = _refer(
        impressions, "impressions", "session_id", session_ids, "sessions.parquet", faults
    )
    shown = _refer(impressions, "impressions", "object_id", object_ids, "items.parquet", faults)
    order = check_positions(impressions, session, faults, complete=complete_lists)
    _check_shown(sessions, session_ids, session, faults)
    event_session = _refer(events, "events", "session_id", session_ids, "sessions.parquet", faults)
    event_impression = _event_impressions(impressions, session, events, event_session, faults)
    _check_events(events, event_session, event_impression, faults)
    first_row = np.append(np.unique(code, return_index=True)[1], -1)
    first_row[len(session_ids) :] = -1
    return Codes(query, first_row[session], shown, order, event_impression)


def _refer(
    data: pa.Table, table: str, column: str, ids: pa.Array, where: str, faults: Faults
) -> NDArray[np.int64]:
    """Indices of a column's ids; report those that are not empty and not among `ids`."""
    codes = find(data[column], ids)
    if (codes < 0).any():
        unknown = (codes < 0) & ~pc.is_null(data[column]).to_numpy()
        faults.add_rows(
            file_of(table),
            f"column {column} must stand in {where}",
            unknown,
            lambda row: data[column][row].as_py(),
        )
    return codes


def check_positions(
    impressions: pa.Table, session: NDArray[np.int64], faults: Faults, *, complete: bool = True
) -> NDArray[np.int64]:
    """Check the positions of each session, and answer the rows in their order.

    Args:
        impressions: The table.
        session: Shape ``(n_impressions,)``: a number for each session, -1 where unknown.
        faults: Where to report.
        complete: Positions must run 0, 1, 2 …; else each must stand once.
    """
    position = pc.fill_null(impressions["position"], 0).to_numpy().astype(np.int64)
    position = np.clip(position, -1, np.iinfo(np.int32).max)
    order = np.argsort((session << 32) + position, kind="stable")
    owner = session[order]
    if not complete:
        _check_positions_once(impressions, order[1:], position[order], owner, faults)
        return order
    first = np.flatnonzero(np.r_[True, np.diff(owner) != 0]) if len(owner) else owner
    expected = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    wrong = (position[order] != expected) & (owner >= 0)
    if wrong.any():
        index = np.flatnonzero(wrong)
        index = index[np.unique(owner[index], return_index=True)[1]]
        rows, should = order[index], expected[index]
        wanted = dict(zip(rows.tolist(), should.tolist(), strict=True))
        faults.add_rows(
            "impressions.parquet",
            "column position must run 0, 1, 2 … in each session, without gaps or repeats "
            "(the first wrong row of each session)",
            rows,
            lambda row: Got(
                f"{position[row]} instead of {wanted[row]} "
                f"(session {impressions['session_id'][row].as_py()!r:.60})"
            ),
        )
    return order


def _check_positions_once(
    impressions: pa.Table,
    later: NDArray[np.int64],
    position: NDArray[np.int64],
    owner: NDArray[np.int64],
    faults: Faults,
) -> None:
    """Report later rows, in order of session and position, at the position of the row before."""
    again = (np.diff(position) == 0) & (np.diff(owner) == 0) & (owner[1:] >= 0)
    faults.add_rows(
        "impressions.parquet",
        "column position must stand once in each session",
        later[again],
        lambda row: Got(
            f"{impressions['position'][row].as_py()} again "
            f"(session {impressions['session_id'][row].as_py()!r:.60})"
        ),
    )


def _check_shown(
    sessions: pa.Table, session_ids: pa.Array, session: NDArray[np.int64], faults: Faults
) -> None:
    n_shown = np.bincount(session[session >= 0], minlength=len(session_ids))
    if (n_shown == 0).any():
        mine = find(sessions["session_id"], session_ids)
        faults.add_rows(
            "sessions.parquet",
            "a session must show at least one object in impressions.parquet",
            (mine >= 0) & (n_shown[mine] == 0),
            lambda row: sessions["session_id"][row].as_py(),
        )


def _event_impressions(
    impressions: pa.Table,
    session: NDArray[np.int64],
    events: pa.Table,
    event_session: NDArray[np.int64],
    faults: Faults,
) -> NDArray[np.int64]:
    """The impression of each event, -1 where it has none; an object shown twice is reported."""
    # Objects are told apart by the ids that were shown, also those that have no vector.
    shown_ids, shown = encode(impressions["object_id"])
    width = len(shown_ids) + 1
    key = session * width + shown
    key_order = np.argsort(key, kind="stable")
    _check_twice(impressions, session, key, key_order, faults)
    chosen = find(events["object_id"], shown_ids)
    known = (event_session >= 0) & (chosen >= 0)
    return _look_up(event_session * width + chosen, known, key, key_order)


def _check_twice(
    impressions: pa.Table,
    session: NDArray[np.int64],
    key: NDArray[np.int64],
    key_order: NDArray[np.int64],
    faults: Faults,
) -> None:
    again = key_order[1:][np.diff(key[key_order]) == 0]
    faults.add_rows(
        "impressions.parquet",
        "an object must stand once in a session",
        again[session[again] >= 0],
        lambda row: Got(_pair(impressions, row) + " again"),
    )


def _look_up(
    wanted: NDArray[np.int64],
    known: NDArray[np.bool_],
    key: NDArray[np.int64],
    key_order: NDArray[np.int64],
) -> NDArray[np.int64]:
    """For each wanted key the row that has it, -1 where none has."""
    found = np.full(len(wanted), -1, np.int64)
    if not len(key):
        return found
    ordered = key[key_order]
    index = np.minimum(np.searchsorted(ordered, wanted), len(key) - 1)
    hit = known & (ordered[index] == wanted)
    found[hit] = key_order[index[hit]]
    return found


def _check_events(
    events: pa.Table,
    session: NDArray[np.int64],
    impression: NDArray[np.int64],
    faults: Faults,
) -> None:
    never = (impression < 0) & (session >= 0)
    if never.any():
        faults.add_rows(
            "events.parquet",
            "an event's object must have been shown in its session",
            never & ~pc.is_null(events["object_id"]).to_numpy(),
            lambda row: Got(_pair(events, row)),
        )


def _pair(data: pa.Table, row: int) -> str:
    session, shown = data["session_id"][row].as_py(), data["object_id"][row].as_py()
    return f"session {session!r:.60}, object {shown!r:.60}"
