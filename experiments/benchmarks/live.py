"""Part ``live``: the live system's store, its tick and its search, as ratios of one run."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from operator import itemgetter, methodcaller
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from adjuster.live.learning.worker import ImprovementWorker, WorkerSettings
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.live.retrieval.nearest import NearestOriginals
from adjuster.live.retrieval.search import LiveSearch, SearchRequest
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.records import Copy, Event, Session, Status
from adjuster.live.storage.sql_store import SqlStore
from adjuster.live.storage.store import Outcome
from experiments.benchmarks.live_load import (
    INFO,
    OpenStore,
    Shop,
    TimedAdjuster,
    click,
    postgres_stores,
    sqlite_stores,
    timed_writes,
)
from experiments.benchmarks.parts import Measured
from experiments.common.wording import grid

N_ALONE, N_BATCHED, N_THREADS = 300, 100, 32
"""Events sent one a request, in each larger request, and threads that send at one time."""
N_PENDING, N_TICK_OBJECTS, USER_SESSIONS = 10_000, 20_000, 10
TICK_AT, N_TICKS = N_PENDING + 60, 2
N_SEARCHED, N_COPIES, N_SEARCHES, N_RESULTS = 50_000, 50, 400, 20
OWNER = "owner"

Figures = dict[str, float]
Stores = Callable[[], AbstractContextManager[OpenStore]]


def measure(postgres: str | None = None) -> Measured:
    """Measure on SQLite, and on PostgreSQL beside it.

    Args:
        postgres: ``postgresql://…`` of a server with pgvector; None where there is none.
    """
    figures = measure_store("sqlite", sqlite_stores, None)
    if postgres is not None:
        figures |= measure_store("postgres", lambda: postgres_stores(postgres), postgres)
    return measured(figures)


def measure_store(name: str, stores: Stores, postgres: str | None) -> Figures:
    """All figures of one kind of store.

    Args:
        name: Of the kind.
        stores: Opens an empty place, as a context that gives an `OpenStore`.
        postgres: The server whose pgvector is to be searched; None searches exactly.
    """
    print(f"benchmark: live, {name} …", file=sys.stderr)
    figures: Figures = {}
    with stores() as open_store:
        figures |= events_per_second(open_store)
    for scope, n_owners in (("shared", 1), ("by_user", N_PENDING // USER_SESSIONS)):
        with stores() as open_store:
            found = tick_ratio(open_store, n_owners)
        figures |= {f"tick.{scope}.{key}": value for key, value in found.items()}
    with stores() as open_store:
        figures |= search_ratio(open_store, postgres)
    return {f"live.{name}.{key}": value for key, value in figures.items()}


def events_per_second(open_store: OpenStore) -> Figures:
    """Durable events a second: one a request, many a request, and many threads at a time."""
    store = open_store()
    shop = Shop(1_000)
    n_batches = 50
    n_sessions = (N_ALONE + n_batches * N_BATCHED + 100 * N_THREADS) // 10 + 1
    sessions, _ = shop.searches(n_sessions, 50)
    store.register(sessions)
    events = _ten_clicks_each(sessions)
    alone = [next(events) for _ in range(N_ALONE)]
    batched = [[next(events) for _ in range(N_BATCHED)] for _ in range(n_batches)]
    threads = [[next(events) for _ in range(100)] for _ in range(N_THREADS)]
    figures = {
        "events.one_a_request": N_ALONE / _seconds(lambda: [store.add_events([e]) for e in alone]),
        "events.batched": n_batches
        * N_BATCHED
        / _seconds(lambda: [store.add_events(many) for many in batched]),
        f"events.threads_{N_THREADS}": _grouped(open_store, threads),
    }
    store.close()
    return figures


def _ten_clicks_each(sessions: Sequence[Session]) -> Iterator[Event]:
    for session in sessions:
        yield from (click(session, shown.object_id) for shown in session.shown[:10])


def _grouped(open_store: OpenStore, events: list[list[Event]]) -> float:
    """Events a second, one a request, where each thread waits until its own is acknowledged."""
    commits = GroupCommit(open_store)

    def client(mine: list[Event]) -> None:
        for event in mine:
            commits.run(methodcaller("add_events", [event]))

    with ThreadPoolExecutor(len(events)) as pool:
        seconds = _seconds(lambda: list(pool.map(client, events)))
    commits.close()
    return sum(map(len, events)) / seconds


def tick_ratio(open_store: OpenStore, n_owners: int) -> Figures:
    """A tick's seconds, over the kernel's and those that writing takes: the fastest of a few.

    What the store writes is read in two ways: ``ratio`` counts all of `Store.finish`,
    ``strict_ratio`` only the statements that write, as the database takes them.
    """
    store, shop = open_store(), Shop(N_TICK_OBJECTS)
    sessions, events = shop.searches(N_PENDING, n_owners)
    store.register(sessions)
    store.add_events(events)
    names = [session.session_id for session in sessions]
    # A worker's process does not hold what clients have sent, and does not collect among it.
    del sessions, events
    gc.collect()
    # Compiled, and read from disk, before anything is timed.
    store.mark(names[:10], TICK_AT)
    ImprovementWorker(store, shop, TimedAdjuster(), WorkerSettings()).tick(TICK_AT)
    store.mark(names, TICK_AT)
    ticks = [_timed_tick(store, shop, generation) for generation in range(1, N_TICKS + 1)]
    store.close()
    return min(ticks, key=itemgetter("seconds"))


def _timed_tick(store: SqlStore, shop: Shop, generation: int) -> Figures:
    """One tick over all sessions, for copies of a generation of their own."""
    store.finish(new_lease(0, 1), Outcome(0, generation, reopened_after=0))
    adjuster = TimedAdjuster()
    worker = ImprovementWorker(store, shop, adjuster, WorkerSettings(generation=generation))
    with timed_writes(store) as writes:
        seconds = _seconds(lambda: worker.tick(TICK_AT))
    if store.counts() != {Status.DONE: N_PENDING}:
        raise RuntimeError(f"sessions were left over: {store.counts()}")
    return {
        "seconds": seconds,
        "kernel_seconds": adjuster.seconds,
        "writes_seconds": writes.seconds,
        "database_writes_seconds": writes.database_seconds,
        "ratio": seconds / (adjuster.seconds + writes.seconds),
        "strict_ratio": seconds / (adjuster.seconds + writes.database_seconds),
    }


def search_ratio(open_store: OpenStore, postgres: str | None) -> Figures:
    """Personalized searches against the bare exact scan, in turn."""
    store, shop = open_store(), Shop(N_SEARCHED)
    _teach(store, shop)
    with TemporaryDirectory() as folder:
        exact = _exact(shop, Path(folder) / "index")
        with _index(exact, store, postgres) as index:
            search, bare = LiveSearch(index), _bare_scan(shop)
            seconds: list[tuple[float, float]] = []
            for number in range(-20, N_SEARCHES):
                query = shop.queries[number % len(shop.queries)]
                request = SearchRequest(f"s{number}", 0, query, OWNER, "ann", N_RESULTS)
                mine = _seconds(partial(search.search, store, request))
                theirs = _seconds(partial(bare, query.vectors[0]))
                if number >= 0:
                    seconds.append((mine, theirs))
    store.close()
    p50, p99 = np.percentile(np.array(seconds), [50, 99], axis=0)
    return {
        "search.p50_ms": 1e3 * p50[0],
        "search.p99_ms": 1e3 * p99[0],
        "search.bare_p50_ms": 1e3 * p50[1],
        "search.bare_p99_ms": 1e3 * p99[1],
        "search.p50_ratio": p50[0] / p50[1],
        "search.p99_ratio": p99[0] / p99[1],
    }


def _teach(store: SqlStore, shop: Shop) -> None:
    """Give the owner some copies, and show them."""
    taught = [Copy(OWNER, name, shop.vectors(name) + np.float32(0.1)) for name in shop.names]
    store.finish(new_lease(0, 1), Outcome(0, 0, copies=taught[:N_COPIES]))
    store.set_state(MODE, ModeRow(Mode.ON, 0, "For this benchmark.").to_text())


def _exact(shop: Shop, folder: Path) -> ExactIndex:
    write_index(folder, shop.names, shop.rows, np.arange(len(shop.names) + 1), INFO)
    return ExactIndex(folder)


@contextmanager
def _index(exact: ExactIndex, store: SqlStore, postgres: str | None) -> Iterator[NearestOriginals]:
    """What is searched: the exact index itself, or pgvector's graph in the store's schema."""
    if postgres is None:
        yield exact
        return
    from adjuster.live.retrieval.pgvector_index import load_originals
    from adjuster.live.storage.postgres_store import PostgresStore

    assert isinstance(store, PostgresStore)
    index = load_originals(postgres, store.schema, exact)
    yield index
    index.close()


def _bare_scan(shop: Shop) -> Callable[[NDArray[np.floating]], NDArray[np.int64]]:
    """The nearest by one product of all unit vectors with the query, and nothing else."""
    unit = shop.rows / np.linalg.norm(shop.rows, axis=1, keepdims=True)

    def scan(query: NDArray[np.floating]) -> NDArray[np.int64]:
        scores = unit @ query
        best = np.argpartition(scores, -N_RESULTS)[-N_RESULTS:]
        return np.asarray(best[np.argsort(-scores[best])])

    return scan


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def measured(figures: Figures) -> Measured:
    """The table of some figures, a column a store."""
    stores = list(dict.fromkeys(key.split(".")[1] for key in figures))
    keys = list(dict.fromkeys(key.split(".", 2)[2] for key in figures))
    rows: list[tuple[str, ...]] = [("live", *stores)]
    for key in keys:
        found = [figures.get(f"live.{store}.{key}") for store in stores]
        rows.append((key, *("–" if value is None else f"{value:,.2f}" for value in found)))
    return Measured(figures, "\n".join(grid(rows)))
