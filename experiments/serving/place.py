"""Where a live system's store is, and how it is opened."""

from collections.abc import Callable
from pathlib import Path

from adjuster.live.sql_store import SqlStore
from adjuster.live.sqlite_store import SqliteStore
from adjuster.live.store import StoreUnavailable
from experiments.common.errors import InputError, Outage
from experiments.common.secrets import LIVE, without_user_info
from experiments.config.serve import LiveConfig

POSTGRES = ("postgresql://", "postgres://")


def store_opener(config: LiveConfig, folder: Path) -> tuple[Callable[[], SqlStore], str]:
    """What opens the store, and its place in words that may be shown.

    Args:
        config: Where it is to be.
        folder: Of the SQLite file, where no other place is named; made.

    Raises:
        InputError: If it is no store, or its extra is not installed.
    """
    place = LIVE.read(config.store, config.store_env)
    if place is not None and place.startswith(POSTGRES):
        try:
            from adjuster.live.postgres_store import PostgresStore
        except ImportError:
            raise InputError(
                "serve.store in PostgreSQL needs the extra: pip install '.[postgres]'."
            ) from None
        url, schema = place, config.schema
        return lambda: PostgresStore(url, schema), f"{without_user_info(url)} (schema {schema})"
    path = folder / "live.db" if place is None else Path(place).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    return lambda: SqliteStore(path), str(path)


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
        raise InputError(without_user_info(f"serve.store: {error}")) from None
