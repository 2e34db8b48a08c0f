"""A random forest over all settings, and the settings that it expects to gain most.

Every family of settings has a few trials first (`families.py`). What follows is sequential
model-based optimization as in Hutter, Hoos and Leyton-Brown, 2011, *Sequential model-based
optimization for general algorithm configuration*: trees take choices and numbers that matter in one
branch only as they are, and what one family shows of a choice tells of it in others. The expected
improvement over the best (Jones, Schonlau and Welch, 1998), times the chance to keep the guardrails
(Gardner et al., 2014, *Bayesian optimization with inequality constraints*), is climbed from many
settings drawn evenly and from neighbours of the best trials.
"""

from collections.abc import Callable, Sequence

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from scipy.special import ndtr

from experiments.study.families import (
    families,
    first_params,
    keeps_guardrails,
    members,
    short_families,
)
from experiments.study.neighbours import neighbour
from experiments.study.search_space import Params, SearchSpace, place_of

DRAWS_EACH = 3
"""Proposals of a family's first trials that may be refused before it is another's turn."""

N_TREES = 40

N_DRAWN = 300
"""Settings drawn evenly, of families drawn evenly."""

N_KEPT, N_STEPS = 10, 4
"""Settings that are climbed from, and how often."""

N_NEIGHBOURS = 15
"""Neighbours of each of them that are looked at in a step."""

OUTSIDE = -0.5
"""Where a number stands that does not matter, on the range from 0 to 1."""

Score = Callable[[Sequence[Params]], np.ndarray]
"""Settings → how much is to be expected of each."""


def next_params(
    space: SearchSpace,
    trials: Sequence[FrozenTrial],
    rng: np.random.Generator,
    *,
    n_first: int,
    n_refused: int,
) -> Params:
    """Every family's first trials, then what the forest expects most of: parameter → value.

    A family of which nothing else can be tried holds up no other.

    Args:
        space: The search space.
        trials: The history, those under way too.
        rng: Decides what is drawn.
        n_first: Trials that every family gets first.
        n_refused: Proposals for this trial that could not be tried.
    """
    short = short_families(space, trials, n_first)
    turn, n_drawn = divmod(n_refused, DRAWS_EACH)
    if turn >= len(short):
        return forest_params(space, trials, rng)
    if n_drawn:
        return space.draw(rng, {**space.shared, **short[turn]})
    return first_params(space, short[turn], len(members(short[turn], trials)), rng)


def forest_params(
    space: SearchSpace, trials: Sequence[FrozenTrial], rng: np.random.Generator
) -> Params:
    """The settings that are expected to improve most on the best trial: parameter → value.

    Args:
        space: The search space.
        trials: The history; those under way count as no better than the worst, so that several
            workers do not try the same.
        rng: Decides the forest, and what is drawn.
    """
    score = _expected_improvement(space, trials, rng)
    tried = {frozenset(trial.params.items()) for trial in trials}
    best_first = sorted(filter(keeps_guardrails, trials), key=lambda trial: -trial.values[0])
    drawn = _drawn(space, rng)

    def most_promising(pool: list[Params]) -> list[Params]:
        pool = [params for params in pool if frozenset(params.items()) not in tried] or drawn
        order = np.argsort(-score(pool), kind="stable")
        return [pool[place] for place in order[:N_KEPT]]

    # What was enqueued may have values outside the space, which are none of its parameters.
    good = [space.middle(trial.params) for trial in best_first[:N_KEPT]]
    kept = most_promising(drawn + _neighbours(space, good, rng))
    for _ in range(N_STEPS):
        kept = most_promising(kept + _neighbours(space, kept, rng))
    return kept[0]


def _drawn(space: SearchSpace, rng: np.random.Generator) -> list[Params]:
    every = families(space)
    return [space.draw(rng, every[int(rng.integers(len(every)))]) for _ in range(N_DRAWN)]


def _neighbours(
    space: SearchSpace, many: Sequence[Params], rng: np.random.Generator
) -> list[Params]:
    found = (neighbour(space, params, rng) for params in many for _ in range(N_NEIGHBOURS))
    return [params for params in found if params is not None]


def _expected_improvement(
    space: SearchSpace, trials: Sequence[FrozenTrial], rng: np.random.Generator
) -> Score:
    # Here, as no other sampler has to wait for it.
    from sklearn.ensemble import ExtraTreesRegressor

    known = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not known:
        return lambda many: np.zeros(len(many))
    under_way = [trial for trial in trials if trial.state == TrialState.RUNNING]
    values = np.array([trial.values[0] for trial in known])
    least, spread = values.min(), values.std() or 1.0
    best = max((trial.values[0] for trial in known if keeps_guardrails(trial)), default=least)
    # Both have a variance of about one, or trees would be grown for one of them alone.
    value = (np.append(values, [least] * len(under_way)) - best) / spread
    is_broken = [not keeps_guardrails(trial) for trial in known] + [False] * len(under_way)
    forest = ExtraTreesRegressor(
        N_TREES, max_features=0.5, bootstrap=True, random_state=int(rng.integers(2**31))
    )
    points = _encoded(space, [trial.params for trial in (*known, *under_way)])
    forest.fit(points, np.column_stack([value, is_broken]))

    def score(many: Sequence[Params]) -> np.ndarray:
        each = _encoded(space, many)
        told = np.stack([tree.tree_.predict(each)[:, :, 0] for tree in forest.estimators_])
        mean, deviation = told[:, :, 0].mean(0), told[:, :, 0].std(0) + 1e-6
        ahead = mean / deviation
        density = np.exp(-(ahead**2) / 2) / np.sqrt(2 * np.pi)
        improvement = mean * ndtr(ahead) + deviation * density
        return np.asarray(improvement * (1 - told[:, :, 1].mean(0)))

    return score


def _encoded(space: SearchSpace, many: Sequence[Params]) -> np.ndarray:
    """One row each: a column for every choice, and for every number its place in its range."""
    columns: list[list[float]] = []
    for item in space.dimensions:
        distribution = item.distribution
        given = [params.get(item.name, ...) for params in many]
        if isinstance(distribution, CategoricalDistribution):
            columns += [[value == choice for value in given] for choice in distribution.choices]
        else:
            assert isinstance(distribution, FloatDistribution | IntDistribution)
            columns.append(
                [OUTSIDE if value is ... else place_of(distribution, value) for value in given]
            )
    return np.array(columns, np.float32).T
