"""Many threads' writes in one transaction."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import pytest

from adjuster.live.storage.group_commit import MOST_TOGETHER, GroupCommit
from adjuster.live.storage.records import Event, Status
from adjuster.live.storage.store import StoreUnavailable, UnknownSession
from tests.adjuster.live.small_shop import search


@pytest.fixture
def commits(live_place):
    opened = GroupCommit(live_place.open)
    yield opened
    opened.close()


def held(commits) -> Signal:
    """Keep the writer busy, so that what comes next is written together; returns the key."""
    key, began = Signal(), Signal()

    def wait(store):
        began.set()
        assert key.wait(30)

    commits.submit(wait)
    assert began.wait(30)
    return key


def counted_commits(place):
    """A writer, and the list of the statements that it has run."""
    ran = []

    def opened():
        store = place.open()
        whole = store._run
        store._run = lambda statement, given=(): (ran.append(statement), whole(statement, given))[1]
        return store

    return GroupCommit(opened), ran


def click(i, letter="a"):
    return Event(f"e{i}", "s", letter, i)


def test_what_waits_is_one_transaction(live_place, live_store):
    live_store.register([search("s")])
    commits, ran = counted_commits(live_place)
    key = held(commits)
    answers = [commits.submit(lambda store, i=i: store.add_events([click(i)])) for i in range(40)]
    assert not any(answer.done() for answer in answers)
    key.set()
    assert [answer.result(30) for answer in answers] == [1] * 40
    assert len(live_store.session("s").events) == 40
    # The one that held the writer, and all the others.
    assert ran.count("COMMIT") == 2
    commits.close()


def test_a_requests_fault_is_its_own(commits, live_store):
    live_store.register([search("s")])
    key = held(commits)
    good = commits.submit(lambda store: store.add_events([click(1)]))

    def half(store):
        store.add_events([click(2)])
        store.add_events([click(3), Event("e4", "unknown", "a", 4)])

    bad = commits.submit(half)
    caught = commits.submit(lambda store: store.add_events([click(5), click(6, "z")]))
    last = commits.submit(lambda store: store.register([search("t")]))
    key.set()
    assert (good.result(30), last.result(30)) == (1, 1)
    with pytest.raises(UnknownSession, match="'unknown' is not registered"):
        bad.result(30)
    with pytest.raises(ValueError, match="does not show object 'z'"):
        caught.result(30)
    assert [event.event_id for event in live_store.session("s").events] == ["e1"]
    assert live_store.counts() == {Status.OPEN: 2}


def test_what_the_store_cannot_keep_is_acknowledged_to_nobody(live_place, live_store):
    live_store.register([search("s")])
    opened = []

    def opening():
        opened.append(live_place.open())
        return opened[-1]

    commits = GroupCommit(opening)
    commits.run(lambda store: store.add_events([click(0)]))
    whole = opened[0]._run

    def full(statement, given=()):
        if statement == "COMMIT":
            raise opened[0].UNAVAILABLE[0]("database or disk is full")
        return whole(statement, given)

    opened[0]._run = full
    key = held(commits)
    answers = [commits.submit(lambda store, i=i: store.add_events([click(i)])) for i in (1, 2)]
    key.set()
    for answer in answers:
        with pytest.raises(StoreUnavailable, match="cannot be used now: database or disk is full"):
            answer.result(30)
    assert len(live_store.session("s").events) == 1
    opened[0]._run = whole
    assert commits.run(lambda store: store.add_events([click(1)])) == 1
    assert len(live_store.session("s").events) == 2
    commits.close()


def test_many_threads_lose_nothing(commits, live_store):
    live_store.register([search("s")])
    with ThreadPoolExecutor(16) as pool:
        asked = [
            pool.submit(commits.run, lambda store, i=i: store.add_events([click(i)]))
            for i in range(2 * MOST_TOGETHER)
        ]
        assert sum(answer.result(60) for answer in asked) == 2 * MOST_TOGETHER
    assert len(live_store.session("s").events) == 2 * MOST_TOGETHER


def test_what_waits_is_written_before_it_closes(live_place, live_store):
    live_store.register([search("s")])
    commits = GroupCommit(live_place.open)
    key = held(commits)
    answer = commits.submit(lambda store: store.add_events([click(1)]))
    key.set()
    commits.close()
    assert answer.result(0) == 1
    with pytest.raises(RuntimeError, match="the store is closed"):
        commits.run(lambda store: store.counts())


def test_a_store_that_cannot_be_opened_says_so_and_is_tried_again(live_place, live_store):
    faults = [StoreUnavailable("gone")]

    def opening():
        if faults:
            raise faults.pop()
        return live_place.open()

    commits = GroupCommit(opening)
    with pytest.raises(StoreUnavailable, match="gone"):
        commits.run(lambda store: store.counts())
    assert commits.run(lambda store: store.counts()) == {}
    commits.close()


def test_a_block_within_a_block_fails_alone(live_store):
    live_store.register([search("s")])

    def fail(number):
        with live_store.together():
            live_store.add_events([click(number)])
            raise OSError(f"number {number}")

    with live_store.together():
        live_store.add_events([click(1)])
        with pytest.raises(OSError, match="number 2"):
            fail(2)
    with pytest.raises(OSError, match="number 3"):
        fail(3)
    assert [event.event_id for event in live_store.session("s").events] == ["e1"]
