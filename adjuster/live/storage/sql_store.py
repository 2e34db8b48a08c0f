"""What the worker takes out of a store and puts back: claims, copies, terms, and its reports."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from adjuster.live.storage.copy_rows import from_rows, to_rows
from adjuster.live.storage.leases import LAPSED, MOST_ATTEMPTS, Lease, count_to_take, reason_after
from adjuster.live.storage.records import CLICK, Copy, PendingSession, Rows, Status, Term
from adjuster.live.storage.sql_connection import Row, as_json, pairs_json
from adjuster.live.storage.sql_intake import SqlIntake
from adjuster.live.storage.store import (
    BATCHES,
    COPIES_VERSION,
    FAILED,
    Claim,
    LeaseLost,
    Outcome,
    Pair,
    Stretch,
)

BEFORE_ALL = (-(2**63), -(2**63), "")
"""Comes before every session's (marked at, created at, id)."""


class SqlStore(SqlIntake):
    """A whole `Store`: what clients, monitor and worker use."""

    def claim(self, lease: Lease, tick: int, limit: int) -> Claim:
        """See `WorkerStore.claim`."""
        with self._transaction():
            if not self._hold_queue(wait=False):
                return Claim([], is_held=True)
            self._take_back(lease, tick)
            if self._is_held_by_another(lease):
                return Claim([], is_held=True)
            taken = self._oldest(lease, tick, limit)
            self._run(
                "UPDATE sessions SET status = 'processing', lease = ?, attempts = attempts + 1 "
                "WHERE session_id IN (SELECT id FROM {ids} i)",
                [lease.token, as_json(taken)],
            )
            self._run(
                "UPDATE sessions SET lease_until = ? WHERE lease = ? AND status = 'processing'",
                [lease.until, lease.token],
            )
        return Claim(self._pending_sessions(taken))

    def _take_back(self, lease: Lease, tick: int) -> None:
        """Make an end of other leases that have run out."""
        lapsed = self._rows(
            "SELECT session_id, attempts FROM sessions "
            "WHERE status = 'processing' AND lease <> ? AND lease_until <= ?",
            [lease.token, lease.now],
        )
        self._put_back(lapsed, tick, LAPSED)

    def _put_back(self, taken: Iterable[Row], tick: int, reason: str) -> None:
        """Make sessions that were taken, each with its attempts, pending or failed."""
        rows: list[Row] = []
        for session_id, attempts in taken:
            status = Status.FAILED if attempts >= MOST_ATTEMPTS else Status.PENDING
            rows.append((status.value, reason_after(attempts, reason), attempts, session_id))
        self._many(
            "UPDATE sessions SET status = ?, reason = ?, attempts = ?, lease = NULL, "
            "lease_until = NULL WHERE session_id = ?",
            rows,
        )
        self._add_to_report(tick, {FAILED: sum(row[0] == Status.FAILED.value for row in rows)})

    def _is_held_by_another(self, lease: Lease) -> bool:
        held = self._rows(
            "SELECT 1 FROM sessions WHERE status = 'processing' AND lease <> ? LIMIT 1",
            [lease.token],
        )
        return bool(held)

    def _oldest(self, lease: Lease, tick: int, limit: int) -> list[str]:
        held = self._rows(
            "SELECT DISTINCT attempts FROM sessions WHERE status = 'processing' AND lease = ?",
            [lease.token],
        )
        waiting = self._rows(
            "SELECT session_id, attempts FROM sessions WHERE status = 'pending' "
            "AND marked_at <= ? ORDER BY marked_at, created_at, session_id LIMIT ?",
            [tick, limit],
        )
        n_taken = count_to_take([row[0] for row in held], [row[1] for row in waiting])
        return [row[0] for row in waiting[:n_taken]]

    def _pending_sessions(self, session_ids: Sequence[str]) -> list[PendingSession]:
        """Sessions as a worker takes them, in the order of their names here."""
        if not session_ids:
            return []
        heads = self._rows(
            "SELECT session_id, owner, query_id, created_at, is_irrelevant FROM {ids} i "
            "JOIN sessions s ON s.session_id = i.id",
            [as_json(session_ids)],
        )
        shown = self._shown(session_ids)
        clicks = self._clicks(session_ids)
        known = {row[0]: row[1:] for row in heads}
        sessions = []
        for name in session_ids:
            owner, query_id, created_at, is_irrelevant = known[name]
            positions, times = clicks[name]
            head = (name, owner, query_id, created_at, bool(is_irrelevant))
            sessions.append(
                PendingSession(*head, shown.get(name, ()), tuple(positions), tuple(times))
            )
        return sessions

    def _shown(self, session_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What each session shows, in order."""
        found = self._rows(
            "SELECT session_id, object_id FROM {ids} i JOIN impressions m ON m.session_id = i.id "
            "ORDER BY session_id, position",
            [as_json(session_ids)],
        )
        return {
            name: tuple(map(itemgetter(1), rows)) for name, rows in groupby(found, itemgetter(0))
        }

    def _clicks(self, session_ids: Sequence[str]) -> dict[str, tuple[list[int], list[int]]]:
        """Places and times of each session's clicks."""
        clicks: dict[str, tuple[list[int], list[int]]] = {name: ([], []) for name in session_ids}
        for name, position, at in self._rows(
            "SELECT e.session_id, m.position, e.created_at FROM {ids} i "
            "JOIN events e ON e.session_id = i.id "
            "JOIN impressions m ON m.session_id = e.session_id AND m.object_id = e.object_id "
            "WHERE e.event_type = ? ORDER BY e.session_id, e.event_id",
            [as_json(session_ids), CLICK],
        ):
            positions, times = clicks[name]
            positions.append(position)
            times.append(at)
        return clicks

    def finish(self, lease: Lease, outcome: Outcome) -> None:
        """See `WorkerStore.finish`."""
        with self._transaction():
            self._hold_queue(wait=True)
            self._check_expected(outcome.expected)
            self._close_sessions(lease, outcome)
            if outcome.reopened_after is not None:
                self._run(
                    "UPDATE sessions SET status = 'pending', reason = '', attempts = 0 "
                    "WHERE status = 'done' AND batch > ?",
                    [outcome.reopened_after],
                )
            self._write_copies(outcome.generation, outcome.copies)
            self._write_terms(outcome.generation, outcome.terms)
            self._write_state(dict(outcome.state))
            counts = Counter(outcome.done.values())
            counts[FAILED] += len(outcome.failed)
            self._add_to_report(outcome.tick, counts)

    def _check_expected(self, expected: Mapping[str, str | None]) -> None:
        for name, value in expected.items():
            found = self.state(name)
            if found != value:
                raise LeaseLost(
                    f"The state's {name} has changed meanwhile, from {value} to {found}; nothing "
                    "of this batch was written."
                )

    def _close_sessions(self, lease: Lease, outcome: Outcome) -> None:
        if not (outcome.done or outcome.failed):
            return
        batch = int(self.state(BATCHES) or 0) + 1
        closed: list[Row] = [
            (status.value, reason, batch, session_id, lease.token)
            for status, reasons in (
                (Status.DONE, outcome.done),
                (Status.FAILED, outcome.failed),
            )
            for session_id, reason in reasons.items()
        ]
        n_ours = self._many(
            "UPDATE sessions SET status = ?, reason = ?, batch = ?, lease = NULL, "
            "lease_until = NULL WHERE session_id = ? AND lease = ? AND status = 'processing'",
            closed,
        )
        if n_ours != len(closed):
            raise LeaseLost(
                f"Another worker has taken over {len(closed) - n_ours} of {len(closed)} "
                "sessions; nothing of this batch was written. Use a longer lease."
            )
        self._write_state({BATCHES: str(batch)})

    def _write_copies(self, generation: int, copies: Sequence[Copy]) -> None:
        if copies:
            self._run(
                "INSERT INTO state VALUES (?, '1') ON CONFLICT (name) "
                "DO UPDATE SET value = CAST(CAST(state.value AS BIGINT) + 1 AS TEXT)",
                [COPIES_VERSION],
            )
        self._many(
            "INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (generation, owner, object_id, part) "
            "DO UPDATE SET dtype = excluded.dtype, vector = excluded.vector",
            to_rows(generation, copies),
        )

    def _write_terms(self, generation: int, terms: Sequence[Term]) -> None:
        self._many(
            "INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (generation, owner, object_id, query_id) "
            "DO UPDATE SET clicked = excluded.clicked, unclicked = excluded.unclicked",
            [(generation, *term) for term in terms],
        )

    def _add_to_report(self, tick: int, counts: dict[str, int]) -> None:
        self._many(
            "INSERT INTO ticks VALUES (?, ?, ?) ON CONFLICT (tick, reason) "
            "DO UPDATE SET sessions = ticks.sessions + excluded.sessions",
            [(tick, reason, n) for reason, n in sorted(counts.items()) if n],
        )

    def release(self, lease: Lease, tick: int, reason: str, *, counts: bool) -> None:
        """See `WorkerStore.release`."""
        with self._transaction():
            self._hold_queue(wait=True)
            held = self._rows(
                "SELECT session_id, attempts FROM sessions "
                "WHERE lease = ? AND status = 'processing'",
                [lease.token],
            )
            self._put_back([(name, n if counts else n - 1) for name, n in held], tick, reason)

    def renew(self, lease: Lease) -> bool:
        """See `WorkerStore.renew`."""
        with self._transaction():
            # A claim that has found the lease run out ends before it is renewed, or after.
            self._hold_queue(wait=True)
            renewed = self._run(
                "UPDATE sessions SET lease_until = ? WHERE lease = ? AND status = 'processing'",
                [lease.until, lease.token],
            )
        return bool(renewed.rowcount)

    def copies(self, generation: int, pairs: Collection[Pair]) -> dict[Pair, Rows]:
        """See `WorkerStore.copies`."""
        found = self._rows(
            # CROSS JOIN: each pair looks its rows up; SQLite would rather read all copies in order.
            "SELECT owner, object_id, part, dtype, vector FROM {pairs} p CROSS JOIN copies c "
            "WHERE c.generation = ? AND c.owner = p.a AND c.object_id = p.b",
            [pairs_json(pairs), generation],
        )
        return from_rows(found)

    def owner_copies(self, generation: int, owner: str) -> dict[str, Rows]:
        """See `Store.owner_copies`."""
        found = self._rows(
            "SELECT owner, object_id, part, dtype, vector FROM copies "
            "WHERE generation = ? AND owner = ?",
            [generation, owner],
        )
        return {object_id: rows for (_, object_id), rows in from_rows(found).items()}

    def terms(self, generation: int, pairs: Collection[Pair]) -> list[Term]:
        """See `WorkerStore.terms`."""
        found = self._rows(
            "SELECT owner, object_id, query_id, clicked, unclicked FROM {pairs} p "
            "CROSS JOIN terms t "
            "WHERE t.generation = ? AND t.owner = p.a AND t.object_id = p.b",
            [pairs_json(pairs), generation],
        )
        return [Term(*row) for row in found]

    def history(self, stretch: Stretch, limit: int) -> list[tuple[int, PendingSession]]:
        """See `Store.history`."""
        found = self._rows(
            "SELECT session_id, marked_at FROM sessions WHERE status = 'done' "
            "AND batch > ? AND batch <= ? AND (marked_at, created_at, session_id) > (?, ?, ?) "
            "ORDER BY marked_at, created_at, session_id LIMIT ?",
            [stretch.after, stretch.up_to, *(stretch.key or BEFORE_ALL), limit],
        )
        sessions = self._pending_sessions([name for name, _ in found])
        return [(at, session) for (_, at), session in zip(found, sessions, strict=True)]

    def forget(self, generation: int) -> None:
        """See `Store.forget`."""
        with self._transaction():
            for table in ("copies", "terms"):
                self._run(f"DELETE FROM {table} WHERE generation = ?", [generation])

    def ticks(self, limit: int) -> dict[int, dict[str, int]]:
        """See `Store.ticks`."""
        reports: dict[int, dict[str, int]] = {}
        for tick, reason, n in self._rows(
            "SELECT tick, reason, sessions FROM ticks WHERE tick IN "
            "(SELECT DISTINCT tick FROM ticks ORDER BY tick DESC LIMIT ?) "
            "ORDER BY tick DESC, reason",
            [limit],
        ):
            reports.setdefault(tick, {})[reason] = n
        return reports
