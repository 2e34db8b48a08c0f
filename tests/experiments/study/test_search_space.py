"""The search space: what is refused, what is searched when."""

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.search_space import SearchSpace, place_of, value_at

BASE = Settings(AdjusterConfig(), SelectionConfig())
CONDITIONAL = {
    "optimizer": ParameterConfig("categorical", choices=["adamw", "sgd"]),
    "adamw_rate": ParameterConfig(
        "float", field="adjustment_rate", low=1e-5, high=0.5, log=True, when={"optimizer": "adamw"}
    ),
    "sgd_rate": ParameterConfig(
        "float", field="adjustment_rate", low=1e-3, high=10, log=True, when={"optimizer": "sgd"}
    ),
    "loss": ParameterConfig("categorical", choices=["cubic", "linear", "logistic"]),
    "logit_scale": ParameterConfig("float", low=1, high=9, when={"loss": ["logistic"]}),
}


def space(parameters: dict[str, ParameterConfig]) -> SearchSpace:
    return SearchSpace.from_config(SearchSpaceConfig(parameters), BASE)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "must have a parameter, got none"),
        ({"rate": ParameterConfig("float", low=0, high=1)}, "named after a setting"),
        ({"adjustment_rate": ParameterConfig("real", low=0, high=1)}, "one of float, int, cat"),
        (
            {"adjustment_rate": ParameterConfig("float", low=0.5, high=0.1)},
            "low must be <= search_space.parameters.adjustment_rate.high (0.1), got 0.5",
        ),
        (
            {"interval_seconds": ParameterConfig("int", low=0, high=9, log=True)},
            "low must be > 0 with log: true, got 0",
        ),
        ({"adjustment_rate": ParameterConfig("float", low=0.1)}, "high must be a finite number"),
        ({"num_iterations": ParameterConfig("int", low=1.5, high=3)}, "must have whole ends"),
        (
            {"adjustment_rate": ParameterConfig("float", low=0.1, high=11)},
            "high: adjuster.adjustment_rate must be > 0 and <= 10, got 11",
        ),
        ({"loss": ParameterConfig("categorical")}, "must have at least one value"),
        ({"loss": ParameterConfig("categorical", choices=["cubic", "cubic"])}, "must differ"),
        (
            {"loss": ParameterConfig("categorical", choices=["cubic", "square"])},
            "adjuster.loss must be one of cubic, linear, logistic, got square",
        ),
        (
            {"loss": ParameterConfig("categorical", choices=["cubic"], low=1)},
            "low must be left out of a categorical",
        ),
        (
            {"num_iterations": ParameterConfig("int", low=1, high=2, when={"loss": "cubic"})},
            "must name a parameter that stands above num_iterations",
        ),
        (
            {
                "loss": ParameterConfig("categorical", choices=["cubic"]),
                "num_iterations": ParameterConfig("int", low=1, high=2, when={"loss": "linear"}),
            },
            "must be one of ['cubic'], got linear",
        ),
        (
            {
                "adjustment_rate": ParameterConfig("float", low=0.1, high=0.2),
                "again": ParameterConfig("float", field="adjustment_rate", low=0.1, high=0.2),
            },
            "both set adjustment_rate",
        ),
    ],
)
def test_a_fault_is_named(parameters, told):
    with pytest.raises(InputError) as refused:
        space(parameters)
    assert told in str(refused.value)


def test_what_a_value_asks_of_other_settings_is_no_fault_of_it():
    newton = {"optimizer": ParameterConfig("categorical", choices=["sgd", "newton"])}
    assert space(newton).fields == ["optimizer"]
    given = AdjusterConfig(optimizer="newton", loss="logistic", memory="refit", anchor_weight=1.0)
    base = Settings(given, SelectionConfig())
    losses = {"loss": ParameterConfig("categorical", choices=["logistic", "cubic"])}
    assert SearchSpace.from_config(SearchSpaceConfig({**newton, **losses}), base)
    with pytest.raises(InputError, match="must be logistic where"):
        SearchSpace.from_config(SearchSpaceConfig(losses), base)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as refused:
        space(
            {
                "rate": ParameterConfig("float", low=0, high=1),
                "adjustment_rate": ParameterConfig("float", low=1, high=0.1),
            }
        )
    assert len(str(refused.value).splitlines()) == 2


def test_parameters_on_one_setting_may_exclude_each_other_through_others():
    space(
        {
            "semantics": ParameterConfig("categorical", choices=["documented", "published"]),
            "optimizer": ParameterConfig(
                "categorical", choices=["adamw", "sgd"], when={"semantics": "documented"}
            ),
            "a": ParameterConfig(
                "float", field="adjustment_rate", low=1, high=2, when={"optimizer": "adamw"}
            ),
            "b": ParameterConfig(
                "float", field="adjustment_rate", low=1, high=2, when={"semantics": "published"}
            ),
        }
    )


@given(seed=st.integers(0, 1000))
def test_a_parameter_is_searched_only_where_it_matters(seed):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    values = space(CONDITIONAL).suggest(trial)
    assert ("logit_scale" in values) == (values["loss"] == "logistic")
    assert ("sgd_rate" in trial.params) == (values["optimizer"] == "sgd")
    assert ("adamw_rate" in trial.params) == (values["optimizer"] == "adamw")
    assert "adjustment_rate" in values
    BASE.with_values(values)


@given(place=st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_every_point_of_the_cube_means_settings(place):
    searched = space(CONDITIONAL)
    values = searched.at(place)
    BASE.with_values(values)
    every = {name: getattr(BASE.adjuster, name) for name in searched.fields} | values
    for name, value in searched.parameters(every).items():
        assert next(item for item in searched.dimensions if item.name == name).contains(value)


def test_a_grid_has_every_combination_once():
    grid = list(space(CONDITIONAL).iter_grid(3))
    assert len(grid) == 2 * 3 * (1 + 1 + 3)
    assert len({tuple(sorted(values.items())) for values in grid}) == len(grid)


def test_a_grid_in_the_logarithm_is_even_there():
    values = [
        item["adjustment_rate"]
        for item in space(
            {"adjustment_rate": ParameterConfig("float", low=1e-4, high=1, log=True)}
        ).iter_grid(5)
    ]
    assert values == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])


def test_settings_outside_the_space_have_no_parameter():
    searched = space(
        {
            "adjustment_rate": ParameterConfig("float", low=1e-4, high=1e-2),
            "num_iterations": ParameterConfig("int", low=1, high=50),
        }
    )
    values = {"adjustment_rate": 0.1, "num_iterations": 10}
    assert searched.parameters(values) == {"num_iterations": 10}


def test_what_is_shared_matters_always_and_begins_as_it_was_given():
    parameters = {
        **CONDITIONAL,
        "num_iterations": ParameterConfig("int", low=1, high=50),
        "min_clicks": ParameterConfig("int", low=2, high=3),
        "reduction": ParameterConfig("categorical", choices=["mean", "sum"]),
    }
    shared = space(parameters).shared
    assert shared == {
        "num_iterations": BASE.adjuster.num_iterations,
        "reduction": BASE.adjuster.reduction,
    }
    assert BASE.selection.min_clicks == 1, "outside the range above"


@given(place=st.floats(0, 1), log=st.booleans())
def test_the_place_of_a_number_leads_back_to_it(place, log):
    distribution = optuna.distributions.FloatDistribution(0.01, 30.0, log=log)
    value = value_at(distribution, place)
    assert value_at(distribution, place_of(distribution, value)) == pytest.approx(value)
