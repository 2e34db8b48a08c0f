"""Adjusting a host's vectors straight from its tensors, its answer made meanwhile."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.adjusters.answers import Answers, no_collection
from adjuster.adjusters.kept_memory import KeptMemory
from adjuster.config import AdjusterConfig
from adjuster.host_batch import HostFeedback

DTYPES: dict[torch.dtype, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
}
FEWEST_OBJECTS = 64
"""Below this, starting a thread takes longer than making the answer."""


def addresses_of(vectors: Sequence[Any]) -> tuple[NDArray[np.int64], np.dtype[Any]] | None:
    """Where vectors begin in memory, and their type.

    Args:
        vectors: Each of shape ``(parts, D)``.

    Returns:
        None if any is no plain tensor on the CPU with its rows one after the other, if they are not
        all float32 or all float64, or if D is 1: only then could a view that negates look plain.

    Example:
        >>> tensor = torch.zeros(2, 3)
        >>> (address,), dtype = addresses_of([tensor])
        >>> int(address) == tensor.data_ptr(), str(dtype)
        (True, 'float32')
        >>> addresses_of([tensor.T]) is None
        True
    """
    if set(map(type, vectors)) != {torch.Tensor} or vectors[0].shape[1] == 1:
        return None
    (dtype, *others) = {vector.dtype for vector in vectors}
    if others or dtype not in DTYPES or {vector.is_cpu for vector in vectors} != {True}:
        return None
    if not all(map(torch.Tensor.is_contiguous, vectors)):
        return None
    addresses = map(torch.Tensor.data_ptr, vectors)
    return np.fromiter(addresses, np.int64, len(vectors)), DTYPES[dtype]


def adjust_in_place(
    feedback: HostFeedback, config: AdjusterConfig, kept: KeptMemory
) -> list[Any] | None:
    """Copies of sessions with the vectors that the kernel gives them.

    The kernel reads the host's tensors where they lie, and runs while the copies are made.

    Args:
        feedback: The sessions.
        config: The adjuster's settings.
        kept: Where the memory of the new vectors comes from.

    Returns:
        None if not all vectors can be read in place.

    Raises:
        ValueError: As `build_batch`.
    """
    from adjuster.fused_engine.batch import adjust_batch, adjust_scattered

    with ThreadPoolExecutor(1) as thread:
        with no_collection():
            batch = feedback.scattered(addresses_of)
            if batch is None:
                return None
            memory = kept.take(batch.shape, batch.dtype)
            adjust = partial(adjust_scattered, batch, feedback.index, config, memory)
            computing = _begin(thread, adjust) if batch.n_objects >= FEWEST_OBJECTS else None
            answers = Answers(
                feedback.sessions,
                feedback.shown,
                batch.object_offsets,
                memory,
                alike=batch.is_alike,
            )
        is_computed = computing.result() if computing else adjust()
    if not is_computed:
        adjust_batch(feedback.gathered(), feedback.index, config, out=memory)
    return answers.fill()


def _begin(thread: ThreadPoolExecutor, adjust: Callable[..., bool]) -> Future[bool]:
    """Have a batch adjusted by a thread, and wait until it does without Python.

    Threads that are still to start wait for us otherwise, the switch interval's 5 ms at every step.
    """
    begun = Event()
    computing = thread.submit(adjust, begun=begun.set)
    computing.add_done_callback(lambda _: begun.set())
    begun.wait()
    return computing
