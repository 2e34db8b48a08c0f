"""A store that goes away in the middle: what was acknowledged stays, and learning goes on."""

import os
import random
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from adjuster.live.learning.scheduler import iter_ticks
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.store import StoreUnavailable
from tests.adjuster.live.full_disk import (
    click,
    disturbed_worker,
    keep_what_was_acknowledged,
    lose_nothing_in_a_tick,
    told,
)
from tests.adjuster.live.killing import assert_learnt_once, counting_worker, fill_with
from tests.adjuster.live.small_shop import search
from tests.live_place import Place
from tests.postgres_server import programs, started
from tests.small_disk import on_small_disk

N_SESSIONS = 12
"""Four batches of three."""

N_CLIENTS, N_WRITES, N_CLICKS = 8, 150, 20
"""Clients, the writes of each, and the clicks of a write."""

CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def write_while(place, disturb) -> list[str]:
    """Clients write to a session, and again what was not acknowledged; what they were told.

    Args:
        place: Where its store is.
        disturb: Called with what they were told, again and again until they are done.
    """
    commits, faults, acknowledged = GroupCommit(place.open), [], []

    def client(name):
        for number in range(N_WRITES):
            clicks = [click(name, N_CLICKS * number + i) for i in range(N_CLICKS)]
            until = time.monotonic() + 60
            while fault := told(
                lambda clicks=clicks: commits.run(lambda mine: mine.add_events(clicks))
            ):
                faults.extend(fault)
                assert time.monotonic() < until, f"the store never came back: {fault}"
                time.sleep(0.01)
            acknowledged.append(number)

    with ThreadPoolExecutor(N_CLIENTS) as pool:
        clients = [pool.submit(client, f"client {i}") for i in range(N_CLIENTS)]
        while not all(done.done() for done in clients):
            disturb(faults)
            before = len(acknowledged)
            # However slow the machine, something is written between two of them.
            while len(acknowledged) == before and not all(done.done() for done in clients):
                time.sleep(0.001)
        for done in clients:
            done.result()
    commits.close()
    return faults


@contextmanager
def no_larger(path: str) -> Iterator[None]:
    """No file may grow beyond what the database's largest is now."""
    sizes = [Path(f"{path}{end}").stat().st_size for end in ("", "-wal")]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=["fast", "immediate"])
def restarting(request):
    """A server of our own, a place on it, and how to stop it: asked to, or by a crash."""
    with started() as server:
        yield server, Place("postgres", server.url.replace("+psycopg", ""), "live"), request.param


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_server_that_restarts_in_a_tick_has_each_session_learnt_once(restarting, n_workers):
    server, place, how = restarting
    fill_with(place.open(), 0, N_SESSIONS)

    def restart():
        server.stop(how)
        server.start()

    worker = disturbed_worker(place.open(), restart)
    others = [counting_worker(place.open(), clock=lambda: 0.0) for _ in range(n_workers - 1)]
    reports = []
    now = iter(range(1000))
    worker.wait = lambda seconds: None
    for _, report in iter_ticks(worker, lambda: 1, lambda: float(next(now))):
        reports.append(report)
        for other in others:
            with suppress(StoreUnavailable):
                other.tick(0)
        if not report.fault and not report.n_batches:
            break
    faults = [report.fault for report in reports if report.fault]
    assert 1 <= len(faults) <= 3
    assert all(fault.startswith("The store cannot be used now: ") for fault in faults)
    assert_learnt_once(place.open(), N_SESSIONS)


@pytest.mark.slow
def test_a_server_that_restarts_keeps_every_acknowledged_write(restarting):
    server, place, how = restarting
    store = place.open()
    store.register([search("s")])

    def restart(faults):
        if not faults:
            server.stop(how)
            server.start()

    assert write_while(place, restart)
    assert len(place.open().session("s").events) == N_CLIENTS * N_WRITES * N_CLICKS


@pytest.mark.slow
def test_connections_cut_off_at_any_moment_keep_every_acknowledged_write():
    """Seldom amid a pipeline: that a connection comes back from one, the storage's tests show."""
    when = random.Random(0)
    with started() as server:
        place = Place("postgres", server.url.replace("+psycopg", ""), "live")
        store = place.open()
        store.register([search("s")])

        def cut_off(faults):
            time.sleep(when.uniform(0, 0.03))
            with psycopg.connect(place.where) as mine:
                mine.execute(CUT_OFF)

        faults = write_while(place, cut_off)
        assert faults
        assert len(place.open().session("s").events) == N_CLIENTS * N_WRITES * N_CLICKS


@pytest.mark.slow
def test_a_file_that_may_not_grow_in_a_tick_loses_nothing_and_blames_no_session(tmp_path):
    place = Place("sqlite", str(tmp_path / "live.db"))
    said = lose_nothing_in_a_tick(place, no_larger(place.where))
    assert len(said) == 6
    assert all(sentence.startswith("The store cannot be used now: ") for sentence in said)


@pytest.mark.slow
def test_a_file_that_may_not_grow_keeps_every_acknowledged_write(tmp_path):
    place = Place("sqlite", str(tmp_path / "live.db"))
    said = keep_what_was_acknowledged(place, no_larger(place.where))
    assert said
    assert all("\n" not in sentence for sentence in said)


@pytest.mark.slow
def test_a_full_disk_loses_nothing_of_sqlite():
    on_small_disk(8, "tests.adjuster.live.full_disk", "sqlite")


@pytest.mark.slow
def test_a_full_disk_loses_nothing_of_postgresql():
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    if os.geteuid() != 0:
        pytest.skip("PostgreSQL runs as no root, and only root mounts a disk for another user")
    on_small_disk(160, "tests.adjuster.live.full_disk", "postgres")
