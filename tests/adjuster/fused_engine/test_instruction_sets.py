"""A result may depend on the instruction set, and on nothing else of the machine."""

import os
import signal
import subprocess
import sys

import pytest
from llvmlite import binding

HERE = "this machine's own"
"""What the rest of the suite runs on, compiled already."""

NEEDS = {"generic": (), "haswell": ("avx2", "fma"), "znver3": ("avx2", "fma")}
NEEDS["skylake-avx512"] = ("avx512f", "avx512dq", "avx512vl")


def compare(instruction_set, size, folder):
    """Run one instruction set's part of the matrix in a process of its own."""
    here = binding.get_host_cpu_features()
    missing = [feature for feature in NEEDS.get(instruction_set, ()) if not here.get(feature)]
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}: {instruction_set} cannot run")
    made = {
        "NUMBA_CPU_NAME": instruction_set,
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(folder),
    }
    run = subprocess.run(
        [sys.executable, "-m", "tests.adjuster.fused_engine.instruction_sets", size],
        env=os.environ | {"PYTHONPATH": os.getcwd()} | ({} if instruction_set == HERE else made),
        capture_output=True,
        text=True,
    )
    if run.returncode == -signal.SIGILL and instruction_set != "generic":
        pytest.skip(f"this machine cannot execute what is compiled for {instruction_set}")
    assert run.returncode == 0, run.stdout + run.stderr
    n_runs = int(run.stdout.split()[0])
    assert n_runs > 0


@pytest.mark.parametrize("instruction_set", [pytest.param("generic", marks=pytest.mark.slow), HERE])
def test_blocks_threads_and_addresses_change_no_bit(instruction_set, tmp_path):
    compare(instruction_set, "small", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("instruction_set", [*sorted(NEEDS), HERE])
def test_no_bit_changes_at_any_length_and_type(instruction_set, tmp_path):
    compare(instruction_set, "medium", tmp_path)
