"""When a live worker ticks: a clock of the test's own, and a worker that writes down its ticks."""

import pytest

from adjuster.live.learning.scheduler import iter_ticks, run_once
from adjuster.live.learning.worker import TickReport
from adjuster.live.storage.store import StoreUnavailable


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class Ticking:
    """Each tick takes so many seconds, and says what it is told to say."""

    def __init__(self, clock, seconds=0.0, says=()):
        self.clock, self.seconds, self.says = clock, seconds, list(says)
        self.ticks, self.is_stopping = [], False

    def wait(self, seconds):
        self.clock.now += seconds

    def tick(self, now):
        assert now <= self.clock()
        self.ticks.append(now)
        self.clock.now += self.seconds
        said = self.says.pop(0) if self.says else TickReport()
        if isinstance(said, Exception):
            raise said
        return said


def first_ticks(worker, clock, interval, n):
    ticks = iter_ticks(worker, lambda: interval, clock)
    return [next(ticks) for _ in range(n)]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, [60, 120, 180]), (59.0, [60, 120, 180]), (130.0, [60, 240, 420])],
)
def test_ticks_come_at_multiples_of_the_interval(seconds, expected):
    clock = Clock(12.5)
    worker = Ticking(clock, seconds)
    assert [tick for tick, _ in first_ticks(worker, clock, 60, 3)] == expected


def test_an_interval_of_zero_looks_every_second():
    clock = Clock(12.5)
    worker = Ticking(clock)
    assert [tick for tick, _ in first_ticks(worker, clock, 0, 3)] == [13, 14, 15]


def test_while_another_is_at_work_the_same_tick_is_tried_again():
    clock = Clock(60)
    left = TickReport(n_batches=1, is_held=True)
    worker = Ticking(clock, says=[TickReport(is_held=True), left, TickReport()])
    found = first_ticks(worker, clock, 60, 2)
    assert [tick for tick, _ in found] == [60, 60]
    assert found[0][1] is left
    assert worker.ticks == [60, 60, 60]


def test_a_store_that_does_not_answer_is_told_and_asked_again():
    clock = Clock(60)
    worker = Ticking(clock, says=[StoreUnavailable("no disk"), TickReport(n_batches=2)])
    found = first_ticks(worker, clock, 60, 2)
    assert [report.fault for _, report in found] == ["no disk", ""]
    assert worker.ticks == [60, 60]


def test_a_worker_that_is_told_to_stop_ticks_no_more():
    clock = Clock(60)
    worker = Ticking(clock)
    ticks = iter_ticks(worker, lambda: 60, clock)
    next(ticks)
    worker.is_stopping = True
    assert list(ticks) == []
    assert worker.ticks == [60]


def test_a_new_interval_counts_from_when_it_is_known():
    clock, intervals = Clock(10), [3600]
    worker = Ticking(clock)
    worker.wait = lambda seconds: (intervals.append(15), setattr(clock, "now", clock.now + 10))
    ticks = iter_ticks(worker, lambda: intervals[-1], clock)
    assert [next(ticks)[0] for _ in range(2)] == [30, 45]


def test_one_tick_now():
    worker = Ticking(Clock(61.9))
    run_once(worker, worker.clock)
    assert worker.ticks == [61]
