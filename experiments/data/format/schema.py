"""The data set on disk: which files a folder holds and which columns each has."""

from dataclasses import dataclass

METADATA_FILE = "dataset.yaml"
MAX_ID_LENGTH = 1000
"""Characters that an id may have."""


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Args:
        name: Its name.
        kind: ``id``, ``text``, ``time``, ``flag``, ``number``, ``share``, ``position`` or
            ``vector``.
        required: Whether the file must have it.
        nullable: Whether a row may leave it empty.
    """

    name: str
    kind: str
    required: bool = True
    nullable: bool = False

    @property
    def must(self) -> str:
        """The type it must have, in words."""
        return TYPES_IN_WORDS[self.kind]


TYPES_IN_WORDS: dict[str, str] = {
    "id": "str",
    "text": "str",
    "time": "int64 (UTC epoch seconds)",
    "flag": "bool",
    "number": "float",
    "share": "float",
    "position": "int (0-based)",
    "vector": "fixed-size list<float32>",
}

TABLES: dict[str, tuple[Column, ...]] = {
    "items": (
        Column("object_id", "id"),
        Column("vector", "vector"),
        Column("is_average", "flag", required=False),
        Column("title", "text", required=False, nullable=True),
    ),
    "queries": (
        Column("query_id", "id"),
        Column("vector", "vector"),
        Column("text", "text", required=False, nullable=True),
    ),
    "sessions": (
        Column("session_id", "id"),
        Column("user_id", "id", required=False, nullable=True),
        Column("query_id", "id"),
        Column("created_at", "time"),
        Column("is_irrelevant", "flag", required=False),
        Column("segment", "id", required=False, nullable=True),
    ),
    "impressions": (
        Column("session_id", "id"),
        Column("position", "position"),
        Column("object_id", "id"),
        Column("relevance", "number", required=False, nullable=True),
        Column("propensity", "share", required=False, nullable=True),
        Column("display_propensity", "share", required=False, nullable=True),
    ),
    "events": (
        Column("event_id", "id"),
        Column("session_id", "id"),
        Column("object_id", "id"),
        Column("event_type", "id", required=False),
        Column("created_at", "time"),
    ),
}
"""Table → its columns; the table ``items`` is the file ``items.parquet``."""


def file_of(table: str) -> str:
    """The file name of a table.

    Example:
        >>> file_of("items")
        'items.parquet'
    """
    return f"{table}.parquet"
