"""The store in one SQLite file: no server, and nothing to install."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from adjuster.live.storage.sql_store import SqlStore

WAIT_SECONDS = 30.0
"""How long a writer waits for another one."""

CACHE_KIB = 64 * 1024
"""Pages that a connection may keep: a batch touches far more than SQLite's two MiB."""


class SqliteStore(SqlStore):
    """A `Store` in a file, for any number of threads and processes of one machine.

    Args:
        path: The file; made if it is not there.

    Raises:
        StoreUnavailable: If it cannot be opened or written.
        ValueError: If it is no SQLite database, or its tables are of another version.
    """

    TYPES: ClassVar[dict[str, str]] = {
        "text": "TEXT",
        "int": "INTEGER",
        "float": "REAL",
        "bytes": "BLOB",
    }
    IDS = "(SELECT value AS id FROM json_each(?))"
    PAIRS = "(SELECT o.key AS a, i.value AS b FROM json_each(?) o CROSS JOIN json_each(o.value) i)"
    # CROSS JOIN: each pair looks its rows up; SQLite would rather read the table in order.
    LOOKED_UP = (
        "{{pairs}} p CROSS JOIN {table} c "
        "WHERE c.generation = ? AND c.owner = p.a AND c.object_id = p.b"
    )
    UNAVAILABLE = (sqlite3.OperationalError,)

    def __init__(self, path: Path | str) -> None:
        self.path = path
        with self._told():
            self.connection = sqlite3.connect(
                path,
                timeout=WAIT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._run("PRAGMA journal_mode = WAL")
                # What is acknowledged is on the disk, even if the machine stops.
                self._run("PRAGMA synchronous = FULL")
                self._run(f"PRAGMA cache_size = -{CACHE_KIB}")
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                raise ValueError(f"{path} is no SQLite database: {error}.") from error
        self._make_tables()

    def another(self) -> Self:
        """See `WorkerStore.another`."""
        return type(self)(self.path)

    def _reach(self) -> None:
        return  # a file does not go away

    def _begin(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def _hold_setup(self) -> None:
        return  # BEGIN IMMEDIATE keeps all other writers out

    def _hold_queue(self, *, wait: bool) -> bool:
        return True  # likewise

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        return int(self.connection.executemany(self._worded(statement), rows).rowcount)
