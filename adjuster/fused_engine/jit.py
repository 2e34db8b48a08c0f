"""Compiling the kernel: cached on disk where that works, compiled anew where it does not."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching

from adjuster.fused_engine.inlining import InlinedCompiler

F = TypeVar("F", bound=Callable[..., Any])


def compiled(*, inline: bool = False) -> Callable[[F], F]:
    """Compile a function without the interpreter lock, and keep the machine code on disk.

    A cache folder that cannot be found or written costs a recompilation, never an error.

    Args:
        inline: Only ever called by compiled code, which takes it in: it has no machine code of its
            own.
    """

    def decorate(function: F) -> F:
        # Without Numba's run time there is no counting of references, which is atomic and costs
        # as much as the arithmetic of a part; in return compiled code allocates nothing. Without
        # fast mathematics every operation rounds by itself, whichever version of a loop the
        # compiler picks by addresses and strides; sums over D are written out in `lanes`.
        options: dict[str, Any] = {
            "nogil": True,
            "fastmath": False,
            "error_model": "numpy",
            "_nrt": False,
            "no_cfunc_wrapper": True,
        }
        if inline:
            options |= {"forceinline": True, "no_cpython_wrapper": True}
            return cast(F, numba.njit(pipeline_class=InlinedCompiler, **options)(function))
        dispatcher = numba.njit(**options)(function)
        try:
            dispatcher.enable_caching()
        except (RuntimeError, OSError):
            return cast(F, dispatcher)
        dispatcher._cache = _ForgivingCache(function)
        return cast(F, dispatcher)

    return decorate


def is_compiled(function: Callable[..., Any]) -> bool:
    """Whether machine code of a compiled function is at hand: in this process, or on disk.

    Args:
        function: One that `compiled` made, with an entry of its own on disk.
    """
    dispatcher = cast(Any, function)
    try:
        if dispatcher.signatures:
            return True
        kept = dispatcher._cache._cache_file._load_index()
    except (AttributeError, OSError):
        return False
    return any(key[-1] == _source_digest() for key in kept)


class _ForgivingCache(caching.FunctionCache):
    """Numba's cache, but a folder that fails on reading or writing is as good as empty.

    Numba looks only at the file of the function itself; here any change to the compiled code it
    calls counts too.
    """

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), _source_digest())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except OSError:
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()


@cache
def _source_digest() -> str:
    """SHA-256 of every module with compiled code."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
