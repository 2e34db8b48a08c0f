"""What clients write into a store and read back: sessions, events, marks, and what became of it."""

from collections.abc import Collection, Iterable, Sequence

from adjuster.live.storage.records import (
    Event,
    Impression,
    Query,
    Rows,
    Session,
    Status,
    StoredSession,
)
from adjuster.live.storage.shown_bytes import shown_to_bytes
from adjuster.live.storage.sql_connection import Row, as_json, pairs_json
from adjuster.live.storage.sql_outcomes import SqlOutcomes
from adjuster.live.storage.store import Conflict, UnknownSession
from adjuster.live.storage.vector_bytes import from_bytes, to_bytes, type_name


class SqlIntake(SqlOutcomes):
    """What clients use of a `Store`, on top of what the monitor does."""

    def register(self, sessions: Sequence[Session]) -> int:
        """See `Store.register`."""
        # In order of their names: two clients that register the same never wait for each other.
        queries = {session.query.query_id: session.query for session in sessions}
        with self._transaction():
            for _, query in sorted(queries.items()):
                self._add_query(query)
            shown: dict[str, list[Row]] = {}
            for session in sorted(sessions, key=lambda session: session.session_id):
                if session.query is not queries[session.query.query_id]:
                    self._check_query(session.query)
                rows = _impression_rows(session)
                if self._add_session(session):
                    shown[session.session_id] = rows
                else:
                    self._check_session(session, shown.get(session.session_id))
            self._many(
                "INSERT INTO impressions VALUES (?, ?, ?, ?, ?)",
                [row for rows in shown.values() for row in rows],
            )
            self._many(
                "INSERT INTO shown VALUES (?, ?)",
                [(name, shown_to_bytes(row[2] for row in rows)) for name, rows in shown.items()],
            )
        return len(shown)

    def _add_query(self, query: Query) -> None:
        written = self._run(
            "INSERT INTO queries VALUES (?, ?, ?, ?, ?) ON CONFLICT (query_id) DO NOTHING",
            _query_row(query),
        )
        if not written.rowcount:
            self._check_query(query)

    def _check_query(self, query: Query) -> None:
        found = self._rows("SELECT * FROM queries WHERE query_id = ?", [query.query_id])[0]
        for name, ours, theirs in zip(
            ("name", "text", "parts", "type", "vectors"), _query_row(query), found, strict=True
        ):
            if ours != theirs:
                raise Conflict(
                    f"query {query.query_id!r} is known with another {name}. Give a query that "
                    "differs another query_id."
                )

    def _add_session(self, session: Session) -> bool:
        """Whether it was new."""
        written = self._run(
            "INSERT INTO sessions (session_id, created_at, query_id, owner, user_id) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (session_id) DO NOTHING",
            _session_row(session),
        )
        if written.rowcount and any(mine.team for mine in session.shown):
            self._run("INSERT INTO interleaved VALUES (?, ?, ?, 0)", _cluster_row(session))
        return bool(written.rowcount)

    def _check_session(self, session: Session, shown: list[Row] | None) -> None:
        """Refuse a session that differs from the one of its name.

        Args:
            session: To be registered.
            shown: What that one shows, where this very call registers it; else the store knows.
        """
        (found,) = self._rows(
            "SELECT session_id, created_at, query_id, owner, user_id FROM sessions "
            "WHERE session_id = ?",
            [session.session_id],
        )
        names = ("name", "created_at", "query", "owner", "user_id")
        differs = [
            name
            for name, ours, theirs in zip(names, _session_row(session), found, strict=True)
            if ours != theirs
        ]
        known = self._impressions(session.session_id) if shown is None else shown
        if _impression_rows(session) != known:
            differs.append("results shown")
        if differs:
            raise Conflict(
                f"session {session.session_id!r} is registered already with another "
                f"{' and '.join(differs)}. Give every search a session_id of its own."
            )

    def _impressions(self, session_id: str) -> list[Row]:
        return self._rows(
            "SELECT session_id, position, object_id, propensity, team FROM impressions "
            "WHERE session_id = ? ORDER BY position",
            [session_id],
        )

    def add_events(self, events: Sequence[Event]) -> int:
        """See `Store.add_events`."""
        rows = sorted(_event_row(event) for event in events)
        with self._transaction():
            self._check_shown(events)
            n_new = self._many(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (session_id, event_id) DO NOTHING",
                rows,
            )
            if n_new < len(rows):
                self._check_same_events(rows)
        return n_new

    def _check_shown(self, events: Sequence[Event]) -> None:
        self._check_known({event.session_id for event in events})
        strangers = self._rows(
            "SELECT p.a, p.b FROM {pairs} p LEFT JOIN impressions i "
            "ON i.session_id = p.a AND i.object_id = p.b WHERE i.session_id IS NULL LIMIT 1",
            [pairs_json(sorted({(event.session_id, event.object_id) for event in events}))],
        )
        for session_id, object_id in strangers:
            raise ValueError(
                f"session {session_id!r} does not show object {object_id!r}, so nothing can "
                "happen to it there. Register the session with all that it shows."
            )

    def _check_same_events(self, rows: Iterable[Row]) -> None:
        wanted = list(rows)
        found = set(
            self._rows(
                "SELECT e.session_id, e.event_id, e.object_id, e.event_type, e.created_at "
                "FROM {pairs} p CROSS JOIN events e "
                "WHERE e.session_id = p.a AND e.event_id = p.b",
                [pairs_json(row[:2] for row in wanted)],
            )
        )
        for row in wanted:
            if row not in found:
                raise Conflict(
                    f"session {row[0]!r}: event {row[1]!r} is known with another object, type or "
                    "time. Give every event an event_id of its own."
                )

    def _check_known(self, session_ids: Collection[str]) -> None:
        unknown = self._rows(
            "SELECT i.id FROM {ids} i LEFT JOIN sessions s ON s.session_id = i.id "
            "WHERE s.session_id IS NULL LIMIT 1",
            [as_json(sorted(session_ids))],
        )
        for (session_id,) in unknown:
            raise UnknownSession(f"session {session_id!r} is not registered. Register it first.")

    def mark_irrelevant(self, session_id: str) -> None:
        """See `Store.mark_irrelevant`."""
        with self._transaction():
            self._check_known([session_id])
            self._run("UPDATE sessions SET is_irrelevant = 1 WHERE session_id = ?", [session_id])

    def mark(self, session_ids: Collection[str], at: int) -> int:
        """See `Store.mark`."""
        with self._transaction():
            self._check_known(session_ids)
            marked = self._run(
                "UPDATE sessions SET marked_at = ?, "
                "status = CASE WHEN owner IS NULL THEN 'refused' ELSE 'pending' END, "
                "reason = CASE WHEN owner IS NULL THEN 'no_owner' ELSE '' END "
                "WHERE marked_at IS NULL AND session_id IN (SELECT id FROM {ids} i)",
                [at, as_json(session_ids)],
            )
        return int(marked.rowcount)

    def session(self, session_id: str) -> StoredSession:
        """See `Store.session`."""
        self._check_known([session_id])
        return self._stored([session_id])[0]

    def archive(self, after: str, limit: int) -> list[StoredSession]:
        """See `Store.archive`."""
        found = self._rows(
            "SELECT session_id FROM sessions WHERE session_id > ? ORDER BY session_id LIMIT ?",
            [after, limit],
        )
        return self._stored([name for (name,) in found])

    def _stored(self, session_ids: Sequence[str]) -> list[StoredSession]:
        """Sessions by name, in the order of their names here."""
        names = [as_json(session_ids)]
        shown: dict[str, list[Impression]] = {name: [] for name in session_ids}
        for name, *impression in self._rows(
            "SELECT session_id, object_id, propensity, team FROM {ids} i "
            "JOIN impressions m ON m.session_id = i.id ORDER BY session_id, position",
            names,
        ):
            shown[name].append(Impression(*impression))
        events: dict[str, list[Event]] = {name: [] for name in session_ids}
        for event in self._rows(
            "SELECT event_id, session_id, object_id, created_at, event_type FROM {ids} i "
            "JOIN events e ON e.session_id = i.id ORDER BY session_id, created_at, event_id",
            names,
        ):
            events[event[1]].append(Event(*event))
        rows = {
            row[0]: row[1:]
            for row in self._rows(
                "SELECT session_id, created_at, owner, user_id, is_irrelevant, status, reason, "
                "marked_at, attempts, s.query_id, query_text, parts, dtype, vectors "
                "FROM {ids} i JOIN sessions s ON s.session_id = i.id "
                "JOIN queries q ON q.query_id = s.query_id",
                names,
            )
        }
        return [
            _as_stored(name, rows[name], tuple(shown[name]), tuple(events[name]))
            for name in session_ids
        ]

    def queries(self, query_ids: Collection[str]) -> dict[str, Rows]:
        """See `WorkerStore.queries`."""
        found = self._rows(
            "SELECT query_id, vectors, dtype, parts FROM {ids} i "
            "JOIN queries q ON q.query_id = i.id",
            [as_json(query_ids)],
        )
        return {row[0]: from_bytes(*row[1:]) for row in found}

    def counts(self) -> dict[Status, int]:
        """See `Store.counts`."""
        found = self._rows("SELECT status, COUNT(*) FROM sessions GROUP BY status ORDER BY status")
        return {Status(name): n for name, n in found}

    def state(self, name: str) -> str | None:
        """See `Store.state`."""
        found = self._rows("SELECT value FROM state WHERE name = ?", [name])
        return found[0][0] if found else None

    def set_state(self, name: str, value: str) -> None:
        """See `Store.set_state`."""
        with self._transaction():
            self._write_state({name: value})


def _as_stored(
    name: str, row: Row, shown: tuple[Impression, ...], events: tuple[Event, ...]
) -> StoredSession:
    created_at, owner, user_id, is_irrelevant, status, reason, marked_at, attempts = row[:8]
    query_id, text, parts, dtype, vectors = row[8:]
    query = Query(query_id, from_bytes(vectors, dtype, parts), text)
    return StoredSession(
        session=Session(name, created_at, query, shown, owner, user_id),
        events=events,
        is_irrelevant=bool(is_irrelevant),
        status=Status(status),
        reason=reason,
        marked_at=marked_at,
        attempts=attempts,
    )


def _query_row(query: Query) -> Row:
    rows = query.vectors
    return query.query_id, query.text, len(rows), type_name(rows), to_bytes(rows)


def _session_row(session: Session) -> Row:
    return (
        session.session_id,
        int(session.created_at),
        session.query.query_id,
        session.owner,
        session.user_id,
    )


def _cluster_row(session: Session) -> Row:
    """Users and sessions are two kinds of names, which must not meet in one."""
    user = session.user_id
    cluster = f"session {session.session_id}" if user is None else f"user {user}"
    return session.session_id, int(session.created_at), cluster


def _impression_rows(session: Session) -> list[Row]:
    return [
        (
            session.session_id,
            position,
            mine.object_id,
            None if mine.propensity is None else float(mine.propensity),
            mine.team,
        )
        for position, mine in enumerate(session.shown)
    ]


def _event_row(event: Event) -> Row:
    return (
        event.session_id,
        event.event_id,
        event.object_id,
        event.event_type,
        int(event.created_at),
    )
