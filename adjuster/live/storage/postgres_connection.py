"""A connection to a PostgreSQL database, which is made anew when it broke."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from adjuster.live.storage.sql_connection import SqlConnection

SETUP_LOCK = 7_203_144_921
"""Any number: processes that make tables at one time wait for each other under it."""

MAY_CREATE = "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = ?"
"""Whether this user may make tables in a schema; no row where it is not there."""


class PostgresConnection(SqlConnection):
    """What `SqlConnection` leaves to each database, in a schema of a PostgreSQL database.

    Args:
        url: ``postgresql://user:password@host/database``, or libpq's words.
        schema: Where the tables are.

    Raises:
        StoreUnavailable: If the database cannot be reached.
    """

    TYPES: ClassVar[dict[str, str]] = {
        # In the order of their bytes, as Python and SQLite sort.
        "text": 'TEXT COLLATE "C"',
        "int": "BIGINT",
        "float": "DOUBLE PRECISION",
        "bytes": "BYTEA",
    }
    IDS = "(SELECT json_array_elements_text(?::json) AS id)"
    PAIRS = "(SELECT key AS a, json_array_elements_text(value) AS b FROM json_each(?::json))"
    # OFFSET 0: each pair looks its rows up, whatever the table's statistics say that it holds.
    LOOKED_UP = (
        "{{pairs}} p CROSS JOIN LATERAL (SELECT * FROM {table} t WHERE t.generation = ? "
        "AND t.owner = p.a AND t.object_id = p.b OFFSET 0) c"
    )
    UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError)

    def __init__(self, url: str, schema: str) -> None:
        self.url, self.schema = url, schema
        with self._told():
            self.connection = self._connect()

    def another(self) -> Self:
        """See `WorkerStore.another`."""
        return type(self)(self.url, self.schema)

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self.url, autocommit=True)
        # Extensions stand in `public`.
        path = sql.SQL("SET search_path TO {}, public").format(sql.Identifier(self.schema))
        connection.execute(path)
        return connection

    def _reach(self) -> None:
        # One cut off amid `_many` stays in libpq's pipeline mode, where it refuses every statement
        # without asking the server, and so never learns that it is closed.
        if self.connection.info.transaction_status != TransactionStatus.IDLE:
            self.connection.close()
            self.connection = self._connect()

    def _worded(self, statement: str) -> str:
        return super()._worded(statement).replace("?", "%s")

    def _begin(self) -> None:
        self._run("BEGIN")

    def _hold_setup(self) -> None:
        self._run("SELECT pg_advisory_xact_lock(?)", [SETUP_LOCK])
        # Asked first: making what is there needs a right that a user of it seldom has.
        there = self._rows(MAY_CREATE, [self.schema])
        if not there:
            make = sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self.schema))
            try:
                self.connection.execute(make)
            except psycopg.errors.InsufficientPrivilege:
                raise ValueError(self._denied()) from None
        elif not there[0][0]:
            raise ValueError(self._denied())

    def _denied(self) -> str:
        return (
            f"this PostgreSQL user may not make tables in the schema {self.schema}. Have the "
            f"database's owner run CREATE SCHEMA {self.schema} AUTHORIZATION this user, or name a "
            "schema that is the user's own."
        )

    def _hold_queue(self, *, wait: bool) -> bool:
        how = "FOR UPDATE" if wait else "FOR UPDATE SKIP LOCKED"
        return bool(self._rows(f"SELECT 1 FROM state WHERE name = 'schema' {how}"))

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        given = list(rows)
        if not given:
            return 0
        with self.connection.cursor() as cursor:
            cursor.executemany(self._worded(statement), given)
            return int(cursor.rowcount)
