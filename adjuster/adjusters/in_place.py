"""Adjusting a host's vectors straight from its tensors, its answer made meanwhile."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.adjusters.answers import Answers, no_collection
from adjuster.adjusters.kept_memory import KeptMemory
from adjuster.config import AdjusterConfig
from adjuster.feedback import ScatteredBatch
from adjuster.host_batch import HostFeedback

DTYPES: dict[torch.dtype, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
}


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

    The kernel reads the host's tensors where they lie, and runs while others are read and the
    copies are made.

    Args:
        feedback: The sessions.
        config: The adjuster's settings.
        kept: Where the memory of the new vectors comes from.

    Returns:
        None if not all vectors can be read in place.

    Raises:
        ValueError: As `build_batch`.
    """
    from adjuster.fused_engine.batch import adjust_batch, adjusting_scattered

    begun: list[_Begun] = []
    with ExitStack() as threads:
        with no_collection():
            for part in feedback.parts():
                if part is feedback:  # which all that has begun is in
                    threads.close()
                    begun.clear()
                batch = part.scattered(addresses_of)
                if batch is None or (begun and begun[-1].batch.dtype != batch.dtype):
                    return None
                memory = kept.take(batch.shape, batch.dtype)
                adjusting = adjusting_scattered(batch, feedback.index, config, memory)
                begun.append(_Begun(part, batch, memory, threads.enter_context(adjusting)))
            answers = [one.answers() for one in begun]
        for one in begun:
            if not one.is_computed():
                adjust_batch(one.feedback.gathered(), feedback.index, config, out=one.memory)
    return [session for answer in answers for session in answer.fill()]


class _Begun(NamedTuple):
    """Sessions that are being adjusted, where their vectors go, and what says if they could be."""

    feedback: HostFeedback
    batch: ScatteredBatch
    memory: NDArray[np.floating]
    is_computed: Callable[[], bool]

    def answers(self) -> Answers:
        shown, offsets = self.feedback.shown, self.batch.object_offsets
        return Answers(
            self.feedback.sessions, shown, offsets, self.memory, alike=self.batch.is_alike
        )
