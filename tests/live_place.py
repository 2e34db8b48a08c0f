"""Where a live store is, as words that another process can be handed."""

from typing import NamedTuple

from adjuster.live.storage.sql_store import SqlStore


class Place(NamedTuple):
    """A store's place.

    Args:
        kind: ``sqlite`` or ``postgres``.
        where: The file, or the server.
        schema: PostgreSQL's schema.
    """

    kind: str
    where: str
    schema: str = ""

    def open(self) -> SqlStore:
        """A connection of one's own; tables are made where there are none."""
        if self.kind == "sqlite":
            from adjuster.live.storage.sqlite_store import SqliteStore

            store = SqliteStore(self.where)
            # No test here cuts the power; waiting for the disk is slow.
            store.connection.execute("PRAGMA synchronous = OFF")
            return store
        from adjuster.live.storage.postgres_store import PostgresStore

        return PostgresStore(self.where, self.schema)

    def beside(self, name: str) -> "Place":
        """Another, empty place next to it."""
        if self.kind == "sqlite":
            return Place("sqlite", f"{self.where}-{name}")
        return Place("postgres", self.where, f"{self.schema}_{name}")
