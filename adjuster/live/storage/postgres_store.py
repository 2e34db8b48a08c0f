"""The store in a PostgreSQL database, for workers and clients on several machines.

Copies are kept as bytes and not in pgvector's type: they come back to the bit in float64 too, any
PostgreSQL will do, and no index is ever asked about them. Searches read the few copies of one owner
and score them exactly; an index over originals and copies together finds less.
"""

import json

import numpy as np

from adjuster.live.storage.copies import Copies
from adjuster.live.storage.postgres_connection import PostgresConnection
from adjuster.live.storage.sql_connection import as_json
from adjuster.live.storage.sql_store import SqlStore
from adjuster.live.storage.vector_bytes import to_bytes, type_name


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

    def _insert_copies(self, generation: int, copies: Copies) -> None:
        """One statement for all: a row at a time costs a server far more than the row."""
        width = copies.vectors.shape[1] * copies.vectors.itemsize
        bounds = copies.offsets * width
        self._run(
            "INSERT INTO copies SELECT ?, owner, object_id, parts::int, ?, "
            "substring(?::bytea FROM first::int + 1 FOR size::int) "
            "FROM ROWS FROM (json_array_elements_text(?::json), "
            "json_array_elements_text(?::json), json_array_elements_text(?::json), "
            "json_array_elements_text(?::json), json_array_elements_text(?::json)) "
            "AS t(owner, object_id, parts, first, size) "
            "ON CONFLICT (generation, owner, object_id) DO UPDATE SET "
            "parts = excluded.parts, dtype = excluded.dtype, vectors = excluded.vectors",
            [
                generation,
                type_name(copies.vectors),
                to_bytes(copies.vectors),
                as_json(copies.owners),
                as_json(copies.object_ids),
                *(
                    json.dumps(column.tolist())
                    for column in (np.diff(copies.offsets), bounds[:-1], np.diff(bounds))
                ),
            ],
        )
