"""What the worker takes out of a store and puts back: claims, copies, terms, and its reports."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from adjuster.live.storage.copies import Copies
from adjuster.live.storage.copy_rows import from_rows, to_rows
from adjuster.live.storage.leases import LAPSED, MOST_ATTEMPTS, Lease, count_to_take, reason_after
from adjuster.live.storage.pending_sessions import PendingSessions
from adjuster.live.storage.records import CLICK, Rows, Status, Term
from adjuster.live.storage.shown_bytes import shown_from_bytes
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
from adjuster.live.storage.vector_bytes import from_bytes

BEFORE_ALL = (-(2**63), -(2**63), "")
"""Comes before every session's (marked at, created at, id)."""


class SqlStore(SqlIntake):
    """A whole `Store`: what clients, monitor and worker use."""

    def claim(self, lease: Lease, tick: int, limit: int) -> Claim:
        """See `WorkerStore.claim`."""
        with self._transaction():
            if not self._hold_queue(wait=False):
                return Claim(PendingSessions.of([]), is_held=True)
            self._take_back(lease, tick)
            if self._is_held_by_another(lease):
                return Claim(PendingSessions.of([]), is_held=True)
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

    def _pending_sessions(self, session_ids: Sequence[str]) -> PendingSessions:
        """Sessions as a worker takes them, in the order of their names here."""
        if not session_ids:
            return PendingSessions.of([])
        known = {
            row[0]: row
            for row in self._rows(
                "SELECT s.session_id, owner, query_id, created_at, is_irrelevant, object_ids "
                "FROM {ids} i JOIN sessions s ON s.session_id = i.id "
                "JOIN shown w ON w.session_id = i.id",
                [as_json(session_ids)],
            )
        }
        _, owners, query_ids, created_at, is_irrelevant, searches = zip(
            *map(known.__getitem__, session_ids), strict=True
        )
        shown, offsets = shown_from_bytes(searches)
        click_impression, click_at = self._clicks(session_ids, shown, offsets)
        return PendingSessions(
            session_ids=list(session_ids),
            owners=list(owners),
            query_ids=list(query_ids),
            created_at=np.array(created_at, np.int64),
            is_irrelevant=np.array(is_irrelevant, np.bool_),
            offsets=offsets,
            shown=shown,
            click_impression=click_impression,
            click_at=click_at,
        )

    def _clicks(
        self, session_ids: Sequence[str], shown: list[str], offsets: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Each click's index into `shown`, and its time; shape ``(2, n)``."""
        row_of = {name: row for row, name in enumerate(session_ids)}
        found = self._rows(
            "SELECT e.session_id, e.object_id, e.created_at FROM {ids} i CROSS JOIN events e "
            "WHERE e.session_id = i.id AND e.event_type = ?",
            [as_json(session_ids), CLICK],
        )
        if not found:
            return np.empty((2, 0), np.int64)
        bounds, impressions = offsets.tolist(), []
        for name, clicked, _ in found:
            row = row_of[name]
            impressions.append(shown.index(clicked, bounds[row], bounds[row + 1]))
        clicks = np.array([impressions, [at for *_, at in found]], np.int64)
        return clicks[:, np.lexsort(clicks[::-1])]

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
            self._write_copies(outcome.generation, Copies.of(outcome.copies))
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
        closed = (Status.DONE, outcome.done), (Status.FAILED, outcome.failed)
        n_ours = 0
        for status, reasons in closed:
            for reason, names in _by_reason(reasons).items():
                ours = self._run(
                    "UPDATE sessions SET status = ?, reason = ?, batch = ?, lease = NULL, "
                    "lease_until = NULL WHERE session_id IN (SELECT id FROM {ids} i) "
                    "AND lease = ? AND status = 'processing'",
                    [status.value, reason, batch, as_json(names), lease.token],
                )
                n_ours += ours.rowcount
        n_closed = len(outcome.done) + len(outcome.failed)
        if n_ours != n_closed:
            raise LeaseLost(
                f"Another worker has taken over {n_closed - n_ours} of {n_closed} "
                "sessions; nothing of this batch was written. Use a longer lease."
            )
        self._write_state({BATCHES: str(batch)})

    def _write_copies(self, generation: int, copies: Copies) -> None:
        if len(copies):
            self._count_version()
            self._insert_copies(generation, copies)

    def _insert_copies(self, generation: int, copies: Copies) -> None:
        self._many(
            "INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (generation, owner, object_id) DO UPDATE SET "
            "parts = excluded.parts, dtype = excluded.dtype, vectors = excluded.vectors",
            to_rows(generation, copies),
        )

    def _count_version(self) -> None:
        self._run(
            "INSERT INTO state VALUES (?, '1') ON CONFLICT (name) "
            "DO UPDATE SET value = CAST(CAST(state.value AS BIGINT) + 1 AS TEXT)",
            [COPIES_VERSION],
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

    def copies(self, generation: int, pairs: Collection[Pair]) -> Copies:
        """See `WorkerStore.copies`."""
        found = self._rows(
            "SELECT owner, object_id, parts, dtype, vectors "
            f"FROM {self.LOOKED_UP.format(table='copies')}",
            [pairs_json(pairs), generation],
        )
        return from_rows(found)

    def owners_with_copies(self, generation: int, owners: Collection[str]) -> set[str]:
        """See `WorkerStore.owners_with_copies`."""
        # A subquery among the columns: each owner is looked up, whatever the table's statistics.
        found = self._rows(
            "SELECT i.id, (SELECT 1 FROM copies c WHERE c.generation = ? AND c.owner = i.id "
            "LIMIT 1) FROM {ids} i",
            [generation, as_json(owners)],
        )
        return {owner for owner, there in found if there}

    def copies_version(self) -> int:
        """See `WorkerStore.copies_version`."""
        return int(self.state(COPIES_VERSION) or 0)

    def owner_copies(self, generation: int, owner: str) -> dict[str, Rows]:
        """See `Store.owner_copies`."""
        found = self._rows(
            "SELECT object_id, vectors, dtype, parts FROM copies "
            "WHERE generation = ? AND owner = ?",
            [generation, owner],
        )
        return {row[0]: from_bytes(*row[1:]) for row in found}

    def terms(self, generation: int, pairs: Collection[Pair]) -> list[Term]:
        """See `WorkerStore.terms`."""
        found = self._rows(
            "SELECT owner, object_id, query_id, clicked, unclicked "
            f"FROM {self.LOOKED_UP.format(table='terms')}",
            [pairs_json(pairs), generation],
        )
        return [Term(*row) for row in found]

    def history(self, stretch: Stretch, limit: int) -> tuple[list[int], PendingSessions]:
        """See `Store.history`."""
        found = self._rows(
            "SELECT session_id, marked_at FROM sessions WHERE status = 'done' "
            "AND batch > ? AND batch <= ? AND (marked_at, created_at, session_id) > (?, ?, ?) "
            "ORDER BY marked_at, created_at, session_id LIMIT ?",
            [stretch.after, stretch.up_to, *(stretch.key or BEFORE_ALL), limit],
        )
        sessions = self._pending_sessions([name for name, _ in found])
        return [at for _, at in found], sessions

    def forget(self, generation: int) -> None:
        """See `Store.forget`."""
        with self._transaction():
            self._count_version()
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


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Reason → the sessions that have it."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return names
