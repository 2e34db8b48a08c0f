"""The best settings so far with one of them changed.

A model of a dozen parameters learns slowly which choice of which one holds a search back. Changing
one at a time finds out at once, in any family of settings: the one-exchange neighbourhood of
Hutter, Hoos and Leyton-Brown, 2011, *Sequential model-based optimization for general algorithm
configuration*.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from experiments.study.families import keeps_guardrails
from experiments.study.search_space import (
    Dimension,
    SearchSpace,
    Values,
    middle_of,
    place_of,
    value_at,
)

STEPS = (0.03, 0.1, 0.3)
"""Standard deviations of a number's change, in shares of its range."""


def neighbour(
    space: SearchSpace, trials: Sequence[FrozenTrial], rng: np.random.Generator
) -> Values | None:
    """The settings of the best trial with one parameter changed.

    Where others depend on it, those that begin to matter keep the value that their setting had, or
    begin in the middle of their range.

    Args:
        space: The search space.
        trials: The history.
        rng: Draws which parameter, and its value.

    Returns:
        None if no trial has kept the guardrails, or nothing can be changed.
    """
    allowed = [trial for trial in trials if keeps_guardrails(trial)]
    if not allowed:
        return None
    best = max(allowed, key=lambda trial: trial.values[0]).params
    active = [item for item in space.dimensions if item.name in best]
    open_ones = [item for item in active if not item.distribution.single()]
    if not open_ones:
        return None
    changed = open_ones[int(rng.integers(len(open_ones)))]
    fields = {item.field: best[item.name] for item in active}

    def choose(item: Dimension) -> Any:
        if item is changed:
            return another_value(item, best[item.name], rng)
        if item.name in best:
            return best[item.name]
        if item.field in fields and item.contains(fields[item.field]):
            return fields[item.field]
        return middle_of(item.distribution)

    return space.walk(choose)


def another_value(dimension: Dimension, value: Any, rng: np.random.Generator) -> Any:
    """Another choice, drawn evenly; or a number nearby, on its range's own scale."""
    distribution = dimension.distribution
    if isinstance(distribution, CategoricalDistribution):
        others = [choice for choice in distribution.choices if choice != value]
        return others[int(rng.integers(len(others)))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    moved = place_of(distribution, value) + rng.choice(STEPS) * rng.normal()
    return value_at(distribution, float(np.clip(moved, 0.0, 1.0)))
