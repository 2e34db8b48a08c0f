"""Workers in processes of their own that are killed, and what must be true afterwards.

Run as a program by `test_nothing_lost`: each worker is a fork of it, so that thousands can be
killed without each importing everything anew.
"""

import os
import signal
import sys
import time
from collections import Counter

import numpy as np

from adjuster import TorchBasedAdjuster
from adjuster.live.storage.records import Status
from tests.adjuster.live.small_shop import INDEX, all_copies, fill, make_worker, search
from tests.live_place import Place

SHOWN, CLICKED = ("abc", "bcd", "ad"), ("a", "d", "ad")
LEASE_SECONDS = 2.0
"""Far longer than a batch of three sessions takes, once the kernel is loaded."""


class Dying:
    """A connection whose process is killed just before its n-th statement."""

    def __init__(self, connection, n_left):
        self.connection, self.n_left = connection, n_left

    def execute(self, statement, parameters=()):
        if self.n_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.n_left -= 1
        return self.connection.execute(statement, parameters)

    def executemany(self, statement, rows):
        """Row by row, so that it dies between any two of them, too."""
        self.rowcount = sum(self.execute(statement, row).rowcount for row in rows)
        return self

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        return False

    def __getattr__(self, name):
        return getattr(self.connection, name)


def searches(first, last, owners=("ann", "bob")):
    """Some sessions in turn of owner, of what is shown, and of what is clicked."""
    made = [
        search(f"s{i:05d}", owners[i % len(owners)], SHOWN[i % 3], created_at=i)
        for i in range(first, last)
    ]
    clicks = {s.session_id: CLICKED[i % 3] for i, s in enumerate(made, start=first)}
    return made, clicks


def fill_with(store, first, last, **more):
    made, clicks = searches(first, last, **more)
    fill(store, *made, clicks=clicks)


def counting_worker(store, **options):
    """Remembers of each (owner, object) how often it was shown and clicked, in whole numbers."""
    adjuster = TorchBasedAdjuster(INDEX, 0.01, 2, term_weight="impression", memory="refit")
    options = {"batch_size": 3, "memory": "refit", **options}
    return make_worker(store, adjuster=adjuster, **options)


def assert_learnt_once(store, n_sessions, owners=("ann", "bob")):
    """Every session is done, and what is remembered is what happened, no click more or less."""
    made, clicks = searches(0, n_sessions, owners)
    wanted: Counter = Counter()
    for s in made:
        for impression in s.shown:
            clicked = impression.object_id in clicks[s.session_id]
            wanted[s.owner, impression.object_id, clicked] += 1
    found: Counter = Counter()
    for term in store.terms(0, [(owner, name) for owner in owners for name in "abcd"]):
        found[term.owner, term.object_id, True] += int(term.clicked)
        found[term.owner, term.object_id, False] += int(term.unclicked)
    assert store.counts() == {Status.DONE: n_sessions}, store.counts()
    assert +found == wanted
    reported = Counter()
    for counts in store.ticks(10**9).values():
        reported.update(counts)
    assert reported == {"selected": n_sessions}
    assert all_copies(store, owners)


def fork(work) -> int:
    """Start a process that does this and nothing else."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def walk(place: Place, n_sessions: int) -> None:
    """Kill a worker before the first statement of a tick, before the second, and so on.

    The next one must end with the copies of a tick that nobody interrupted.
    """
    whole = place.beside("whole").open()
    fill_with(whole, 0, n_sessions)
    counting_worker(whole).tick(0)
    wanted = all_copies(whole)
    for n_left in range(10**6):
        one = place.beside(f"walk_{n_left}")
        store = one.open()
        fill_with(store, 0, n_sessions)

        def work(one=one, n_left=n_left):
            mine = one.open()
            mine.connection = Dying(mine.connection, n_left)
            counting_worker(mine, clock=lambda: 0.0, lease_seconds=5).tick(0)

        _, status = os.waitpid(fork(work), 0)
        assert status in (0, signal.SIGKILL), status
        heir = counting_worker(store, clock=lambda: 6.0)
        until = time.monotonic() + 30
        # A server notices only after a moment that the other end of a connection is gone.
        while heir.tick(0).is_held and time.monotonic() < until:
            time.sleep(0.01)
        assert_learnt_once(store, n_sessions)
        assert all_copies(store) == wanted
        store.close()
        if status == 0:
            print(f"{n_left} statements")
            return


def labour(place: Place, tick: int) -> None:
    """Tick until killed."""
    store = place.open()
    worker = counting_worker(store, lease_seconds=LEASE_SECONDS)
    while True:
        if not worker.tick(tick).n_batches:
            time.sleep(0.005)


def under_load(place: Place, n_workers: int, n_kills: int, owner_names: str) -> None:
    """Kill workers at random moments while sessions keep coming; then let them finish."""
    rng = np.random.default_rng(n_workers)
    owners = tuple(owner_names.split(","))
    warm = place.beside("warm").open()
    fill_with(warm, 0, 3)
    counting_worker(warm).tick(0)  # forks inherit the loaded kernel
    store = place.open()
    pids = [fork(lambda: labour(place, 0)) for _ in range(n_workers)]
    n_sessions = 0
    for _ in range(n_kills):
        fill_with(store, n_sessions, n_sessions + 8, owners=owners)
        n_sessions += 8
        time.sleep(rng.uniform(0, 1.2 * LEASE_SECONDS))
        victim = int(rng.integers(n_workers))
        os.kill(pids[victim], signal.SIGKILL)
        os.waitpid(pids[victim], 0)
        pids[victim] = fork(lambda: labour(place, 0))
    ends_at = time.monotonic() + 120
    while set(store.counts()) - {Status.DONE, Status.FAILED} and time.monotonic() < ends_at:
        time.sleep(0.05)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert_learnt_once(store, n_sessions, owners)
    print(f"{n_sessions} sessions")


if __name__ == "__main__":
    what, kind, where, schema, *numbers = sys.argv[1:]
    given = [int(text) if text.isdigit() else text for text in numbers]
    {"walk": walk, "load": under_load}[what](Place(kind, where, schema), *given)
