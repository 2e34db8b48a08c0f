"""Part ``study``: whole sweeps, with the pruner and without it, clicks weighted and as they are."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pandas as pd

from experiments.benchmarks.parts import Measured
from experiments.common.wording import grid
from experiments.config.data import DatasetConfig, SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.data.open_dataset import open_dataset
from experiments.study_folder.summary import read_summary

N_TRIALS = 100
ESTIMATORS = ("naive", "estimated")
SHOP = SimulatedConfig(log_truth=False)
"""A log as real ones are, whose propensities must be estimated."""

STOPPED = re.compile(r"block (\d+) of (\d+)")


@dataclass(frozen=True)
class Sweep:
    """What a finished sweep cost and found.

    Args:
        seconds: Wall time of the whole command.
        overhead_ms: Median milliseconds a trial spends outside its replay.
        evaluated: Share of the session evaluations of unpruned trials that were made.
        best: The objective of the best feasible trial.
    """

    seconds: float
    overhead_ms: float
    evaluated: float
    best: float


def measure() -> Measured:
    """Run all sweeps and compare them."""
    open_dataset(DatasetConfig("movielens"))
    with TemporaryDirectory() as folder:
        output_dir = Path(folder)
        pruners = {
            name: run_sweep(output_dir, name, f"pruner={name}") for name in ("wilcoxon", "none")
        }
        found, weighted = measured(pruners), debiased(weighted_sweeps(output_dir))
    return Measured(found.figures | weighted.figures, f"{found.table}\n\n{weighted.table}")


def weighted_sweeps(output_dir: Path) -> dict[str, Sweep]:
    """Sweep a simulated shop by each of `ESTIMATORS`, every trial to its end."""
    log = output_dir / "shop"
    prepare_simulated(log, SHOP)
    shared = ("dataset=folder", f"dataset.path={log}", "pruner=none")
    return {
        name: run_sweep(output_dir, name, *shared, f"objective.estimator={name}")
        for name in ESTIMATORS
    }


def debiased(sweeps: dict[str, Sweep]) -> Measured:
    """What a sweep costs more that weighs its clicks, by estimator."""
    naive, weighted = (sweeps[name].seconds for name in ESTIMATORS)
    figures = {f"study.simulated.{name}.seconds": one.seconds for name, one in sweeps.items()}
    ratio = weighted / naive
    head = (f"{N_TRIALS} trials, estimator", "seconds", "times")
    rows = [head, ("naive", f"{naive:.0f}", ""), ("estimated", f"{weighted:.0f}", f"{ratio:.2f}")]
    return Measured({**figures, "study.debiased_ratio": ratio}, "\n".join(grid(rows)))


def measured(sweeps: dict[str, Sweep]) -> Measured:
    """Figures and table of the sweeps, by pruner."""
    figures: dict[str, float] = {}
    for name, one in sweeps.items():
        prefix = f"study.movielens.pruner_{name}"
        figures |= {
            f"{prefix}.seconds": one.seconds,
            f"{prefix}.overhead_ms_per_trial": one.overhead_ms,
            f"{prefix}.session_evaluations_saved": 1 - one.evaluated,
            f"{prefix}.best_ndcg_at_10": one.best,
        }
    loss = sweeps["none"].best - sweeps["wilcoxon"].best
    figures["study.movielens.pruner_wilcoxon.loss_of_best"] = loss
    head = (f"{N_TRIALS} trials, pruner", "seconds", "overhead ms", "evaluations saved", "best")
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{one.seconds:.0f}",
            f"{one.overhead_ms:.0f}",
            f"{1 - one.evaluated:.0%}",
            f"{one.best:.4f}",
        )
        for name, one in sweeps.items()
    ]
    return Measured(figures, "\n".join(grid([head, *rows])))


def run_sweep(folder: Path, name: str, *options: str) -> Sweep:
    """Run one sweep in a process of its own.

    Args:
        folder: Where it writes.
        name: Of the study, another for each.
        options: What is particular to it.
    """
    print(f"benchmark: {N_TRIALS} trials, {options[-1]} …", file=sys.stderr)
    arguments = [
        f"study.name={name}",
        f"study.n_trials={N_TRIALS}",
        f"output_dir={folder}",
        *options,
    ]
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "experiments.sweep", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = perf_counter() - started
    return read_sweep(folder / name, seconds)


def read_sweep(folder: Path, seconds: float) -> Sweep:
    """The cost of a finished sweep, from its files."""
    summary = read_summary(folder / "summary.json")
    assert summary.best is not None, "no trial kept the guardrails"
    trials = pd.read_csv(folder / "trials.csv", keep_default_na=False)
    shares = [share_run(reason) for reason in trials["reason"][trials["state"] != "failed"]]
    overhead = summary.seconds.overhead_per_trial_median
    return Sweep(
        seconds=seconds,
        overhead_ms=1000 * (overhead or 0.0),
        evaluated=sum(shares) / len(shares),
        best=summary.best.metrics[summary.objective],
    )


def share_run(reason: str) -> float:
    """The share of its scored blocks that a trial ran.

    Example:
        >>> share_run("pruned after block 4 of 20"), share_run("")
        (0.25, 1.0)
    """
    stopped = STOPPED.search(reason)
    return 1.0 if stopped is None else (int(stopped[1]) + 1) / int(stopped[2])
