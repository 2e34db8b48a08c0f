"""Ranges of items: each is taken once, by any thread, and no error or thread is lost."""

import os
import threading

import numpy as np
import pytest

from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.threads import FEWEST_ITEMS, next_range, run_chunks, shared, usable_cores


@compiled()
def count_items(ranges, seen):
    """Count each item of all ranges that are left; returns how many ranges there were."""
    n_ranges = 0
    lo, hi = next_range(ranges)
    while lo < hi:
        n_ranges += 1
        for item in range(lo, hi):
            seen[item] += 1
        lo, hi = next_range(ranges)
    return n_ranges


@pytest.mark.parametrize("n_items", [0, 1, 2, 7, 1000])
def test_ranges_cover_every_item_once(n_items):
    seen = []
    costs = np.random.default_rng(0).random(n_items)
    run_chunks(lambda lo, hi: seen.extend(range(lo, hi)), costs, 3)
    assert sorted(seen) == list(range(n_items))


def test_an_error_in_a_range_reaches_the_caller():
    def fail(lo, hi):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_chunks(fail, np.ones(100), 2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no cores")
def test_a_process_bound_to_one_core_starts_no_threads():
    """Two processes on two cores do not wait for each other's threads."""
    allowed = os.sched_getaffinity(0)
    threads = set()
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_cores() == 1
        run_chunks(lambda lo, hi: threads.add(threading.get_ident()), np.ones(1000))
    finally:
        os.sched_setaffinity(0, allowed)
    assert threads == {threading.get_ident()}
    assert usable_cores() == len(allowed)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_items", [0, 1, FEWEST_ITEMS - 1, FEWEST_ITEMS, 3000])
def test_each_shared_item_is_worked_on_once(n_items, n_threads):
    seen = np.zeros(n_items, np.int64)
    counts = []

    def work(ranges, begun):
        begun()
        counts.append(count_items(ranges, seen))

    costs = np.random.default_rng(1).random(n_items)
    with shared(work, costs, n_threads) as finish:
        finish()
    assert (seen == 1).all()
    assert len(counts) == (n_threads if n_items >= FEWEST_ITEMS else 1)
    assert sum(counts) <= max(n_items, 1)


def test_others_have_begun_when_the_block_is_entered_and_stop_when_it_is_left():
    threads, may_go_on = [], threading.Event()

    def work(ranges, begun):
        threads.append(threading.get_ident())
        begun()
        may_go_on.wait()
        threads.append(count_items(ranges, np.zeros(FEWEST_ITEMS)))

    def fail():
        with shared(work, np.ones(FEWEST_ITEMS), 2):
            assert len(threads) == 1
            assert threads[0] != threading.get_ident()
            threading.Timer(0.2, may_go_on.set).start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert threads[1] == 0, "nothing was left for it"


@pytest.mark.parametrize("is_mine", [True, False])
@pytest.mark.parametrize("has_begun", [True, False])
def test_an_error_of_any_thread_reaches_the_caller(is_mine, has_begun):
    def work(ranges, begun):
        if has_begun:
            begun()
        if (threading.current_thread() is threading.main_thread()) is is_mine:
            raise ZeroDivisionError
        begun()

    with shared(work, np.ones(FEWEST_ITEMS), 3) as finish, pytest.raises(ZeroDivisionError):
        finish()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no cores")
def test_a_process_bound_to_one_core_shares_nothing():
    allowed, threads = os.sched_getaffinity(0), []
    try:
        os.sched_setaffinity(0, {min(allowed)})
        with shared(lambda *_: threads.append(threading.get_ident()), np.ones(1000)) as finish:
            finish()
    finally:
        os.sched_setaffinity(0, allowed)
    assert threads == [threading.get_ident()]
