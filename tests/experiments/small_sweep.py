"""A finished sweep of a small simulated log, for whoever looks at what it leaves."""

from pathlib import Path

from experiments.config.command import run_command
from experiments.data.made.shop import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.sweep import sweep

SIZES = SimulatedConfig(
    n_sessions=400, n_users=20, n_objects=60, n_topics=3, n_queries=12, n_shown=8, dimensions=8
)


def sweep_small_log(folder: Path, *more: str) -> None:
    """Sweep it into a folder, as the study ``autumn``."""
    prepare_simulated(folder / "shop", SIZES)
    arguments = ["dataset=folder", f"dataset.path={folder / 'shop'}", f"output_dir={folder}"]
    assert run_command("sweep", sweep, [*arguments, "study.name=autumn", *more]) == 0
