"""The package alone: light, and complete."""

import json
import subprocess
import sys

import pytest

import adjuster

HEAVY = ("hydra", "omegaconf", "mlflow", "optuna", "pandas", "pyarrow", "sklearn", "experiments")


def loaded_after(code):
    """Names of the modules that a fresh process holds after running this."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


@pytest.mark.slow
def test_using_every_name_loads_none_of_the_harness():
    loaded = loaded_after("import adjuster\nfor name in adjuster.__all__: getattr(adjuster, name)")
    assert "torch" in loaded
    assert not loaded & set(HEAVY)


def test_reading_settings_does_not_wait_for_torch_or_numba():
    loaded = loaded_after("from adjuster import AdjusterConfig, SearchIndexInfo, SelectionConfig")
    assert not loaded & {"torch", "numba"}


def test_the_kernel_does_not_wait_for_torch():
    loaded = loaded_after("import adjuster.fused_engine.streams")
    assert "numba" in loaded
    assert not loaded & {"torch", *HEAVY}


def test_the_root_knows_numpy_and_none_of_the_engines():
    names = [
        "config",
        "feedback",
        "history",
        "index",
        "losses",
        "ragged",
        "rocchio",
        "scale",
        "selection",
        "terms",
    ]
    loaded = loaded_after("\n".join(f"import adjuster.{name}" for name in names))
    assert "numpy" in loaded
    assert not loaded & {"torch", "numba", *HEAVY}


def test_metrics_import_nothing_of_the_adjusters():
    loaded = loaded_after("import adjuster.metrics")
    assert not loaded & {
        "torch",
        "numba",
        "adjuster.adjusters.base",
        "adjuster.fused_engine.kernel",
    }


def test_every_public_name_is_there_and_no_other():
    assert all(hasattr(adjuster, name) for name in adjuster.__all__)
    assert not hasattr(adjuster, "no_such_name")
