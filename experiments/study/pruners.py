"""Who stops hopeless trials: Optuna's pruners, told what each of them compares."""

import warnings

import optuna

from experiments.config.commands import PrunerConfig
from experiments.replay.results import Checkpoint


def make_pruner(config: PrunerConfig, n_blocks: int) -> optuna.pruners.BasePruner:
    """The pruner of a study.

    Args:
        config: Which one.
        n_blocks: Blocks of a whole trial.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if config.name == "wilcoxon":
            return optuna.pruners.WilcoxonPruner(
                p_threshold=config.p_threshold, n_startup_steps=config.n_startup_steps
            )
        if config.name == "hyperband":
            return optuna.pruners.HyperbandPruner(
                min_resource=max(1, config.n_startup_steps), max_resource=n_blocks
            )
        if config.name == "median":
            return optuna.pruners.MedianPruner(n_warmup_steps=config.n_startup_steps)
        return optuna.pruners.NopPruner()


def is_paired(config: PrunerConfig) -> bool:
    """Whether the pruner compares two trials block by block, not by their means so far."""
    return config.name == "wilcoxon"


def reported(config: PrunerConfig, checkpoint: Checkpoint) -> float:
    """The figure of a checkpoint that the pruner compares."""
    return checkpoint.value if is_paired(config) else checkpoint.running_value
