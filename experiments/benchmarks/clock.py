"""Measuring time and memory."""

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")

WINDOWS, WINDOW_SECONDS = 3, 0.4
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def items_per_second(run: Callable[[T], object], batches: list[T], size: int) -> float:
    """How many items a second a function takes, warmed up: the best of a few short windows.

    Other work on the machine only ever makes a window slower, so the best is the nearest to
    what the code needs. A function that needs longer than all windows together is timed once.

    Args:
        run: Takes one batch.
        batches: Cycled through.
        size: Items in each batch.
    """
    again = cycle(batches)
    run(next(again))
    rates: list[float] = []
    left = WINDOWS * WINDOW_SECONDS
    while not rates or (len(rates) < WINDOWS and left > 0):
        calls, seconds = 0, 0.0
        started = perf_counter()
        while seconds < WINDOW_SECONDS:
            run(next(again))
            calls += 1
            seconds = perf_counter() - started
        rates.append(calls * size / seconds)
        left -= seconds
    return max(rates)


def in_own_process(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a fresh process, whose memory nothing else has touched."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def peak_above_start() -> Iterator[list[int]]:
    """Measure how far the process's memory rises within the block, in bytes.

    Yields:
        A list; after the block it holds the one figure.
    """
    if RESET.exists():
        RESET.write_text("5")
    start = _peak_bytes()
    risen: list[int] = []
    yield risen
    risen.append(_peak_bytes() - start)


def _peak_bytes() -> int:
    """Largest resident set so far; `resource` alone would count a parent's, before ``exec``."""
    if STATUS.exists():
        lines = STATUS.read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
