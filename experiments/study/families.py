"""Families of settings, the better half of which is searched on: which one the next trial is of.

A parameter that others depend on (`when`) divides the space: what is learnt of one optimizer's
rate says nothing of another's. The combinations of such choices are the families. All of them get
a few trials, the first in the middle of every range, all with the settings that families share as
they were given, so that what tells families apart is their own. The better half by their best
trial gets twice as many more, and so on until one is left, which gets the rest (successive
halving: Karnin, Koren and Somekh, 2013, *Almost optimal exploration in multi-armed bandits*). A
sampler's model sees one family at a time.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from experiments.study.search_space import SearchSpace

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
    needed = {name for dimension in space.dimensions for name in dimension.when}
    dividing = [
        replace(dimension, field=dimension.name)
        for dimension in space.dimensions
        if dimension.name in needed and isinstance(dimension.distribution, CategoricalDistribution)
    ]
    return list(SearchSpace(tuple(dividing)).iter_grid(1))


def members(family: Family, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials of a family, in their order."""
    return [trial for trial in trials if family.items() <= trial.params.items()]


class Turn(NamedTuple):
    """Whose turn it is.

    Args:
        family: The family of the next trial.
        is_last: Whether it is the one that is left.
    """

    family: Family
    is_last: bool


def next_family(space: SearchSpace, trials: Sequence[FrozenTrial], n_first: int) -> Turn:
    """The family of the next trial; of several that are short of trials the one with fewest.

    Args:
        space: The search space.
        trials: The history, in order.
        n_first: Trials that every family gets before the first are dropped.
    """
    left, n_more = families(space), n_first
    n_each = n_more
    while len(left) > 1:
        counts = [len(members(family, trials)) for family in left]
        if min(counts) < n_each:
            return Turn(left[counts.index(min(counts))], is_last=False)
        # Only what a family had when it was judged counts, or its verdict would change later.
        left.sort(key=lambda family: _best(members(family, trials)[:n_each]), reverse=True)
        left = left[: (len(left) + 1) // 2]
        n_more *= 2
        n_each += n_more
    return Turn(left[0], is_last=True)


def n_halving(space: SearchSpace, n_first: int) -> int:
    """Trials until one family is left.

    Args:
        space: The search space.
        n_first: Trials that every family gets before the first are dropped.
    """
    n_left, n_more, total = len(families(space)), n_first, 0
    while n_left > 1:
        total += n_left * n_more
        n_left, n_more = (n_left + 1) // 2, 2 * n_more
    return total


def keeps_guardrails(trial: FrozenTrial) -> bool:
    """Whether a trial has ended with a value that may be adopted; one still running has not."""
    is_complete = trial.state == TrialState.COMPLETE
    return is_complete and all(excess <= 0 for excess in trial.constraints.values())


def _best(trials: Sequence[FrozenTrial]) -> float:
    return max((trial.values[0] for trial in trials if keeps_guardrails(trial)), default=-inf)
