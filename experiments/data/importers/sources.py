"""Which importer reads which source."""

from experiments.data.importers import (
    coveo,
    embedding_studio,
    live,
    metarank,
    mind,
    movielens,
    table,
    ubi,
)
from experiments.data.importers.base import Importer

IMPORTERS: dict[str, Importer] = {
    "embedding_studio": embedding_studio.IMPORTER,
    "live": live.IMPORTER,
    "table": table.IMPORTER,
    "ubi": ubi.IMPORTER,
    "coveo": coveo.IMPORTER,
    "mind": mind.IMPORTER,
    "movielens": movielens.IMPORTER,
    "metarank": metarank.IMPORTER,
}
"""Name of a source → its importer."""
