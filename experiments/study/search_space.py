"""The search space: which settings are searched, over which values, and when they matter."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from experiments.common.errors import InputError
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.search_space_faults import conditions, space_faults

Values = dict[str, Any]
"""Setting → value."""

Params = dict[str, Any]
"""Parameter → value, of those that matter, in the space's order."""


@dataclass(frozen=True)
class Dimension:
    """One parameter: its name, the setting it gives a value, its values, when it is searched."""

    name: str
    field: str
    distribution: BaseDistribution
    when: Mapping[str, tuple[Any, ...]]

    def contains(self, value: Any) -> bool:
        """Whether a value is one of this parameter's."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return value in distribution.choices
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = isinstance(distribution, FloatDistribution) or value % 1 == 0
        return whole and distribution.low <= value <= distribution.high

    def suggest(self, trial: Trial) -> Any:
        """Let a trial's sampler choose a value."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return trial.suggest_categorical(self.name, distribution.choices)
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        if isinstance(distribution, IntDistribution):
            return trial.suggest_int(
                self.name, distribution.low, distribution.high, log=distribution.log
            )
        return trial.suggest_float(
            self.name, distribution.low, distribution.high, log=distribution.log
        )


@dataclass(frozen=True)
class SearchSpace:
    """The parameters in order; one that depends on another stands below it.

    Example:
        >>> from adjuster.config import AdjusterConfig
        >>> from adjuster.selection import SelectionConfig
        >>> space = SearchSpace.from_config(
        ...     SearchSpaceConfig({"num_iterations": ParameterConfig("int", low=1, high=3)}),
        ...     Settings(AdjusterConfig(), SelectionConfig()),
        ... )
        >>> [values["num_iterations"] for values in space.iter_grid(5)]
        [1, 2, 3]
    """

    dimensions: tuple[Dimension, ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    """Setting → the value that the command was given, of the settings that are searched."""

    @classmethod
    def from_config(cls, config: SearchSpaceConfig, base: Settings) -> "SearchSpace":
        """Check a space and build it.

        Args:
            config: The space as data.
            base: The settings that it varies.

        Raises:
            InputError: A sentence for every fault.
        """
        faults = space_faults(config.parameters, base)
        if faults:
            raise InputError("\n".join(faults))
        dimensions = tuple(_dimension(*item) for item in config.parameters.items())
        return cls(dimensions, {one.field: base.value(one.field) for one in dimensions})

    @property
    def fields(self) -> list[str]:
        """The settings that are searched, in order."""
        return list(dict.fromkeys(dimension.field for dimension in self.dimensions))

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Parameter → its values, as Optuna has them."""
        return {dimension.name: dimension.distribution for dimension in self.dimensions}

    def choose(self, choice: Callable[[Dimension], Any]) -> Params:
        """Choose a value for every parameter that matters given those chosen above it."""
        chosen: Params = {}
        for dimension in self.dimensions:
            if all(
                name in chosen and chosen[name] in allowed
                for name, allowed in dimension.when.items()
            ):
                chosen[dimension.name] = choice(dimension)
        return chosen

    def settings(self, params: Params) -> Values:
        """The settings that parameters mean."""
        return {item.field: params[item.name] for item in self.dimensions if item.name in params}

    def walk(self, choice: Callable[[Dimension], Any]) -> Values:
        """The settings that `choose` comes to."""
        return self.settings(self.choose(choice))

    def suggest(self, trial: Trial) -> Values:
        """Let a trial's sampler choose."""
        return self.walk(lambda dimension: dimension.suggest(trial))

    def parameters(self, values: Mapping[str, Any]) -> Params:
        """Parameter → value for given settings, as far as the space holds them.

        Args:
            values: A value for every setting of the space.
        """
        chosen: Params = {}

        def choice(dimension: Dimension) -> Any:
            if dimension.contains(values[dimension.field]):
                chosen[dimension.name] = values[dimension.field]
            return values[dimension.field]

        self.choose(choice)
        return chosen

    def iter_grid(self, n_points: int) -> Iterator[Values]:
        """Every combination of `n_points` values a number and all choices, each once."""
        yield from self._combine({}, {}, list(self.dimensions), n_points)

    def _combine(
        self, chosen: Values, values: Values, rest: list[Dimension], n_points: int
    ) -> Iterator[Values]:
        if not rest:
            yield values
            return
        first, *rest = rest
        if not all(chosen.get(name, ...) in allowed for name, allowed in first.when.items()):
            yield from self._combine(chosen, values, rest, n_points)
            return
        for value in _points(first.distribution, n_points):
            yield from self._combine(
                {**chosen, first.name: value}, {**values, first.field: value}, rest, n_points
            )

    def at_grid_point(self, n_points: int, rng: np.random.Generator) -> Values:
        """One point of the grid of `iter_grid`, each value drawn evenly."""

        def draw(dimension: Dimension) -> Any:
            points = _points(dimension.distribution, n_points)
            return points[int(rng.integers(len(points)))]

        return self.walk(draw)

    def middle(self, fixed: Mapping[str, Any]) -> Params:
        """The middle of every range, and the first of every choice.

        Args:
            fixed: Parameters that have another value.
        """
        return self.choose(lambda item: fixed.get(item.name, middle_of(item.distribution)))

    def draw(self, rng: np.random.Generator, fixed: Mapping[str, Any]) -> Params:
        """A value of every parameter, drawn evenly on its range's own scale.

        Args:
            rng: Draws them.
            fixed: Parameters that have the value given.
        """

        def choice(item: Dimension) -> Any:
            drawn = value_at(item.distribution, float(rng.random()))
            return fixed.get(item.name, drawn)

        return self.choose(choice)

    @cached_property
    def dividing(self) -> frozenset[str]:
        """The parameters that others depend on."""
        return frozenset(name for dimension in self.dimensions for name in dimension.when)

    @property
    def shared(self) -> Values:
        """Parameter → the value given, of those that matter always and none depends on.

        Those whose range does not hold it are left out.
        """
        return {
            item.name: self.given[item.field]
            for item in self.dimensions
            if not item.when
            and item.name not in self.dividing
            and item.field in self.given
            and item.contains(self.given[item.field])
        }

    def at(self, point: Sequence[float]) -> Values:
        """The settings at a point of the unit cube, one coordinate a parameter."""
        coordinate = {
            dimension.name: float(place)
            for dimension, place in zip(self.dimensions, point, strict=True)
        }
        return self.walk(lambda item: value_at(item.distribution, coordinate[item.name]))


def _dimension(name: str, parameter: ParameterConfig) -> Dimension:
    return Dimension(name, parameter.field or name, _distribution(parameter), conditions(parameter))


def _distribution(parameter: ParameterConfig) -> BaseDistribution:
    if parameter.type == "categorical":
        return CategoricalDistribution(parameter.choices or [])
    low, high = parameter.low, parameter.high
    assert low is not None
    assert high is not None
    if parameter.type == "int":
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(low, high, log=parameter.log)


def _points(distribution: BaseDistribution, n_points: int) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    places = np.linspace(0, 1, n_points) if n_points > 1 else np.array([0.5])
    return list(dict.fromkeys(value_at(distribution, float(place)) for place in places))


def middle_of(distribution: BaseDistribution) -> Any:
    """The middle of a range on its own scale, or the first choice."""
    is_choice = isinstance(distribution, CategoricalDistribution)
    return value_at(distribution, 0.0 if is_choice else 0.5)


def place_of(distribution: FloatDistribution | IntDistribution, value: float) -> float:
    """The share of a distribution's range at which a number lies, 0 at its low end."""
    low, high = float(distribution.low), float(distribution.high)
    if high == low:
        return 0.0
    if distribution.log:
        return float(np.log(value / low) / np.log(high / low))
    return (value - low) / (high - low)


def value_at(distribution: BaseDistribution, place: float) -> Any:
    """The value at a share of a distribution's range, 0 its low end and 1 its high end."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return choices[min(int(place * len(choices)), len(choices) - 1)]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    value = low * (high / low) ** place if distribution.log else low + (high - low) * place
    value = min(max(value, low), high)
    return round(value) if isinstance(distribution, IntDistribution) else value
