"""A lease kept alive while its batch is learnt, however long that takes.

A thread with a connection of its own renews it. The compiled kernel works without the interpreter
lock, and other adjusters let go of it every few milliseconds, so that the thread comes to its turn
even within one long call. A process that is gone renews nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from adjuster.live.storage.leases import Lease
from adjuster.live.storage.store import StoreUnavailable, WorkerStore

BEATS_PER_LEASE = 3
"""So often a lease is renewed while it lasts: two that come too late lose nothing yet."""


@contextmanager
def kept_alive(
    store: WorkerStore, lease: Lease, clock: Callable[[], float], seconds: float
) -> Iterator[None]:
    """Renew a lease at every third of its length, until the block ends.

    A store that does not answer is asked again at the next turn.

    Args:
        store: Where the lease is; the thread opens a connection of its own when it needs one.
        lease: The worker's.
        clock: Seconds, the one that leases are counted in.
        seconds: How long the lease lasts, in seconds of this machine.
    """
    ended = Event()
    arguments = (store, lease, clock, seconds / BEATS_PER_LEASE, ended)
    thread = Thread(target=_beat, args=arguments, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(
    store: WorkerStore, lease: Lease, clock: Callable[[], float], pause: float, ended: Event
) -> None:
    mine: WorkerStore | None = None
    while not ended.wait(pause):
        with suppress(StoreUnavailable):
            mine = mine or store.another()
            mine.renew(lease.renewed(clock()))
    if mine is not None:
        mine.close()
