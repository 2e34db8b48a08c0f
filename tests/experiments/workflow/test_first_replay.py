"""Compiling is announced where it has to be done, and nowhere else."""

import pytest

from adjuster.fused_engine.jit import compiled, is_compiled
from experiments.workflow import first_replay as module
from experiments.workflow.first_replay import COMPILING, first_replay


@compiled()
def doubled(x):
    return 2 * x


def test_a_function_is_compiled_once_it_was_called():
    assert not is_compiled(lambda: None)
    assert doubled(2) == 4
    assert is_compiled(doubled)


@pytest.mark.parametrize(("ready", "told"), [(True, ""), (False, f"{COMPILING} …\n")])
def test_only_a_kernel_that_is_not_there_is_announced(capsys, monkeypatch, ready, told):
    monkeypatch.setattr(module, "is_compiled", lambda function: ready)
    with first_replay("Looking"):
        pass
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(("ready", "told"), [(True, ""), (False, f". {COMPILING}")])
def test_a_long_step_says_that_it_begins_with_compiling(capsys, monkeypatch, ready, told):
    monkeypatch.setattr(module, "is_compiled", lambda function: ready)
    with first_replay("Opening", 3, quiet=False) as advance:
        advance(3)
    assert capsys.readouterr().err == f"Opening{told} …\n"
