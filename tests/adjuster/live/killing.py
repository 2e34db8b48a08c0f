"""Workers in processes of their own that are killed, and what must be true afterwards.

Run as a program by `test_nothing_lost`: each worker is a fork of it, so that thousands can be
killed without each importing everything anew.
"""

import os
import signal
import sys
import time
import traceback
from collections import Counter
from multiprocessing.sharedctypes import RawValue

import numpy as np

from adjuster import TorchBasedAdjuster
from adjuster.live.storage.records import Status
from tests.adjuster.live.small_shop import INDEX, all_copies, fill, make_worker, search
from tests.live_place import Place

SHOWN, CLICKED = ("abc", "bcd", "ad"), ("a", "d", "ad")
LEASE_SECONDS = 2.0
"""Far longer than a batch of three sessions takes, once the kernel is loaded."""


class Dying:
    """A connection whose process is killed just before its n-th statement.

    Args:
        connection: The connection.
        n_left: Statements that it still makes.
        committed: Called after each transaction.
    """

    def __init__(self, connection, n_left, committed=lambda: None):
        self.connection, self.n_left, self.committed = connection, n_left, committed

    def execute(self, statement, parameters=()):
        if self.n_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.n_left -= 1
        done = self.connection.execute(statement, parameters)
        if statement == "COMMIT":
            self.committed()
        return done

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
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid


def whole_copies(place: Place, n_sessions: int) -> dict:
    """The copies of a tick that nobody interrupted."""
    whole = place.beside("whole").open()
    fill_with(whole, 0, n_sessions)
    counting_worker(whole).tick(0)
    copies = all_copies(whole)
    whole.close()
    return copies


def walk(place: Place, n_sessions: int) -> None:
    """Kill a worker before the first statement of a tick, before the second, and so on.

    The next one must end with the copies of a tick that nobody interrupted.
    """
    wanted = whole_copies(place, n_sessions)
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


def walk_among(place: Place, n_sessions: int, n_workers: int, stride: int) -> None:
    """Kill one of several workers before a statement of its tick, and before later ones in turn.

    The others, at work at the same time, must end with the copies of a tick that nobody
    interrupted.
    """
    wanted = whole_copies(place, n_sessions)
    for n_left in range(0, 10**6, stride):
        one = place.beside(f"among_{n_left}")
        store = one.open()
        fill_with(store, 0, n_sessions)
        store.close()
        status = kill_one_among(one, n_left, n_workers)
        assert status in (0, signal.SIGKILL), status
        store = one.open()
        assert_learnt_once(store, n_sessions)
        assert all_copies(store) == wanted
        store.close()
        if status == 0:
            print(f"{n_left} statements")
            return


def kill_one_among(place: Place, n_left: int, n_workers: int) -> int:
    """How the process of one of the workers ends that are at work until nothing is left.

    It takes the first batch. The others are there from then on, or from when it is killed, which
    is when its lease runs out.
    """
    now, is_taken = RawValue("d", 0.0), RawValue("b", 0)

    def worker(store):
        return counting_worker(store, clock=lambda: now.value, lease_seconds=5)

    def doomed():
        mine = place.open()
        mine.connection = Dying(mine.connection, n_left, lambda: setattr(is_taken, "value", 1))
        worker(mine).tick(0)

    def other():
        mine, until = place.open(), time.monotonic() + 120
        while not is_taken.value:
            time.sleep(0.0005)
        heir = worker(mine)
        while set(mine.counts()) != {Status.DONE}:
            assert time.monotonic() < until, mine.counts()
            heir.tick(0)

    others = [fork(other) for _ in range(n_workers - 1)]
    _, status = os.waitpid(fork(doomed), 0)
    now.value, is_taken.value = 6.0, 1
    for pid in others:
        assert os.waitpid(pid, 0)[1] == 0
    return status


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
    ways = {"walk": walk, "walk_among": walk_among, "load": under_load}
    ways[what](Place(kind, where, schema), *given)
