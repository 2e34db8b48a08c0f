"""The store in a PostgreSQL database, for workers and clients on several machines.

Copies are kept as bytes and not in pgvector's type: they come back to the bit in float64 too, any
PostgreSQL will do, and no index is ever asked about them. Searches read the few copies of one owner
and score them exactly; an index over originals and copies together finds less.
"""

from adjuster.live.storage.postgres_connection import PostgresConnection
from adjuster.live.storage.sql_store import SqlStore


class PostgresStore(PostgresConnection, SqlStore):
    """A `Store` in a schema of a PostgreSQL database.

    A connection that breaks is made anew at the next call.

    Args:
        url: ``postgresql://user:password@host/database``, or libpq's words.
        schema: Where the tables are; made if it is not there.

    Raises:
        StoreUnavailable: If the database cannot be reached.
        ValueError: If its tables are of another version.
    """

    def __init__(self, url: str, schema: str = "live") -> None:
        super().__init__(url, schema)
        self._make_tables()
