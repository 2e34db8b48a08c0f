"""The ledger of sealed tests in a shared database, for studies on several machines."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Column, Identity, MetaData, String, Table, Text, select
from sqlalchemy import text as sql
from sqlalchemy.engine import Engine

from experiments.study.reconnection import patiently

Found = TypeVar("Found")

LOCK_KEY = 7_310_863_017_114_402_659
"""Of PostgreSQL's advisory lock: any number that nobody else takes."""

OPENINGS = Table(
    "adjuster_sealed_tests",
    MetaData(),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("fingerprint", String(64), nullable=False, index=True),
    Column("opening", Text, nullable=False),
)


class SharedLedger:
    """Rows of one table; what an opening holds is the caller's plain data.

    Args:
        engine: Of the study's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The table, without whatever password the database's URL holds."""
        return f"table {OPENINGS.name} of {self._engine.url.render_as_string(hide_password=True)}"

    def locked(self, action: Callable[[], Found]) -> Found:
        """Act while an advisory lock of the database is held; makes the table.

        The lock goes with its connection. Where that is lost, what was done may not have been
        alone: all of it is done again, once the database answers.

        Raises:
            Outage: If it does not answer any more.
        """
        return patiently(lambda: self._locked(action))

    def _locked(self, action: Callable[[], Found]) -> Found:
        with self._engine.connect() as connection:
            connection.execute(sql("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            try:
                OPENINGS.create(self._engine, checkfirst=True)
                return action()
            finally:
                connection.execute(sql("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})

    def read(self, fingerprint: str) -> Sequence[Mapping[str, Any]]:
        """A data set's openings, oldest first."""
        query = (
            select(OPENINGS.c.opening)
            .where(OPENINGS.c.fingerprint == fingerprint)
            .order_by(OPENINGS.c.id)
        )
        with self._engine.connect() as connection:
            return [json.loads(row) for row in connection.execute(query).scalars()]

    def append(self, fingerprint: str, opening: Mapping[str, Any]) -> None:
        """Add an opening; durable when this returns."""
        row = {"fingerprint": fingerprint, "opening": json.dumps(dict(opening))}
        with self._engine.begin() as connection:
            connection.execute(OPENINGS.insert(), row)
