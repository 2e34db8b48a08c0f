"""A few connections to one store, shared by many threads: each is used by one at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import LifoQueue
from typing import Generic, Protocol, TypeVar

MOST_CONNECTIONS = 8
"""A database writes one transaction after the other: more would only wait in another place."""


class Closable(Protocol):
    """Whatever holds a connection."""

    def close(self) -> None:
        """Let go of it."""


S = TypeVar("S", bound=Closable)


class StorePool(Generic[S]):
    """Opens connections as they are needed, at most so many, and keeps them.

    Args:
        open_store: Opens one.
        most: How many at most, >= 1.

    Example:
        >>> class Connection:
        ...     def close(self):
        ...         print("closed")
        >>> pool = StorePool(Connection, most=1)
        >>> with pool.store() as store:
        ...     type(store).__name__
        'Connection'
        >>> pool.close()
        closed
    """

    def __init__(self, open_store: Callable[[], S], most: int = MOST_CONNECTIONS) -> None:
        self._open_store = open_store
        self._idle: LifoQueue[S | None] = LifoQueue()
        for _ in range(most):
            self._idle.put(None)

    @contextmanager
    def store(self) -> Iterator[S]:
        """A connection for as long as the block lasts; waits while all are in use.

        Raises:
            StoreUnavailable: If a new one cannot be opened.
        """
        mine = self._idle.get()
        try:
            mine = mine or self._open_store()
            yield mine
        finally:
            self._idle.put(mine)

    def close(self) -> None:
        """Close those that are idle; none is in use any more."""
        while not self._idle.empty():
            mine = self._idle.get()
            if mine is not None:
                mine.close()
