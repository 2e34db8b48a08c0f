"""What the monitor reads and writes: interleaved searches, totals of clusters, health."""

from collections.abc import Collection, Mapping

from adjuster.live.ranking.interleaving import ADJUSTED, ORIGINALS
from adjuster.live.storage.outcome_store import ClusterTotal, Counting, InterleavedSession
from adjuster.live.storage.records import CLICK
from adjuster.live.storage.sql_connection import SqlConnection, as_json

CLICKED_OF_TEAM = (
    "(SELECT COUNT(*) FROM impressions m WHERE m.session_id = n.session_id AND m.team = ? "
    "AND EXISTS (SELECT 1 FROM events e WHERE e.session_id = m.session_id "
    "AND e.object_id = m.object_id AND e.event_type = ?))"
)


class _ChangedMeanwhile(Exception):
    """What a look was made from does not stand any more."""


class SqlOutcomes(SqlConnection):
    """The monitor's part of a `Store`."""

    def interleaved(self, since: int, until: int, limit: int) -> list[InterleavedSession]:
        """See `OutcomeStore.interleaved`."""
        found = self._rows(
            f"SELECT n.session_id, n.cluster, {CLICKED_OF_TEAM}, {CLICKED_OF_TEAM} "
            "FROM interleaved n WHERE n.is_counted = 0 AND n.created_at >= ? "
            "AND n.created_at <= ? ORDER BY n.created_at, n.session_id LIMIT ?",
            [ADJUSTED, CLICK, ORIGINALS, CLICK, since, until, limit],
        )
        return [InterleavedSession(*row) for row in found]

    def cluster_totals(self, since: int, clusters: Collection[str]) -> dict[str, ClusterTotal]:
        """See `OutcomeStore.cluster_totals`."""
        found = self._rows(
            "SELECT t.cluster, t.sessions, t.outcome FROM {ids} i "
            "JOIN cluster_totals t ON t.since = ? AND t.cluster = i.id",
            # The table of names comes first in the statement, its parameter too.
            [as_json(clusters), since],
        )
        return {row[0]: ClusterTotal(*row[1:]) for row in found}

    def count(self, counting: Counting) -> bool:
        """See `OutcomeStore.count`."""
        try:
            with self._transaction():
                self._hold_queue(wait=True)
                self._check_state(counting.expected)
                self._count_once(counting.session_ids)
                self._write_totals(counting)
                self._write_state(counting.state)
        except _ChangedMeanwhile:
            return False
        return True

    def _check_state(self, expected: Mapping[str, str | None]) -> None:
        found = self.states(expected)
        if any(found.get(name) != value for name, value in expected.items()):
            raise _ChangedMeanwhile

    def _count_once(self, session_ids: Collection[str]) -> None:
        counted = self._run(
            "UPDATE interleaved SET is_counted = 1 "
            "WHERE is_counted = 0 AND session_id IN (SELECT id FROM {ids} i)",
            [as_json(session_ids)],
        )
        if counted.rowcount != len(session_ids):
            raise _ChangedMeanwhile

    def _write_totals(self, counting: Counting) -> None:
        self._many(
            "INSERT INTO cluster_totals VALUES (?, ?, ?, ?) ON CONFLICT (since, cluster) "
            "DO UPDATE SET sessions = excluded.sessions, outcome = excluded.outcome",
            [(counting.since, name, *total) for name, total in sorted(counting.totals.items())],
        )

    def states(self, names: Collection[str]) -> dict[str, str]:
        """See `OutcomeStore.states`."""
        found = self._rows(
            "SELECT s.name, s.value FROM {ids} i JOIN state s ON s.name = i.id",
            [as_json(names)],
        )
        return dict(found)

    def _write_state(self, state: Mapping[str, str]) -> None:
        self._many(
            "INSERT INTO state VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            sorted(state.items()),
        )

    def add_health(self, minute: int, sums: Mapping[str, float]) -> None:
        """See `OutcomeStore.add_health`."""
        with self._transaction():
            self._many(
                "INSERT INTO health VALUES (?, ?, ?) ON CONFLICT (minute, name) "
                "DO UPDATE SET value = health.value + excluded.value",
                [(minute, name, float(value)) for name, value in sorted(sums.items())],
            )

    def health(self, since: int) -> dict[str, float]:
        """See `OutcomeStore.health`."""
        found = self._rows(
            "SELECT name, SUM(value) FROM health WHERE minute >= ? GROUP BY name ORDER BY name",
            [since],
        )
        return dict(found)
