"""What the live system is measured with: a shop, its searches and clicks, and stores for them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from adjuster import FeedbackBatch, SearchIndexInfo, TorchBasedAdjuster
from adjuster.live.storage.records import Event, Impression, Query, Rows, Session
from adjuster.live.storage.sql_store import SqlStore

DIMENSIONS, N_SHOWN, N_QUERIES = 128, 20, 2_000
INFO = SearchIndexInfo(DIMENSIONS)
OpenStore = Callable[[], SqlStore]


@dataclass
class Shop:
    """Objects of one part each.

    Args:
        n_objects: How many.
        seed: Of all that is drawn.
    """

    n_objects: int
    seed: int = 0
    names: list[str] = field(init=False)
    rows: Rows = field(init=False)
    queries: list[Query] = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.names = [f"object-{number:06d}" for number in range(self.n_objects)]
        self.number_of = {name: number for number, name in enumerate(self.names)}
        self.rows = self._draw(self.n_objects)
        drawn = self._draw(N_QUERIES)
        self.queries = [Query(f"query-{i}", drawn[i : i + 1]) for i in range(N_QUERIES)]

    def _draw(self, n: int) -> Rows:
        return self.rng.normal(size=(n, DIMENSIONS)).astype(np.float32)

    def vectors(self, object_id: str) -> Rows:
        """The one part of an object, shape ``(1, D)``."""
        number = self.number_of[object_id]
        return self.rows[number : number + 1]

    def searches(self, n: int, n_owners: int) -> tuple[list[Session], list[Event]]:
        """Searches of some owners in turn, with one to three clicks each."""
        sessions, events = [], []
        for number in range(n):
            shown = self.rng.choice(self.n_objects, N_SHOWN, replace=False)
            session = Session(
                session_id=f"session-{number:06d}",
                created_at=number,
                query=self.queries[int(self.rng.integers(N_QUERIES))],
                shown=tuple(Impression(self.names[row]) for row in shown),
                owner=f"owner-{number % n_owners:05d}",
            )
            sessions.append(session)
            clicked = self.rng.choice(shown, self.rng.integers(1, 4), replace=False)
            events += [click(session, self.names[row]) for row in clicked]
        return sessions, events


def click(session: Session, object_id: str) -> Event:
    """A click, whose name is the object's."""
    return Event(object_id, session.session_id, object_id, session.created_at + 5)


class TimedAdjuster(TorchBasedAdjuster):
    """Counts the seconds that its kernel takes."""

    def __init__(self) -> None:
        super().__init__(INFO)
        self.seconds = 0.0

    def adjust_batch(self, batch: FeedbackBatch) -> Rows:
        """See `BatchAdjuster.adjust_batch`."""
        started = perf_counter()
        adjusted = super().adjust_batch(batch)
        self.seconds += perf_counter() - started
        return adjusted


@dataclass
class WriteTimes:
    """Seconds in which a store writes batches down.

    Args:
        seconds: Of all of `Store.finish`, from the batch's outcome to its commit, and of the
            statements that write elsewhere.
        database_seconds: Of the database alone, in all statements that write.
    """

    seconds: float = 0.0
    database_seconds: float = 0.0
    is_finishing: bool = False

    def add(self, seconds: float) -> None:
        """Count a statement that writes."""
        self.database_seconds += seconds
        if not self.is_finishing:
            self.seconds += seconds


@contextmanager
def timed_writes(store: SqlStore) -> Iterator[WriteTimes]:
    """Count the seconds in which a store writes, within the block."""
    times = WriteTimes()
    timed = {"finish": _timed_finish(store.finish, times)}
    for name in ("_run", "_many"):
        timed[name] = _timed_writes(getattr(store, name), times)
    for name, method in timed.items():
        setattr(store, name, method)
    try:
        yield times
    finally:
        for name in timed:
            delattr(store, name)


def _timed_finish(finish: Callable[..., None], times: WriteTimes) -> Callable[..., None]:
    def timed(*given: Any) -> None:
        started, times.is_finishing = perf_counter(), True
        finish(*given)
        times.seconds += perf_counter() - started
        times.is_finishing = False

    return timed


def _timed_writes(run: Callable[..., Any], times: WriteTimes) -> Callable[..., Any]:
    def timed(statement: str, given: Any = ()) -> Any:
        if statement.startswith("SELECT"):
            return run(statement, given)
        started = perf_counter()
        done = run(statement, given)
        times.add(perf_counter() - started)
        return done

    return timed


@contextmanager
def sqlite_stores() -> Iterator[OpenStore]:
    """Connections to one SQLite file, durable as in a deployment; nothing is left of it."""
    from adjuster.live.storage.sqlite_store import SqliteStore

    # Beside the benchmark's figures: a folder for temporary files may not be on a disk.
    home = Path("outputs")
    home.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=home) as folder:
        yield lambda: SqliteStore(Path(folder) / "live.db")


@contextmanager
def postgres_stores(url: str) -> Iterator[OpenStore]:
    """Connections to one schema of a PostgreSQL database; nothing is left of it."""
    from adjuster.live.storage.postgres_store import PostgresStore

    schema = f"benchmark_{uuid.uuid4().hex}"
    first = PostgresStore(url, schema)
    try:
        yield first.another
    finally:
        first.connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
        first.close()
