"""One connection to a database, in the words that SQLite and PostgreSQL share."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, Self

from adjuster.live.storage.schema import VERSION, statements
from adjuster.live.storage.store import StoreUnavailable

Row = tuple[Any, ...]


class SqlConnection(ABC):
    """Statements and transactions; what differs between databases is what a subclass says.

    Statements have ``?`` for a parameter, ``{ids}`` for a table of one column `id` and
    ``{pairs}`` for one of two columns, `a` and `b`; both are filled from one JSON parameter, which
    `as_json` and `pairs_json` write.
    """

    TYPES: ClassVar[dict[str, str]]
    IDS: ClassVar[str]
    PAIRS: ClassVar[str]
    LOOKED_UP: ClassVar[str]
    """Rows of a generation that pairs have in a ``{table}``: after FROM, its parameters the pairs
    and the generation."""
    UNAVAILABLE: ClassVar[tuple[type[Exception], ...]]
    """What the driver raises when the database cannot be reached, is locked, or is full."""

    connection: Any
    _is_inside = False
    """Whether a transaction is open."""

    @abstractmethod
    def _reach(self) -> None:
        """Make a connection that can be used no more anew; only outside of a transaction."""

    @abstractmethod
    def _begin(self) -> None:
        """Begin a transaction that writes."""

    @abstractmethod
    def _hold_setup(self) -> None:
        """Within a transaction: keep others from making tables, and make the place for them."""

    @abstractmethod
    def _hold_queue(self, *, wait: bool) -> bool:
        """Within a transaction: keep others from claiming and finishing until it ends.

        Args:
            wait: Wait until others are done; otherwise say at once whether it is to be had.
        """

    @abstractmethod
    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each row; returns how many rows it wrote in all."""

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a statement; returns the driver's cursor."""
        return self.connection.execute(self._worded(statement), parameters)

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows that a statement finds."""
        with self._told():
            if not self._is_inside:
                self._reach()
            return list(self._run(statement, parameters).fetchall())

    def _worded(self, statement: str) -> str:
        for name, words in (("ids", self.IDS), ("pairs", self.PAIRS)):
            statement = statement.replace(f"{{{name}}}", words)
        return statement

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `Store.together`."""
        with self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """What is written inside is written whole or not at all; one within another is a part."""
        if self._is_inside:
            with self._part():
                yield
            return
        with self._told():
            self._reach()
            try:
                self._begin()
                self._is_inside = True
                yield
                self._run("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._is_inside = False

    @contextmanager
    def _part(self) -> Iterator[None]:
        """A part of a transaction, which can fail alone unless the store itself is gone."""
        with self._told():
            self._run("SAVEPOINT part")
            try:
                with self._told():
                    yield
            except StoreUnavailable:
                raise  # the whole is rolled back, and what is said is why
            except BaseException:
                self._run("ROLLBACK TO part")
                # It stands until it is released, and hides one around it.
                self._run("RELEASE part")
                raise
            self._run("RELEASE part")

    def _roll_back(self) -> None:
        # After some faults the database has done so already, or is gone, which comes to the same.
        try:
            self._run("ROLLBACK")
        except self.UNAVAILABLE:
            return

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self.UNAVAILABLE as error:
            # PostgreSQL says a few lines, the last with a hint.
            said = " ".join(str(error).split()).rstrip(".")
            raise StoreUnavailable(f"The store cannot be used now: {said}.") from error

    def _make_tables(self) -> None:
        """Make what is not there yet, and refuse tables of another version.

        Raises:
            ValueError: If they are.
        """
        with self._transaction():
            self._hold_setup()
            for statement in statements(self.TYPES):
                self._run(statement)
            self._run(
                "INSERT INTO state VALUES ('schema', ?) ON CONFLICT (name) DO NOTHING", [VERSION]
            )
        found = self._rows("SELECT value FROM state WHERE name = 'schema'")[0][0]
        if found != VERSION:
            raise ValueError(
                f"The store's tables are of version {found}, this program's of {VERSION}. "
                "Use the program that made them, or a new store."
            )

    @abstractmethod
    def another(self) -> Self:
        """See `WorkerStore.another`."""

    def close(self) -> None:
        """See `WorkerStore.close`."""
        self.connection.close()


def as_json(names: Iterable[str]) -> str:
    """The one parameter that ``{ids}`` is filled from."""
    return json.dumps(list(names))


def pairs_json(pairs: Iterable[tuple[str, str]]) -> str:
    """The one parameter that ``{pairs}`` is filled from: each first name once, with its seconds.

    Example:
        >>> pairs_json([("ann", "shoe"), ("bob", "hat"), ("ann", "hat")])
        '{"ann": ["shoe", "hat"], "bob": ["hat"]}'
    """
    seconds: dict[str, list[str]] = {}
    for first, group in groupby(pairs, key=itemgetter(0)):
        seconds.setdefault(first, []).extend(map(itemgetter(1), group))
    return json.dumps(seconds)
