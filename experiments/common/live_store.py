"""A live system's store, opened from its place in words."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard

from adjuster.live.storage.sql_store import SqlStore
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.live.storage.store import StoreUnavailable
from experiments.common.errors import InputError, Outage
from experiments.common.secrets import without_user_info

POSTGRES = ("postgresql://", "postgres://")


def is_postgres(place: str | None) -> TypeGuard[str]:
    """Whether a store's place is a PostgreSQL URL."""
    return place is not None and place.startswith(POSTGRES)


def store_opener(place: str | None, schema: str, path: Path) -> tuple[Callable[[], SqlStore], str]:
    """What opens a store, and its place in words that may be shown.

    Args:
        place: A PostgreSQL URL, or a file; None for the file at `path`.
        schema: Of the tables, in PostgreSQL.
        path: Where the SQLite file is, where no other place is named.

    Raises:
        InputError: If the extra for it is not installed.
    """
    if is_postgres(place):
        try:
            from adjuster.live.storage.postgres_store import PostgresStore
        except ImportError:
            raise InputError(
                "A store in PostgreSQL needs the extra: pip install '.[postgres]'."
            ) from None
        url = place
        return lambda: PostgresStore(url, schema), f"{without_user_info(url)} (schema {schema})"
    file = path if place is None else Path(place).expanduser()
    return lambda: SqliteStore(file), str(file)


def open_store(opener: Callable[[], SqlStore]) -> SqlStore:
    """A first connection.

    Raises:
        InputError: If the place holds no store of this version.
        Outage: If it cannot be reached.
    """
    try:
        return opener()
    except StoreUnavailable as error:
        raise Outage(without_user_info(str(error))) from None
    except ValueError as error:
        raise InputError(without_user_info(str(error))) from None
