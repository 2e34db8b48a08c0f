"""Part ``study``: a whole sweep on MovieLens, with the pruner and without it."""

import json
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
from experiments.config.data import DatasetConfig
from experiments.data.open_dataset import open_dataset

N_TRIALS = 100
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
    """Run both sweeps and compare them."""
    open_dataset(DatasetConfig("movielens"))
    with TemporaryDirectory() as folder:
        sweeps = {name: run_sweep(Path(folder), name) for name in ("wilcoxon", "none")}
    return measured(sweeps)


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


def run_sweep(folder: Path, pruner: str) -> Sweep:
    """Run one sweep in a process of its own."""
    print(f"benchmark: {N_TRIALS} trials, pruner={pruner} …", file=sys.stderr)
    arguments = [
        f"study.name={pruner}",
        f"study.n_trials={N_TRIALS}",
        f"pruner={pruner}",
        f"output_dir={folder}",
    ]
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "experiments.sweep", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = perf_counter() - started
    return read_sweep(folder / pruner, seconds)


def read_sweep(folder: Path, seconds: float) -> Sweep:
    """The cost of a finished sweep, from its files."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    trials = pd.read_csv(folder / "trials.csv", keep_default_na=False)
    shares = [share_run(reason) for reason in trials["reason"][trials["state"] != "failed"]]
    return Sweep(
        seconds=seconds,
        overhead_ms=1000 * summary["seconds"]["overhead_per_trial_median"],
        evaluated=sum(shares) / len(shares),
        best=summary["best"]["metrics"][summary["objective"]],
    )


def share_run(reason: str) -> float:
    """The share of its scored blocks that a trial ran.

    Example:
        >>> share_run("pruned after block 4 of 20"), share_run("")
        (0.25, 1.0)
    """
    stopped = STOPPED.search(reason)
    return 1.0 if stopped is None else (int(stopped[1]) + 1) / int(stopped[2])
