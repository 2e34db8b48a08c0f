"""When a live worker ticks: at the multiples of its interval, as in the replay."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from adjuster.live.learning.worker import TickReport
from adjuster.live.storage.store import StoreUnavailable
from adjuster.ticks import tick_after

STANDBY_SECONDS = 1.0
"""How often a worker looks again while another one is at work, or the store does not answer."""


class Ticking(Protocol):
    """A worker, as its schedule sees it."""

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""

    def tick(self, now: int) -> TickReport:
        """See `ImprovementWorker.tick`."""

    def wait(self, seconds: float) -> None:
        """Wait for at most so long, or until it is told to stop."""


def run_once(worker: Ticking, clock: Callable[[], float] = time.time) -> TickReport:
    """One tick, now.

    Args:
        worker: The worker.
        clock: Epoch seconds.
    """
    return worker.tick(int(clock()))


def iter_ticks(
    worker: Ticking,
    interval_seconds: Callable[[], int],
    clock: Callable[[], float] = time.time,
) -> Iterator[tuple[int, TickReport]]:
    """Tick at every interval until the worker is told to stop.

    A tick that comes late still takes what was marked by its own time, so that what is learnt
    together does not depend on how busy the machine is. While another worker is at work, this one
    stands by, and goes on with what is left if that one is gone.

    Args:
        worker: The worker.
        interval_seconds: Seconds between ticks, asked for anew each time; 0 looks every second.
        clock: Epoch seconds.

    Yields:
        Each tick's time, and what it did.
    """
    interval = interval_seconds()
    tick = _next_tick(clock(), interval)
    while not worker.is_stopping:
        if (asked := interval_seconds()) != interval:
            interval = asked
            tick = _next_tick(clock(), interval)
        if (left := tick - clock()) > 0:
            worker.wait(left)
            continue
        report = _try_tick(worker, tick)
        if report.n_batches or not report.is_held:
            yield tick, report
        if report.is_held or report.fault:
            worker.wait(STANDBY_SECONDS)
        else:
            tick = _next_tick(max(clock(), tick + 1), interval)


def _try_tick(worker: Ticking, tick: int) -> TickReport:
    try:
        return worker.tick(tick)
    except StoreUnavailable as error:
        return TickReport(fault=str(error))


def _next_tick(now: float, interval_seconds: int) -> int:
    """The first tick at or after a time."""
    whole_second = np.array([np.ceil(now)], np.int64)
    return int(tick_after(whole_second, interval_seconds)[0])
