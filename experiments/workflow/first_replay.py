"""The first replay of a process, which may have to compile the kernel."""

from contextlib import AbstractContextManager

from adjuster.fused_engine.jit import is_compiled
from adjuster.fused_engine.stream_loop import run_range
from experiments.common.steps import Advance, step

COMPILING = "Compiling the kernel, once: about 10 s"


def first_replay(what: str) -> AbstractContextManager[Advance]:
    """A step that replays, and says so where the kernel must be compiled for it.

    Args:
        what: What it is for, in words.
    """
    return step(what, quiet=True) if is_compiled(run_range) else step(COMPILING)
