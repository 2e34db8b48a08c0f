"""Who proposes the next settings: Optuna's samplers, and two designs laid out in advance.

The forest stands by itself (`forest.py`).
"""

import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice

import numpy as np
import optuna
from scipy.stats import qmc

from experiments.common.errors import InputError
from experiments.config.study import SamplerConfig
from experiments.study.search_space import SearchSpace, Values

DESIGNS = ("qmc", "grid")
"""Samplers that do not look at what came of earlier trials."""

SOBOL_CHUNK = 256

LAID_OUT = 20_000
"""Points of the largest grid that is held in memory."""


def check_sampler(config: SamplerConfig) -> None:
    """Refuse a sampler whose package is missing.

    Raises:
        InputError: Naming the package.
    """
    if config.name == "cmaes" and find_spec("cmaes") is None:
        raise InputError(
            "sampler.name cmaes needs the package cmaes. Install it with pip install '.[samplers]'."
        )


def make_sampler(
    config: SamplerConfig, seed: int, *, parallel: bool
) -> optuna.samplers.BaseSampler:
    """A fresh sampler for one proposal.

    Args:
        config: Which one.
        seed: Decides its proposal, given the trials so far.
        parallel: Other trials may be running: keep away from them too (tpe).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return MAKERS[config.name](config, seed, parallel)


def _tpe(config: SamplerConfig, seed: int, parallel: bool) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=config.n_startup_trials, constant_liar=parallel
    )


def _gp(config: SamplerConfig, seed: int, parallel: bool) -> optuna.samplers.BaseSampler:
    return optuna.samplers.GPSampler(
        seed=seed, n_startup_trials=config.n_startup_trials, deterministic_objective=True
    )


def _cmaes(config: SamplerConfig, seed: int, parallel: bool) -> optuna.samplers.BaseSampler:
    return optuna.samplers.CmaEsSampler(
        seed=seed, n_startup_trials=config.n_startup_trials, warn_independent_sampling=False
    )


def _random(config: SamplerConfig, seed: int, parallel: bool) -> optuna.samplers.BaseSampler:
    return optuna.samplers.RandomSampler(seed=seed)


MAKERS: dict[str, Callable[[SamplerConfig, int, bool], optuna.samplers.BaseSampler]] = {
    "tpe": _tpe,
    "gp": _gp,
    "cmaes": _cmaes,
    "random": _random,
    **dict.fromkeys(("forest", *DESIGNS), _random),
}
"""Name → what makes it; what the forest or a design has chosen needs no sampler of its own."""


def iter_design(config: SamplerConfig, space: SearchSpace, seed: int) -> Iterator[Values]:
    """The points of a design in their order; a grid ends, Sobol's sequence does not.

    The grid is shuffled, so that a study that ends early has seen all of it thinly. One of more
    than `LAID_OUT` points, which no study could finish, is never laid out: its points are drawn
    as they are needed. The sequence is Sobol's with Owen's scrambling (Owen, 1998, *Scrambling
    Sobol' and Niederreiter-Xing points*), one coordinate a parameter.

    Args:
        config: ``qmc`` or ``grid``.
        space: The search space.
        seed: Of scrambling and shuffling.
    """
    if config.name == "grid":
        yield from _shuffled_grid(space, config.grid_points, np.random.default_rng(seed))
        return
    sobol = qmc.Sobol(len(space.dimensions), scramble=True, rng=seed)
    while True:
        for point in sobol.random(SOBOL_CHUNK):
            yield space.at(point)


def _shuffled_grid(space: SearchSpace, n_points: int, rng: np.random.Generator) -> Iterator[Values]:
    points = list(islice(space.iter_grid(n_points), LAID_OUT + 1))
    if len(points) <= LAID_OUT:
        yield from (points[index] for index in rng.permutation(len(points)))
        return
    while True:
        yield space.at_grid_point(n_points, rng)
