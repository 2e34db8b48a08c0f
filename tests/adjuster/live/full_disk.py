"""What must be true of a store whose disk is full, however it came to be so.

Run as a program by `test_store_gone`, on a disk of its own that it fills to the last byte.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

import psycopg
import pytest

from adjuster import TorchBasedAdjuster
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.records import Event
from adjuster.live.storage.store import StoreUnavailable
from tests.adjuster.live.killing import assert_learnt_once, fill_with
from tests.adjuster.live.small_shop import INDEX, make_worker, search
from tests.live_place import Place
from tests.postgres_server import Server, programs
from tests.small_disk import filled

N_CLICKS = 400


class Disturbed(TorchBasedAdjuster):
    """Learns like any other, and has something happen in the middle of its second batch."""

    def __init__(self, disturb):
        super().__init__(INDEX, 0.01, 2, term_weight="impression", memory="refit")
        self.disturb, self.n_calls = disturb, 0

    def adjust_batch(self, batch):
        self.n_calls += 1
        if self.n_calls == 2:
            self.disturb()
        return super().adjust_batch(batch)


def disturbed_worker(store, disturb, batch_size=3):
    """Its clock stands still: no lease ever runs out by itself."""
    options = {"batch_size": batch_size, "memory": "refit", "clock": lambda: 0.0}
    return make_worker(store, adjuster=Disturbed(disturb), **options)


def click(name, number) -> Event:
    return Event(f"{name} {number}", "s", "a", number)


def told(call) -> list[str]:
    """What a call says of a store that cannot be used, in a list; an empty one where it can."""
    try:
        call()
    except StoreUnavailable as fault:
        return [str(fault)]
    return []


def lose_nothing_in_a_tick(
    place: Place, full: AbstractContextManager, mended=lambda: None, batch_size=3
):
    """It is full from the second of four batches on, and has room again; what was said."""
    n_sessions = 4 * batch_size
    store = place.open()
    fill_with(store, 0, n_sessions)
    worker = disturbed_worker(store, full.__enter__, batch_size)
    # More often than a session may be taken in vain.
    said = [sentence for _ in range(6) for sentence in told(lambda: worker.tick(0))]
    assert said
    full.__exit__(None, None, None)
    mended()
    for _ in range(2):  # a connection that broke says so once
        with suppress(StoreUnavailable):
            worker.tick(0)
    assert_learnt_once(place.open(), n_sessions)
    return said


def keep_what_was_acknowledged(
    place: Place, full: AbstractContextManager, mended=lambda: None, worsen=lambda: None
):
    """Clients write before the disk is full, while it is, and after it was; what was said."""
    store = place.open()
    store.register([search("s")])
    commits = GroupCommit(place.open)
    acknowledged, said = [], []

    def send(first, last):
        for number in range(first, last):
            fault = told(
                lambda i=number: commits.run(lambda mine: mine.add_events([click("c", i)]))
            )
            said.extend(fault)
            acknowledged.extend([] if fault else [f"c {number}"])

    send(0, 10)
    assert len(acknowledged) == 10
    with full:
        send(10, N_CLICKS // 2)
        worsen()
        send(N_CLICKS // 2, N_CLICKS)
        said += told(lambda: store.register([search("t")]))
    mended()
    for _ in range(2):
        with suppress(StoreUnavailable):
            found = [event.event_id for event in place.open().session("s").events]
            break
    assert sorted(found) == sorted(acknowledged)
    send(0, 10)
    send(0, N_CLICKS)
    commits.close()
    assert len(place.open().session("s").events) == N_CLICKS
    return said


def on_sqlite(disk: Path) -> None:
    """Each of the two, the store's file being on the disk."""
    for way in (lose_nothing_in_a_tick, keep_what_was_acknowledged):
        said = way(Place("sqlite", str(disk / f"{way.__name__}.db")), filled(disk))
        assert any("database or disk is full" in sentence for sentence in said), said


class FullServer:
    """A server all of whose files are on a disk that has no room."""

    def __init__(self, disk: Path) -> None:
        where = programs()
        assert where is not None
        self.server = Server(where, disk)
        self.server.start()
        self.url = self.server.url.replace("+psycopg", "")
        self.place = Place("postgres", self.url, "live")

    def end_its_log(self) -> None:
        """Have it begin new files of its log, for want of which it ends."""
        with pytest.raises(psycopg.OperationalError):
            self._write_much_log()

    def _write_much_log(self) -> None:
        for number in range(100):
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA s{number}")
                connection.execute("SELECT pg_switch_wal()")

    def mend(self) -> None:
        """Start it again if it has ended, and wait until it answers."""
        until = time.monotonic() + 60
        while True:
            try:
                if not self.server.is_running():
                    self.server.start()
                psycopg.connect(self.url).close()
                return
            except (psycopg.OperationalError, CalledProcessError):
                assert time.monotonic() < until
                time.sleep(0.1)


@contextmanager
def full_server(disk: Path) -> Iterator[FullServer]:
    """A server on the disk that is gone at the end, however it comes."""
    made = FullServer(disk)
    try:
        yield made
    finally:
        with suppress(CalledProcessError):  # it has ended by itself
            made.server.remove()


def on_postgres(disk: Path) -> None:
    """Each of the two, all that a server keeps being on the disk."""
    with full_server(disk) as one:
        said = lose_nothing_in_a_tick(one.place, filled(disk), one.mend, batch_size=60)
    assert any("No space left on device" in sentence for sentence in said), said
    with full_server(disk) as one:
        said = keep_what_was_acknowledged(one.place, filled(disk), one.mend, one.end_its_log)
    assert any("No space left on device" in sentence for sentence in said), said


if __name__ == "__main__":
    {"sqlite": on_sqlite, "postgres": on_postgres}[sys.argv[2]](Path(sys.argv[1]))
