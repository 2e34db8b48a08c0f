"""The originals in PostgreSQL, and pgvector's HNSW index that finds the nearest of them.

Each set of originals has a table of its own, named by its fingerprint, which is written whole or
not at all and never changed. Personalized copies are never in it: one index over both finds less.

HNSW walks a graph of near neighbours and finds most of the nearest, not all (Malkov and Yashunin,
"Efficient and robust approximate nearest neighbor search using hierarchical navigable small world
graphs", 2018). It finds candidates, which are still to be compared.
"""

import hashlib
from collections.abc import Iterator
from typing import Self

import numpy as np

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.live.retrieval.exact_index import ExactIndex
from adjuster.live.retrieval.pgvector_rows import HEADER, TRAILER, as_text, copied_row
from adjuster.live.storage.postgres_connection import PostgresConnection
from adjuster.live.storage.records import Rows

MOST_DIMENSIONS = 2000
"""pgvector's HNSW takes no more."""
CENTRE = -1
"""Part under which an object's mean vector stands, where pooling is the mean over parts."""
LEAST_CANDIDATES = 100
CANDIDATES_PER_RESULT = 3
MOST_EF_SEARCH = 1000

OPERATORS = {
    MetricType.COSINE: ("<=>", "vector_cosine_ops"),
    MetricType.DOT: ("<#>", "vector_ip_ops"),
    MetricType.EUCLID: ("<->", "vector_l2_ops"),
}
"""Metric → pgvector's operator, and the class of operators that an index serves."""

SETTINGS = (
    # Sorting all rows would find all of the nearest, and take as long as it sounds.
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; "
    # Where the graph gives fewer than asked for, it is walked further.
    "SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = {}"
)
"""How a search is planned and made; one message, as each would be one to the server and back."""

LEAST_VERSION = (0, 8)
"""The first that walks a graph further where it gave too few."""

EXTENSION = (
    "SELECT extversion, nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
    "WHERE extname = 'vector'"
)
AVAILABLE = (
    "SELECT bool_or(rolsuper OR trusted AND has_database_privilege(current_database(), 'CREATE')) "
    "FROM pg_available_extension_versions, pg_roles "
    "WHERE name = 'vector' AND rolname = current_user HAVING count(*) > 0"
)
"""Whether this user may create it, where it is installed."""

TABLES = """
CREATE TABLE IF NOT EXISTS originals (
  fingerprint TEXT PRIMARY KEY, dimensions INTEGER NOT NULL, metric TEXT NOT NULL,
  pooling TEXT NOT NULL, objects BIGINT NOT NULL)
"""


class PgvectorGraph(PostgresConnection):
    """A connection that finds candidates among originals that `load` has written.

    One object is used by one thread at a time; any number may be open.

    Args:
        url: ``postgresql://user:password@host/database``, or libpq's words.
        schema: Where the tables are.
        fingerprint: Which originals; see `fingerprint_of`.

    Raises:
        StoreUnavailable: If the database cannot be reached.
        ValueError: If these originals are not there.
    """

    def __init__(self, url: str, schema: str, fingerprint: str) -> None:
        super().__init__(url, schema)
        self.fingerprint = fingerprint
        there = self._rows("SELECT to_regclass('originals') IS NOT NULL")[0][0]
        found = there and self._rows(
            "SELECT dimensions, metric, pooling, objects FROM originals WHERE fingerprint = ?",
            [fingerprint],
        )
        if not found:
            raise ValueError(
                f"originals {fingerprint!r} are not in schema {schema!r}. Load them first."
            )
        dimensions, metric, pooling, self._n_objects = found[0]
        self._info = SearchIndexInfo(dimensions, metric, pooling)

    def another(self) -> Self:
        """Another connection to the same originals, for another thread."""
        return type(self)(self.url, self.schema, self.fingerprint)

    def candidates(self, query: Rows, k: int) -> list[str]:
        """Objects that may be among the k closest: several times as many, in no order.

        Args:
            query: Shape ``(parts, D)``, finite; of unit length each under cosine.
            k: How many are wanted, >= 1.
        """
        wanted = max(1, min(max(LEAST_CANDIDATES, CANDIDATES_PER_RESULT * k), self._n_objects))
        found: dict[str, None] = {}
        for vector in self._asked(query):
            limit, mine = wanted, 0
            while True:
                names = [row[0] for row in self._walk(vector, limit)]
                mine = len(set(names))
                # Several parts of one object may stand among the nearest.
                if mine >= min(k, self._n_objects) or len(names) < limit:
                    break
                limit *= 2
            found |= dict.fromkeys(names)
        return list(found)

    def _asked(self, query: Rows) -> Iterator[Rows]:
        """What the graph is walked for: each part of a query, or their mean."""
        if self._info.metric_aggregation_type is MetricAggregationType.MIN:
            yield from query
        else:
            yield _centre(query, self._info)

    def _walk(self, vector: Rows, limit: int) -> list[tuple[str]]:
        with self._transaction():
            self._run(SETTINGS.format(min(limit, MOST_EF_SEARCH)))
            return list(self._rows(self.statement(), [as_text(vector), limit]))

    def statement(self) -> str:
        """What finds the nearest rows of a vector; its parameters are the vector and a number."""
        operator, _, which = _served(self._info)
        return (
            f"SELECT object_id FROM {_table(self.fingerprint)} WHERE {which} "
            f"ORDER BY vector {operator} ?::vector LIMIT ?"
        )


class _Loader(PostgresConnection):
    """Writes originals down, and builds their graph."""

    def load(self, index: ExactIndex, fingerprint: str) -> None:
        """Write them, in one transaction, unless they are there."""
        info = index.info
        with self._transaction():
            self._hold_setup()
            self._have_extension()
            self._run(TABLES)
            written = self._run(
                "INSERT INTO originals VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [
                    fingerprint,
                    info.dimensions,
                    info.metric_type.value,
                    info.metric_aggregation_type.value,
                    len(index),
                ],
            )
            if written.rowcount:
                self._write(index, _table(fingerprint))

    def _have_extension(self) -> None:
        """Make pgvector known in this database.

        Raises:
            ValueError: If it is not installed there, too old, out of reach, or not ours to make.
        """
        if not self._rows(EXTENSION):
            available = self._rows(AVAILABLE)
            if not available:
                raise ValueError(
                    "this PostgreSQL has no pgvector. Install it there, or search exactly."
                )
            if not available[0][0]:
                raise ValueError(
                    "pgvector is not in this database, and this user may not create it. Have its "
                    "owner run CREATE EXTENSION vector, or search exactly."
                )
            self._run("CREATE EXTENSION vector SCHEMA public")
        ((version, schema),) = self._rows(EXTENSION)
        if tuple(map(int, version.split(".")[:2])) < LEAST_VERSION:
            raise ValueError(
                f"pgvector must be {'.'.join(map(str, LEAST_VERSION))} or newer, got {version}. "
                "Update the extension, or search exactly."
            )
        if schema not in ("public", self.schema):
            raise ValueError(
                f"pgvector must be in schema public or {self.schema}, got {schema}. Move it with "
                "ALTER EXTENSION vector SET SCHEMA public, or search exactly."
            )

    def _write(self, index: ExactIndex, table: str) -> None:
        self._run(
            f'CREATE TABLE {table} (object_id TEXT COLLATE "C" NOT NULL, part INTEGER NOT NULL, '
            f"vector vector({index.info.dimensions}) NOT NULL, PRIMARY KEY (object_id, part))"
        )
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.write(HEADER)
            for name in index.object_ids:
                copy.write(b"".join(_rows_of(name, index.vectors(name), index.info)))
            copy.write(TRAILER)
        _, operators, which = _served(index.info)
        self._run(f"CREATE INDEX ON {table} USING hnsw (vector {operators}) WHERE {which}")
        self._run(f"ANALYZE {table}")


def load(url: str, schema: str, index: ExactIndex, fingerprint: str) -> None:
    """Have the originals of an exact index in PostgreSQL; those that are there stay as they are.

    Args:
        url: As for `PgvectorGraph`.
        schema: Made if it is not there.
        index: The originals, float32.
        fingerprint: Theirs; see `fingerprint_of`.

    Raises:
        StoreUnavailable: If the database cannot be reached.
        ValueError: If there is no pgvector, or it cannot hold the vectors, or not to the bit.
    """
    if index.info.dimensions > MOST_DIMENSIONS:
        raise ValueError(
            f"pgvector's HNSW takes at most {MOST_DIMENSIONS} dimensions, got "
            f"{index.info.dimensions}. Search these originals exactly."
        )
    for name in index.object_ids[:1]:
        if index.vectors(name).dtype != np.float32:
            raise ValueError(
                "pgvector keeps float32, got originals in float64. Search these originals exactly."
            )
    loader = _Loader(url, schema)
    try:
        loader.load(index, fingerprint)
    finally:
        loader.close()


def fingerprint_of(index: ExactIndex) -> str:
    """A name for a set of originals: equal for equal names, vectors, metric and pooling."""
    info = index.info
    digest = hashlib.sha256()
    for name in (info.metric_type.value, info.metric_aggregation_type.value, *index.object_ids):
        digest.update(f"{len(name.encode())}:{name}".encode())
    for name in index.object_ids:
        rows = index.vectors(name)
        digest.update(str(rows.shape).encode() + rows.tobytes())
    return digest.hexdigest()[:16]


def _table(fingerprint: str) -> str:
    return f"originals_{fingerprint}"


def _served(info: SearchIndexInfo) -> tuple[str, str, str]:
    """Operator, its class, and the rows that the graph is over.

    The mean of dot products is the dot product of the means, and that of cosines that of the means
    of unit vectors; the mean of Euclid's distances is only near the distance of the means.
    """
    if info.metric_aggregation_type is MetricAggregationType.MIN:
        return (*OPERATORS[info.metric_type], "part >= 0")
    is_euclid = info.metric_type is MetricType.EUCLID
    return (*OPERATORS[MetricType.EUCLID if is_euclid else MetricType.DOT], "part < 0")


def _centre(rows: Rows, info: SearchIndexInfo) -> Rows:
    """The mean of an object's or a query's parts, of unit length each under cosine."""
    if info.metric_type is MetricType.COSINE:
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows.mean(axis=0))


def _rows_of(name: str, rows: Rows, info: SearchIndexInfo) -> Iterator[bytes]:
    for part, row in enumerate(rows):
        yield copied_row(name, part, row)
    if info.metric_aggregation_type is MetricAggregationType.AVG:
        yield copied_row(name, CENTRE, _centre(rows, info))
