"""What searches ask for the nearest originals: the exact index, or pgvector's graph."""

from collections.abc import Iterator
from contextlib import contextmanager

from adjuster.live.retrieval.exact_index import ExactIndex
from adjuster.live.retrieval.nearest import NearestOriginals
from experiments.common.errors import InputError
from experiments.common.live_store import is_postgres
from experiments.common.secrets import LIVE
from experiments.common.steps import step
from experiments.config.serve import EXACT, PGVECTOR, LiveConfig


@contextmanager
def searched_originals(live: LiveConfig, index: ExactIndex) -> Iterator[NearestOriginals]:
    """What finds the originals while it lasts; its connections are closed at the end.

    Args:
        live: Says which, and where the database is.
        index: The originals, which are loaded into the database unless they are there.

    Raises:
        InputError: If the database cannot hold them, or there is none.
        StoreUnavailable: If it cannot be reached.
    """
    if live.index == EXACT:
        yield index
        return
    url = LIVE.read(live.store, live.store_env)
    if not is_postgres(url):
        raise InputError(
            f"serve.index must be {EXACT} where the store is a SQLite file, got {PGVECTOR}. Name "
            "a PostgreSQL database as serve.store, or search exactly."
        )
    # The store that lies there has been opened, so that its driver is installed.
    from adjuster.live.retrieval.pgvector_index import load_originals

    try:
        with step("Loading the originals into PostgreSQL, unless they are there"):
            found = load_originals(url, live.schema, index)
    except ValueError as error:
        raise InputError(f"serve.index cannot be {PGVECTOR}: {error}") from None
    try:
        yield found
    finally:
        found.close()
