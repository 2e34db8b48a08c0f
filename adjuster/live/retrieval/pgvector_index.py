"""The originals searched through pgvector's HNSW index, by any number of threads.

The database finds candidates. They are compared and ranked as the replay compares, by the vectors
that this process holds, so that what is found has the similarities of the exact index to the bit.
"""

from functools import partial

from adjuster.fused_engine.batch import query_rows
from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.exact_index import ExactIndex
from adjuster.live.retrieval.nearest import Nearest
from adjuster.live.retrieval.pgvector_graph import PgvectorGraph, fingerprint_of, load
from adjuster.live.storage.records import Rows
from adjuster.live.storage.store_pool import StorePool


class PgvectorIndex:
    """A `NearestOriginals` whose candidates a database finds; a few of the nearest may be missing.

    Args:
        originals: What is searched; here they are compared.
        graphs: Connections to the same originals in a database.
    """

    def __init__(self, originals: ExactIndex, graphs: StorePool[PgvectorGraph]) -> None:
        self._originals, self._graphs = originals, graphs

    @property
    def info(self) -> SearchIndexInfo:
        """Dimensions, metric and pooling."""
        return self._originals.info

    def __len__(self) -> int:
        return len(self._originals)

    def vectors(self, object_id: str) -> Rows:
        """The parts of an object, shape ``(parts, D)``, not to be written to.

        Raises:
            KeyError: If the index does not hold it.
        """
        return self._originals.vectors(object_id)

    def nearest(self, query: Rows, k: int) -> Nearest:
        """See `NearestOriginals.nearest`.

        Raises:
            ValueError: If the query cannot be compared.
            StoreUnavailable: If the database cannot be used.
        """
        asked = self._originals.checked(query)
        with self._graphs.store() as graph:
            names = graph.candidates(query_rows(asked, self.info), k)
        return self._originals.nearest_of(asked, names, k)

    def close(self) -> None:
        """Let go of the database; nobody searches any more."""
        self._graphs.close()


def load_originals(url: str, schema: str, index: ExactIndex) -> PgvectorIndex:
    """Have the originals of an exact index in PostgreSQL, once, and search them there.

    Args:
        url: ``postgresql://user:password@host/database``, or libpq's words.
        schema: Made if it is not there.
        index: The originals, float32.

    Raises:
        StoreUnavailable: If the database cannot be reached.
        ValueError: If there is no pgvector, or it cannot hold the vectors, or not to the bit.
    """
    fingerprint = fingerprint_of(index)
    load(url, schema, index, fingerprint)
    return PgvectorIndex(index, StorePool(partial(PgvectorGraph, url, schema, fingerprint)))
