"""The improvement worker over a store, tick by tick."""

import numpy as np
import pytest

from adjuster import NoAdjustment, PublishedAdjuster, SelectionConfig, TorchBasedAdjuster
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.records import Copy, Event, Query, Status
from adjuster.live.storage.store import Outcome, StoreUnavailable
from tests.adjuster.live.small_shop import INDEX, Shelf, all_copies, fill, make_worker, search


def statuses(store, *names):
    return [store.session(name).status for name in names]


def test_a_tick_takes_pending_sessions_and_leaves_copies(live_store):
    fill(live_store, search("s1"))
    report = make_worker(live_store).tick(0)
    assert (report.counts, report.n_batches, report.is_held) == ({"selected": 1}, 1, False)
    found = live_store.session("s1")
    assert (found.status, found.reason, found.attempts) == (Status.DONE, "selected", 1)
    assert {pair[1] for pair in all_copies(live_store)} == set("abcd")
    assert live_store.ticks(1) == {0: {"selected": 1}}


def test_originals_are_never_written(live_store):
    index = Shelf()
    before = {name: rows.copy() for name, rows in index.rows.items()}
    fill(live_store, search("s1"), search("s2", "bob"))
    make_worker(live_store, index=index).tick(0)
    for name, rows in before.items():
        np.testing.assert_array_equal(index.rows[name], rows)
        assert live_store.owner_copies(0, "ann")[name].tobytes() != rows.tobytes()


@pytest.mark.parametrize("memory", ["carry", "restart", "refit"])
def test_what_an_owner_gets_does_not_depend_on_who_else_is_in_the_batch(
    live_place, live_store, memory
):
    alone = live_place.beside("alone").open()
    fill(alone, search("s1", "ann"))
    fill(live_store, search("s0", "bob"), search("s1", "ann"), clicks={"s0": "d"})
    make_worker(alone, memory=memory).tick(0)
    make_worker(live_store, memory=memory).tick(0)
    assert all_copies(alone, ["ann"]) == all_copies(live_store, ["ann"])
    assert all_copies(live_store, ["bob"])
    alone.close()


def test_memories_differ_from_the_second_batch_on(live_place):
    found = {}
    for memory in ("carry", "restart", "refit"):
        store = live_place.beside(memory).open()
        fill(store, search("s1"))
        fill(store, search("s2"), clicks={"s2": "b"}, marked_at=5)
        worker = make_worker(store, memory=memory)
        worker.tick(0)
        first = all_copies(store)
        # Another worker, as after a restart: what is remembered is in the store.
        make_worker(store, memory=memory).tick(5)
        found[memory] = first, all_copies(store)
        store.close()
    assert found["carry"][0] == found["restart"][0] == found["refit"][0]
    assert len({str(after) for _, after in found.values()}) == 3


def test_restart_learns_as_if_nothing_had_been_before(live_place, live_store):
    fresh = live_place.beside("fresh").open()
    fill(fresh, search("s2"), clicks={"s2": "b"})
    make_worker(fresh, memory="restart").tick(0)
    fill(live_store, search("s1"))
    make_worker(live_store, memory="restart").tick(0)
    fill(live_store, search("s2"), clicks={"s2": "b"}, marked_at=5)
    make_worker(live_store, memory="restart").tick(5)
    assert all_copies(live_store) == all_copies(fresh)
    fresh.close()


def test_what_cannot_be_learnt_fails_alone(live_store):
    lost = search("lost", shown="az")
    broken = search("broken", query=Query("nan", np.full((1, 3), np.nan, np.float32)))
    fill(live_store, search("good"), lost, broken, search("also good", "bob"))
    report = make_worker(live_store).tick(0)
    assert report.counts == {"selected": 2, "failed": 2}
    assert statuses(live_store, "good", "also good") == [Status.DONE] * 2
    assert statuses(live_store, "lost", "broken") == [Status.FAILED] * 2
    assert report.failures == {
        "lost": "object 'z' is not in the index.",
        "broken": "query 'nan': its vector must be finite, got NaN or infinity.",
    }
    assert live_store.session("lost").reason == report.failures["lost"]
    assert live_store.ticks(1) == {0: {"failed": 2, "selected": 2}}


@pytest.mark.parametrize(
    ("vector", "what"),
    [(np.zeros((1, 3)), "must not be zero under cosine"), (np.ones((1, 2)), "must have shape")],
)
def test_an_object_that_cannot_be_compared_fails_its_sessions(live_store, vector, what):
    index = Shelf()
    index.rows["b"] = vector.astype(np.float32)
    fill(live_store, search("s1"), search("s2", shown="acd"))
    report = make_worker(live_store, index=index).tick(0)
    assert report.counts == {"selected": 1, "failed": 1}
    assert f"object 'b': its vector {what}" in report.failures["s1"]


def test_a_session_that_the_adjuster_refuses_fails_alone(live_store):
    broken = search("bad", query=Query("nan", np.full((1, 3), np.nan, np.float32)))
    fill(live_store, search("good"), broken)
    report = make_worker(live_store, adjuster=PublishedAdjuster(INDEX, 0.01, 3)).tick(0)
    assert statuses(live_store, "good", "bad") == [Status.DONE, Status.FAILED]
    assert "session 'bad'" in report.failures["bad"]
    assert all_copies(live_store)


class Breaking(TorchBasedAdjuster):
    """Fails at its second batch."""

    def __init__(self, fault):
        super().__init__(INDEX)
        self.fault, self.n_calls = fault, 0

    def adjust_batch(self, batch):
        self.n_calls += 1
        if self.n_calls == 2:
            raise self.fault
        return super().adjust_batch(batch)


@pytest.mark.parametrize(("fault", "attempts"), [(KeyboardInterrupt(), 0), (OSError("disk"), 1)])
def test_what_interrupts_a_batch_leaves_its_sessions_pending(live_store, fault, attempts):
    fill(live_store, *(search(f"s{i}") for i in range(4)))
    worker = make_worker(live_store, adjuster=Breaking(fault), batch_size=2)
    with pytest.raises(type(fault)):
        worker.tick(0)
    assert statuses(live_store, "s0", "s1", "s2", "s3") == [Status.DONE] * 2 + [Status.PENDING] * 2
    assert live_store.session("s2").attempts == attempts
    assert live_store.session("s2").reason.startswith(type(fault).__name__)
    assert worker.tick(1).counts == {"selected": 2}
    assert live_store.counts() == {Status.DONE: 4}


def test_a_store_that_cannot_be_written_is_no_sessions_fault(live_store, monkeypatch):
    fill(live_store, search("s"))
    worker = make_worker(live_store)

    def full(*given):
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(live_store, "finish", full)
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                worker.tick(0)
    assert live_store.session("s").status is Status.PENDING
    assert worker.tick(0).counts == {"selected": 1}


def test_what_could_not_be_let_go_of_is_let_go_of_at_the_next_tick(live_store, monkeypatch):
    fill(live_store, search("s"))
    worker = make_worker(live_store, clock=lambda: 0.0)

    def gone(*given, **more):
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(live_store, "finish", gone)
        patched.setattr(live_store, "release", gone)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                worker.tick(0)
    assert live_store.session("s").status is Status.PROCESSING
    assert worker.tick(0).counts == {"selected": 1}


def test_what_ends_every_batch_fails_alone_after_three_attempts(live_store):
    class Hostile(TorchBasedAdjuster):
        def adjust_batch(self, batch):
            if batch.n_objects in (1, 5):
                raise MemoryError("too large")
            return super().adjust_batch(batch)

    fill(live_store, search("bad", "bob", "a"), search("good"))
    worker = make_worker(live_store, adjuster=Hostile(INDEX))
    for tick in range(3):
        with pytest.raises(MemoryError):
            worker.tick(tick)
    assert live_store.session("bad").status is Status.FAILED
    assert live_store.session("bad").reason == "given up after 3 attempts: MemoryError: too large"
    assert worker.tick(3).counts == {"selected": 1}
    assert live_store.session("good").status is Status.DONE


def test_a_batch_is_filled_up_in_place_of_sessions_that_are_not_used(live_store):
    sessions = [search(f"s{i}") for i in range(7)]
    fill(live_store, *sessions, clicks={"s1": "", "s2": "", "s4": ""})
    sizes = []

    class Counting(TorchBasedAdjuster):
        def adjust_batch(self, batch):
            sizes.append(batch.term_clicked.sum())
            return super().adjust_batch(batch)

    report = make_worker(live_store, adjuster=Counting(INDEX), batch_size=3).tick(0)
    assert report.counts == {"selected": 4, "too_few_clicks": 3}
    assert sizes == [3.0, 1.0]


def test_sessions_wait_until_they_are_marked(live_store):
    fill(live_store, search("early"), marked_at=5)
    fill(live_store, search("late"), marked_at=50)
    worker = make_worker(live_store)
    assert worker.tick(4).counts == {}
    assert worker.tick(5).counts == {"selected": 1}
    assert live_store.session("late").status is Status.PENDING


def test_clicks_after_the_tick_do_not_count(live_store):
    live_store.register([search("s")])
    live_store.add_events([Event("e", "s", "a", 9)])
    live_store.mark(["s"], 5)
    assert make_worker(live_store).tick(8).counts == {"too_few_clicks": 1}


def test_rejected_sessions_are_done_with_their_reason(live_store):
    fill(
        live_store,
        *(search(name) for name in ("few", "many", "short", "irrelevant", "fine")),
        clicks={"few": "", "many": "abc"},
    )
    for name in ("fine", "irrelevant", "many"):
        live_store.add_events([Event("last", name, "a", 60)])
    live_store.mark_irrelevant("irrelevant")
    rule = SelectionConfig(max_clicks=2, min_duration_seconds=10)
    report = make_worker(live_store, selection=rule).tick(60)
    assert report.counts == {
        "too_few_clicks": 1,
        "too_many_clicks": 1,
        "too_short": 1,
        "irrelevant": 1,
        "selected": 1,
    }
    assert live_store.session("many").reason == "too_many_clicks"
    assert live_store.counts() == {Status.DONE: 5}


def test_an_adjuster_that_changes_nothing_makes_no_copies(live_store):
    fill(live_store, search("s1"))
    make_worker(live_store, adjuster=NoAdjustment(INDEX)).tick(0)
    assert all_copies(live_store) == {}
    assert live_store.session("s1").status is Status.DONE


def test_a_second_worker_stands_by_and_takes_over_what_is_left(live_place, live_store):
    other = live_place.open()
    fill(live_store, *(search(f"s{i}") for i in range(4)))
    now = [0.0]
    held = []
    second = make_worker(other, lease_seconds=5, clock=lambda: now[0])

    class Watched(TorchBasedAdjuster):
        def adjust_batch(self, batch):
            held.append(second.tick(0))
            return super().adjust_batch(batch)

    first = make_worker(live_store, adjuster=Watched(INDEX), batch_size=2, clock=lambda: now[0])
    first.tick(0)
    assert [(report.is_held, report.n_batches) for report in held] == [(True, 0)] * 2
    assert live_store.counts() == {Status.DONE: 4}
    other.close()


def test_who_was_silent_for_too_long_writes_nothing_and_goes_on(live_place, live_store):
    other = live_place.open()
    fill(live_store, search("s1"), search("s2"))
    now = [0.0]
    second = make_worker(other, clock=lambda: now[0])

    class Slow(TorchBasedAdjuster):
        def adjust_batch(self, batch):
            now[0] += 10_000
            assert second.tick(0).counts == {"selected": 2}
            return super().adjust_batch(batch)

    options = {"lease_seconds": 5_000, "clock": lambda: now[0]}
    report = make_worker(live_store, adjuster=Slow(INDEX, 0.5), **options).tick(0)
    assert (report.counts, report.n_batches, report.is_held) == ({}, 0, True)
    assert live_store.ticks(9) == {0: {"selected": 2}}
    alone = live_place.beside("alone").open()
    fill(alone, search("s1"), search("s2"))
    make_worker(alone).tick(0)
    assert all_copies(alone) == all_copies(live_store)
    alone.close()
    other.close()


def test_a_worker_that_is_told_to_stop_finishes_its_batch(live_store):
    fill(live_store, *(search(f"s{i}") for i in range(4)))

    class Stopping(TorchBasedAdjuster):
        def adjust_batch(self, batch):
            worker.stop()
            return super().adjust_batch(batch)

    worker = make_worker(live_store, adjuster=Stopping(INDEX), batch_size=2)
    assert worker.tick(0).counts == {"selected": 2}
    assert live_store.counts() == {Status.DONE: 2, Status.PENDING: 2}
    assert worker.tick(0).n_batches == 0


def test_a_copy_of_another_shape_than_its_original_fails_the_session(live_store):
    live_store.finish(
        new_lease(0, 1), Outcome(0, 0, copies=[Copy("ann", "b", np.ones((2, 3), np.float32))])
    )
    fill(live_store, search("s1"), search("s2", "bob"))
    report = make_worker(live_store).tick(0)
    assert report.counts == {"selected": 1, "failed": 1}
    assert "shape (1, 3), got (2, 3). A changed index" in report.failures["s1"]


def test_bad_settings_are_named(live_store):
    with pytest.raises(ValueError, match="batch_size must be >= 1 session, got 0"):
        make_worker(live_store, batch_size=0)
    with pytest.raises(ValueError, match="refit needs a BatchAdjuster, got NoAdjustment"):
        make_worker(live_store, adjuster=NoAdjustment(INDEX), memory="refit")
    with pytest.raises(ValueError, match="memory must be one of carry, restart, refit, got 'x'"):
        make_worker(live_store, memory="x")
    with pytest.raises(ValueError, match="lease_seconds must be > 0, got 0"):
        make_worker(live_store, lease_seconds=0)
