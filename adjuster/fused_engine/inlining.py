"""Compiling functions that only compiled code calls: translated by themselves, optimised in it.

Numba optimises every function and makes machine code of it, with everything that it calls inside.
Here each function goes wholly into its callers, so that a function at depth ten would be
optimised ten times and its machine code never run. What this module leaves out is most of a
kernel's compilation; the kernel is as fast either way.
"""

from typing import Any

from numba.core import codegen, compiler, typed_passes
from numba.core.compiler_machinery import register_pass


class _LinkedCode(codegen.JITCodeLibrary):
    """Code that waits to be linked into its callers, which optimise it."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(typed_passes.NativeLowering):
    """Numba's lowering, without machine code."""

    _name = "lowering_to_be_inlined"

    def run_pass(self, state: Any) -> bool:
        name = state.func_id.func_qualname
        state.library = _LinkedCode(state.targetctx.codegen(), name)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        # Numba finds compiled code by the built-in method that Python would call: another one for
        # each. Here it fails, whatever it is given: the name that it misses is what is wrong.
        refusal = f"{{{state.func_id.func_name} can be called by compiled code alone}}".format
        state.targetctx.insert_user_function(refusal, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=refusal)
        return True


class InlinedCompiler(compiler.CompilerBase):
    """Numba's compiler for functions whose callers are compiled, and inline them."""

    def define_pipelines(self) -> list[Any]:
        """The passes of a function, as Numba asks for them."""
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (_Lowering if one is typed_passes.NativeLowering else one, what)
            for one, what in passes.passes
        ]
        passes.finalize()
        return [passes]
