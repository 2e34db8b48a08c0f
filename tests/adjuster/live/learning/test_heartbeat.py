"""A lease that is renewed while its batch is learnt."""

from threading import Event

import numpy as np
import pytest

from adjuster import AdjusterConfig, SearchIndexInfo, TorchBasedAdjuster
from adjuster.feedback import FeedbackBatch
from adjuster.live.learning.heartbeat import kept_alive
from adjuster.live.storage.leases import Lease
from adjuster.live.storage.records import Status
from adjuster.live.storage.store import LeaseLost, Outcome, StoreUnavailable
from tests.adjuster.live.small_shop import INDEX, fill, make_worker, search

PATIENCE = 60
"""Seconds until a test gives up; none waits as long unless it fails."""


class Watched:
    """A store whose renewals are told."""

    def __init__(self, store, says=()):
        self.store, self.says = store, list(says)
        self.until, self.n_open, self.beat = [], 0, Event()

    def another(self):
        self.n_open += 1
        mine = Watched(self.store.another() if self.store else None)
        mine.until, mine.beat, mine.says, mine.owner = self.until, self.beat, self.says, self
        return mine

    def renew(self, lease):
        said = self.says.pop(0) if self.says else None
        renewed = self.store.renew(lease) if self.store else True
        self.until.append(lease.until)
        self.beat.set()
        if said:
            raise said
        return renewed

    def close(self):
        self.owner.n_open -= 1
        if self.store:
            self.store.close()

    def __getattr__(self, name):
        return getattr(self.store, name)


def wait_for(beat) -> None:
    beat.clear()
    assert beat.wait(PATIENCE)


def test_a_batch_that_takes_longer_than_its_lease_is_learnt_once(live_place, live_store):
    other = live_place.open()
    fill(live_store, search("s1"), search("s2", "bob"))
    now = [0.0]
    second = make_worker(other, clock=lambda: now[0])
    watched = Watched(live_store)

    class Slow(TorchBasedAdjuster):
        def adjust_batch(self, batch):
            for _ in range(5):
                now[0] += 100
                # One that was on its way already may still speak of the time before.
                while not watched.until or watched.until[-1] < now[0]:
                    wait_for(watched.beat)
                assert second.tick(0).is_held
            return super().adjust_batch(batch)

    options = {"lease_seconds": 0.03, "clock": lambda: now[0]}
    report = make_worker(watched, adjuster=Slow(INDEX), **options).tick(0)
    assert (report.counts, report.n_batches) == ({"selected": 2}, 1)
    assert second.tick(0).n_batches == 0
    assert live_store.counts() == {Status.DONE: 2}
    assert live_store.ticks(9) == {0: {"selected": 2}}
    assert live_store.session("s1").attempts == 1
    assert watched.until[-1] == pytest.approx(500.03)
    assert watched.n_open == 0
    other.close()


def test_a_renewed_lease_is_honoured_and_a_silent_one_is_not(live_place, live_store):
    other = live_place.open()
    fill(live_store, search("s1"))
    lease = Lease("first", 0.0, 10.0)
    live_store.claim(lease, 0, 5)
    assert other.renew(lease.renewed(9.0))
    assert other.claim(Lease("second", 18.0, 28.0), 0, 5).is_held
    # It ran out, but nobody has taken the sessions since.
    assert live_store.renew(lease.renewed(30.0))
    assert other.claim(Lease("second", 39.0, 49.0), 0, 5).is_held
    assert len(other.claim(Lease("second", 40.0, 50.0), 0, 5).sessions) == 1
    assert not live_store.renew(lease.renewed(41.0))
    with pytest.raises(LeaseLost):
        live_store.finish(lease, Outcome(0, 0, done={"s1": "selected"}))
    assert other.session("s1").status is Status.PROCESSING
    other.close()


def test_a_lease_is_renewed_from_within_one_compiled_call():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 512)).astype(np.float32)
    batch = FeedbackBatch(
        vectors=rows[:1],
        originals=rows[:1],
        object_offsets=np.array([0, 1]),
        query_vectors=rows,
        query_offsets=np.arange(61),
        term_offsets=np.array([0, 60]),
        term_query=np.arange(60),
        term_clicked=np.ones(60),
        term_unclicked=np.zeros(60),
    )
    slow = AdjusterConfig(num_iterations=10_000, engine="fused")
    adjuster = TorchBasedAdjuster.from_config(SearchIndexInfo(512), slow)
    watched = Watched(None)
    with kept_alive(watched, Lease("x", 0, 1), lambda: 0.0, 0.003):
        wait_for(watched.beat)
        n_before = len(watched.until)
        adjuster.adjust_batch(batch)
        n_within = len(watched.until) - n_before
    assert n_within > 3


def test_a_store_that_does_not_answer_is_asked_again():
    watched = Watched(None, says=[StoreUnavailable("busy"), StoreUnavailable("busy")])
    with kept_alive(watched, Lease("x", 0, 1), lambda: 7.0, 0.003):
        for _ in range(4):
            wait_for(watched.beat)
    assert len(watched.until) >= 4
    assert set(watched.until) == {8.0}
    assert watched.n_open == 0


def test_a_short_batch_opens_no_connection():
    watched = Watched(None)
    with kept_alive(watched, Lease("x", 0, 1), lambda: 0.0, 300.0):
        pass
    assert watched.until == []
    assert watched.n_open == 0


def test_what_a_batch_raises_is_raised():
    watched = Watched(None)
    with pytest.raises(KeyError), kept_alive(watched, Lease("x", 0, 1), lambda: 0.0, 0.003):
        raise KeyError("x")
