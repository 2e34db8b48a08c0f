"""Who stops hopeless trials: Optuna's pruners, told what each of them compares."""

import warnings
from collections.abc import Callable

import optuna

from experiments.config.study import PrunerConfig
from experiments.replay.results import Checkpoint


def make_pruner(config: PrunerConfig, n_blocks: int) -> optuna.pruners.BasePruner:
    """The pruner of a study.

    Args:
        config: Which one.
        n_blocks: Blocks of a whole trial.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return MAKERS[config.name](config, n_blocks)


def _wilcoxon(config: PrunerConfig, n_blocks: int) -> optuna.pruners.BasePruner:
    return optuna.pruners.WilcoxonPruner(
        p_threshold=config.p_threshold, n_startup_steps=config.n_startup_steps
    )


def _hyperband(config: PrunerConfig, n_blocks: int) -> optuna.pruners.BasePruner:
    return optuna.pruners.HyperbandPruner(
        min_resource=max(1, config.n_startup_steps), max_resource=n_blocks
    )


def _median(config: PrunerConfig, n_blocks: int) -> optuna.pruners.BasePruner:
    return optuna.pruners.MedianPruner(n_warmup_steps=config.n_startup_steps)


def _none(config: PrunerConfig, n_blocks: int) -> optuna.pruners.BasePruner:
    return optuna.pruners.NopPruner()


MAKERS: dict[str, Callable[[PrunerConfig, int], optuna.pruners.BasePruner]] = {
    "wilcoxon": _wilcoxon,
    "hyperband": _hyperband,
    "median": _median,
    "none": _none,
}
"""Name → what makes it."""


def is_paired(config: PrunerConfig) -> bool:
    """Whether the pruner compares two trials block by block, not by their means so far."""
    return config.name == "wilcoxon"


def reported(config: PrunerConfig, checkpoint: Checkpoint) -> float:
    """The figure of a checkpoint that the pruner compares."""
    return checkpoint.value if is_paired(config) else checkpoint.running_value
