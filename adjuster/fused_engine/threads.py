"""Ranges of items of about equal cost, and the threads that work on them.

No range reads what another writes, so a result does not depend on who takes which, nor on how many
threads there are.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Semaphore
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from adjuster.fused_engine.jit import compiled

RANGES_PER_THREAD = 8
FEWEST_ITEMS = 64
"""Below this, starting threads takes longer than the work."""

SHARED_PER_THREAD = 64
"""Ranges that are taken without Python cost nothing, so that they may be small: the last one is
what the others wait for."""


class Ranges(NamedTuple):
    """Ranges of items, the next of which goes to whichever thread asks first.

    Args:
        cuts: Shape ``(n_ranges + 1,)``: range r is ``cuts[r]:cuts[r + 1]``.
        taken: Shape ``(1,)``: how many were asked for.
    """

    cuts: NDArray[np.int64]
    taken: NDArray[np.int64]


Work = Callable[[Ranges, Callable[[], None]], None]
"""Works on one range after the other until none is left; calls what it is given when compiled code
is about to run: until then a thread needs Python's lock."""


@intrinsic
def _count_up(typing_context, numbers):
    """Add one to an array's first number, as one step for all threads; what it was before."""

    def make(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        one = context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", array.data, one, "monotonic")

    return types.int64(numbers), make


@compiled(inline=True)
def next_range(ranges):
    """The bounds of a range that no other thread has; both 0 where none is left."""
    number = _count_up(ranges.taken)
    if number >= ranges.cuts.shape[0] - 1:
        return 0, 0
    return ranges.cuts[number], ranges.cuts[number + 1]


@contextmanager
def shared(
    work: Work, costs: NDArray[np.number], n_threads: int = 0
) -> Iterator[Callable[[], None]]:
    """Have threads work on items while the block does something else.

    Args:
        work: What all of them do, the caller's thread too once the block calls.
        costs: Shape ``(n_items,)``.
        n_threads: With the caller's; 0 is one a core.

    Yields:
        To be called once: works on what is left, and comes back when all is done. An error of any
        thread is raised there. Without that call, threads stop after the range they are at.
    """
    n_threads = (n_threads or usable_cores()) if len(costs) >= FEWEST_ITEMS else 1
    n_ranges = n_threads * SHARED_PER_THREAD if n_threads > 1 else 1
    ranges = Ranges(_cuts(costs, n_ranges), np.zeros(1, np.int64))
    begun = Semaphore(0)
    with ThreadPoolExecutor(n_threads) as pool:
        others = [pool.submit(work, ranges, begun.release) for _ in range(n_threads - 1)]

        def finish() -> None:
            work(ranges, begun.release)
            for other in others:
                other.result()

        try:
            for other in others:
                other.add_done_callback(lambda _: begun.release())
            # Threads that are still to begin would wait for Python's lock at every step, each time
            # for the switch interval's 5 ms.
            for _ in others:
                begun.acquire()
            yield finish
        finally:
            ranges.taken[0] = len(ranges.cuts)


def run_chunks(
    run: Callable[[int, int], None], costs: NDArray[np.number], n_threads: int = 0
) -> None:
    """Call ``run(lo, hi)`` over ranges of about equal cost that cover all items, on all cores."""
    n_threads = n_threads or usable_cores()
    if n_threads == 1 or len(costs) < FEWEST_ITEMS:
        if len(costs):
            run(0, len(costs))
        return
    cuts = _cuts(costs, n_threads * RANGES_PER_THREAD)
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(run, cuts[:-1].tolist(), cuts[1:].tolist()):
            pass


def _cuts(costs: NDArray[np.number], most: int) -> NDArray[np.int64]:
    """Where to cut items into at most so many ranges of about equal cost, with both ends."""
    if most == 1:
        return np.array([0, len(costs)])
    total = np.cumsum(costs + 1.0)
    targets = np.linspace(0, total[-1], most + 1)[1:-1]
    return np.unique(np.concatenate([[0], np.searchsorted(total, targets), [len(costs)]]))


def usable_cores() -> int:
    """Cores that this process may run on; all of the machine's where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
