"""Families of settings, and what is tried of each before a model compares all settings.

A parameter that others depend on (`when`) divides the space: another optimizer has other settings.
The combinations of such choices are the families. Each gets a few trials first, in turns, with the
settings that families share as they were given, so that what tells families apart is their own,
and with every range in its middle. What these trials do vary are the choices between two: they are
crossed as in Sylvester's Hadamard matrix, so that of any two such choices all four pairs are seen
as soon as each family has had four trials (up to three such choices; Plackett and Burman, 1946,
*The design of optimum multifactorial experiments*).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from experiments.study.search_space import Params, SearchSpace

Family = dict[str, Any]
"""Dividing parameter → its choice; those that do not matter in the family are left out."""


def families(space: SearchSpace) -> list[Family]:
    """All families of a space, at least one.

    Example:
        >>> from adjuster.config import AdjusterConfig
        >>> from adjuster.selection import SelectionConfig
        >>> from experiments.config.study import ParameterConfig, SearchSpaceConfig
        >>> from experiments.replay.settings import Settings
        >>> space = SearchSpace.from_config(
        ...     SearchSpaceConfig(
        ...         {
        ...             "loss": ParameterConfig("categorical", choices=["cubic", "logistic"]),
        ...             "logit_scale": ParameterConfig(
        ...                 "float", low=1, high=9, when={"loss": "logistic"}
        ...             ),
        ...         }
        ...     ),
        ...     Settings(AdjusterConfig(), SelectionConfig()),
        ... )
        >>> families(space)
        [{'loss': 'cubic'}, {'loss': 'logistic'}]
    """
    dividing = [
        replace(dimension, field=dimension.name)
        for dimension in space.dimensions
        if dimension.name in space.dividing
        and isinstance(dimension.distribution, CategoricalDistribution)
    ]
    return list(SearchSpace(tuple(dividing)).iter_grid(1))


def members(family: Family, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials of a family, in their order."""
    return [trial for trial in trials if family.items() <= trial.params.items()]


def short_families(space: SearchSpace, trials: Sequence[FrozenTrial], n_first: int) -> list[Family]:
    """The families with fewer than `n_first` trials, that with fewest first.

    Args:
        space: The search space.
        trials: The history, those under way too.
        n_first: Trials that every family gets before a model compares all settings.
    """
    counted = [(len(members(family, trials)), family) for family in families(space)]
    counted.sort(key=lambda item: item[0])
    return [family for count, family in counted if count < n_first]


def first_params(
    space: SearchSpace, family: Family, number: int, rng: np.random.Generator
) -> Params:
    """What a family tries as one of its first trials: parameter → value.

    Args:
        space: The search space.
        family: The family.
        number: Trials that it has had.
        rng: Draws the family's own settings once all of its rows are tried.
    """
    fixed = {**space.shared, **family}
    middle = space.middle(fixed)
    two_way = [
        (item.name, item.distribution.choices)
        for item in space.dimensions
        if isinstance(item.distribution, CategoricalDistribution)
        and len(item.distribution.choices) == 2
        and item.name in middle
        and item.name not in fixed
    ]
    if number >= 1 << len(two_way).bit_length():
        return space.draw(rng, fixed)
    # In row r and column c is the parity of the bits that r and c have in common.
    levels = {
        name: choices[(number & column).bit_count() % 2]
        for column, (name, choices) in enumerate(two_way, start=1)
    }
    return space.middle({**fixed, **levels})


def keeps_guardrails(trial: FrozenTrial) -> bool:
    """Whether a trial has ended with a value that may be adopted; one still running has not."""
    is_complete = trial.state == TrialState.COMPLETE
    return is_complete and all(excess <= 0 for excess in trial.constraints.values())
