"""Neighbours: one parameter changed, and what comes with it."""

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.neighbours import another_value, neighbour
from experiments.study.search_space import SearchSpace

SPACE = SearchSpace.from_config(
    SearchSpaceConfig(
        {
            "optimizer": ParameterConfig("categorical", choices=["adamw", "sgd"]),
            "adamw_rate": ParameterConfig(
                "float",
                field="adjustment_rate",
                low=0.001,
                high=0.1,
                log=True,
                when={"optimizer": "adamw"},
            ),
            "sgd_rate": ParameterConfig(
                "float",
                field="adjustment_rate",
                low=0.0001,
                high=0.01,
                log=True,
                when={"optimizer": "sgd"},
            ),
            "sgd_memory": ParameterConfig(
                "categorical", field="memory", choices=["carry"], when={"optimizer": "sgd"}
            ),
            "reduction": ParameterConfig("categorical", choices=["sum", "mean"]),
        }
    ),
    Settings(AdjusterConfig(), SelectionConfig()),
)
SGD = {"optimizer": "sgd", "sgd_rate": 0.001, "sgd_memory": "carry", "reduction": "sum"}
ADAMW = {"optimizer": "adamw", "adamw_rate": 0.05, "reduction": "mean"}


def neighbours(params, n=200):
    return [neighbour(SPACE, params, np.random.default_rng(seed)) for seed in range(n)]


def changes(found, params):
    before, after = SPACE.settings(params), [SPACE.settings(one) for one in found]
    return [{name for name in one if before.get(name) != one[name]} for one in after]


def test_one_setting_is_changed():
    assert {frozenset(one) for one in changes(neighbours(SGD), SGD)} == {
        frozenset({"adjustment_rate"}),
        frozenset({"reduction"}),
        frozenset({"optimizer"}),
    }


def test_what_has_one_value_only_is_never_drawn():
    assert all(changes(neighbours(SGD), SGD))


def test_another_family_takes_over_what_it_has_in_common_as_far_as_it_can():
    there = [one for one in neighbours(SGD) if one["optimizer"] == "adamw"]
    assert {one["adamw_rate"] for one in there} == {0.001}
    back = [one for one in neighbours(ADAMW) if one["optimizer"] == "sgd"]
    assert back
    assert [one["sgd_rate"] for one in back] == pytest.approx([0.001] * len(back))
    assert {(one["sgd_memory"], one["reduction"]) for one in back} == {("carry", "mean")}


def test_numbers_move_near_and_far_on_their_own_scale_and_stay_in_their_range():
    rates = SPACE.dimensions[1]
    drawn = np.array(
        [another_value(rates, 0.01, np.random.default_rng(seed)) for seed in range(2000)]
    )
    places = np.log10(drawn / 0.001) / 2
    assert 0 <= places.min() < 0.1
    assert 0.9 < places.max() <= 1
    assert np.median(places) == pytest.approx(0.5, abs=0.01)
    assert np.mean(np.abs(places - 0.5) < 0.05) > 0.4


def test_a_space_of_one_setting_has_none():
    choices = {"reduction": ParameterConfig("categorical", choices=["sum"])}
    space = SearchSpace.from_config(
        SearchSpaceConfig(choices), Settings(AdjusterConfig(), SelectionConfig())
    )
    assert neighbour(space, {"reduction": "sum"}, np.random.default_rng(0)) is None
