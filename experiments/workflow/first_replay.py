"""The first replay of a process, which may have to compile the kernel."""

from contextlib import AbstractContextManager

from adjuster.fused_engine.jit import is_compiled
from adjuster.fused_engine.stream_loop import run_range
from experiments.common.steps import Advance, step

SECONDS = 10
COMPILING = f"Compiling the kernel, once: about {SECONDS} s"


def first_replay(
    what: str, total: int | None = None, *, quiet: bool = True
) -> AbstractContextManager[Advance]:
    """A step that replays, and says so where the kernel must be compiled for it.

    Args:
        what: What it is for, in words.
        total: How many replays it takes; None for one that is over soon.
        quiet: No line where there is no terminal and nothing to compile.
    """
    if is_compiled(run_range):
        return step(what, total, quiet=quiet)
    if total is None:
        return step(COMPILING, seconds=SECONDS)
    return step(f"{what}. {COMPILING}", total)
