"""Settings one change away from others: a choice made otherwise, or a number nearby.

The one-exchange neighbourhood of Hutter, Hoos and Leyton-Brown, 2011, *Sequential model-based
optimization for general algorithm configuration*.
"""

from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.study.search_space import (
    Dimension,
    Params,
    SearchSpace,
    middle_of,
    place_of,
    value_at,
)

STEPS = (0.03, 0.1, 0.3)
"""Standard deviations of a number's change, in shares of its range."""


def neighbour(space: SearchSpace, params: Params, rng: np.random.Generator) -> Params | None:
    """The parameters with one of them changed.

    Where others depend on it, those that begin to matter keep the value that their setting had, or
    begin in the middle of their range.

    Args:
        space: The search space.
        params: Parameter → value of a trial.
        rng: Draws which parameter, and its value.

    Returns:
        None if nothing can be changed.
    """
    active = [item for item in space.dimensions if item.name in params]
    open_ones = [item for item in active if not item.distribution.single()]
    if not open_ones:
        return None
    changed = open_ones[int(rng.integers(len(open_ones)))]
    otherwise = {**params, changed.name: another_value(changed, params[changed.name], rng)}
    if changed.name not in space.dividing:
        return otherwise
    fields = {item.field: params[item.name] for item in active}

    def choice(item: Dimension) -> Any:
        if item.name in otherwise:
            return otherwise[item.name]
        if item.field in fields and item.contains(fields[item.field]):
            return fields[item.field]
        return middle_of(item.distribution)

    return space.choose(choice)


def another_value(dimension: Dimension, value: Any, rng: np.random.Generator) -> Any:
    """Another choice, drawn evenly; or a number nearby, on its range's own scale."""
    distribution = dimension.distribution
    if isinstance(distribution, CategoricalDistribution):
        others = [choice for choice in distribution.choices if choice != value]
        return others[int(rng.integers(len(others)))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    moved = place_of(distribution, value) + rng.choice(STEPS) * rng.normal()
    return value_at(distribution, float(np.clip(moved, 0.0, 1.0)))
