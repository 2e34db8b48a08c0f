"""Work that keeps a core busy, spread over processes that each stay on a core of their own."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from multiprocessing.queues import Queue
from typing import Any, TypeVar

from adjuster.fused_engine.threads import usable_cores

T = TypeVar("T")


def one_a_core(work: Callable[..., T], jobs: Sequence[tuple[Any, ...]]) -> Iterator[T]:
    """Do all jobs, as many at a time as there are cores.

    No two processes wait for each other's threads, so that one that is told to use all of its
    cores uses one.

    Args:
        work: A function of a module.
        jobs: Its arguments, a tuple a call.

    Yields:
        What it returned, as it comes.
    """
    context = get_context("spawn")
    n_cores = usable_cores()
    turns: Queue[int] = context.Queue()
    for turn in range(n_cores):
        turns.put(turn)
    with ProcessPoolExecutor(n_cores, context, _stay_on_one, (turns,)) as pool:
        for done in as_completed([pool.submit(work, *job) for job in jobs]):
            yield done.result()


def _stay_on_one(turns: "Queue[int]") -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[turns.get()]})
