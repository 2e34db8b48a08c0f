"""Every configuration composes, and says what the code says."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from adjuster.config import PRESETS, PROFILES, RECOMMENDED, AdjusterConfig
from experiments.config.command import conf_dir, convert
from experiments.config.commands import COMMANDS, GROUPS, SweepConfig, register
from experiments.study.enqueued import enqueued_settings
from experiments.study.search_space import SearchSpace
from experiments.workflow.studies import base_settings

CONF = Path(conf_dir())
SWEEP_GROUPS = [item.name for item in fields(SweepConfig) if item.name in GROUPS]
CHOICES = sorted(
    (group, path.stem)
    for group in [*SWEEP_GROUPS, "experiment"]
    for path in (CONF / group).glob("*.yaml")
)


def composed(*overrides: str, command: str = "sweep"):
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return convert(compose(command, list(overrides)))


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes(group, choice):
    config = composed(f"{group}={choice}", "dataset.path=somewhere")
    SearchSpace.from_config(config.search_space, base_settings(config))


@pytest.mark.parametrize("name", [*PRESETS, *PROFILES])
def test_presets_and_profiles_are_files_with_the_values_of_the_code(name):
    change = PROFILES.get(name) or {PRESETS[name].field: PRESETS[name].value}
    assert composed(f"adjuster={name}").adjuster == AdjusterConfig().with_values(change)


def test_the_recommended_settings_are_a_file_with_the_values_of_the_code():
    assert composed("adjuster=recommended").adjuster == AdjusterConfig().with_values(RECOMMENDED)


def test_the_recommended_settings_are_tried_only_where_all_of_them_are_searched():
    for space, expected in (("default", False), ("full", True)):
        config = composed(f"search_space={space}")
        base = base_settings(config)
        fields = SearchSpace.from_config(config.search_space, base).fields
        names = [start.name for start in enqueued_settings("profiles", base, fields)]
        assert ("recommended" in names) is expected


def test_every_group_has_files():
    assert {group for group, _ in CHOICES} >= set(SWEEP_GROUPS)


def test_every_command_composes_or_names_what_must_be_given():
    for command in COMMANDS:
        assert (CONF / f"{command}.yaml").is_file()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_of_different_kind_combine_with_each_other_and_with_profiles(name):
    group, _, choice = name.partition("_")
    profile = {} if group == "interval" else PROFILES["product_search"]
    change = {**profile, PRESETS[name].field: PRESETS[name].value}
    start = ["adjuster=product_search"] if profile else []
    config = composed(*start, f"adjuster/{group}={choice}")
    assert config.adjuster == AdjusterConfig().with_values(change)


def test_one_preset_of_each_kind_at_once():
    chosen = ("rate_aggressive", "iterations_deep", "temperature_sharp", "interval_batch")
    config = composed(*(f"adjuster/{name.replace('_', '=')}" for name in chosen))
    change = {PRESETS[name].field: PRESETS[name].value for name in chosen}
    assert config.adjuster == AdjusterConfig().with_values(change)


def test_the_nested_groups_hold_every_preset_and_no_other():
    files = {f"{path.parent.name}_{path.stem}" for path in (CONF / "adjuster").glob("*/*.yaml")}
    assert files == set(PRESETS)


def test_debugging_is_small_and_offline_and_gives_way_to_what_is_asked():
    config = composed("debug=default")
    assert (config.tracking.name, config.dataset.name) == ("none", "simulated")
    assert config.study.n_trials < 10
    asked = composed("debug=default", "dataset=folder", "dataset.path=x", "study.n_trials=30")
    assert (asked.dataset.path, asked.study.n_trials) == ("x", 30)


def test_the_smoke_test_is_a_small_planted_shop_offline():
    config = composed("experiment=smoke")
    assert (config.tracking.name, config.dataset.name) == ("none", "planted")
    assert config.study.n_trials <= 16


def test_the_default_space_is_the_three_published_knobs():
    space = composed().search_space.parameters
    assert {name: (item.type, item.low, item.high, item.log) for name, item in space.items()} == {
        "adjustment_rate": ("float", 1e-5, 0.5, True),
        "num_iterations": ("int", 1, 50, False),
        "softmin_temperature": ("float", 0.05, 5.0, True),
    }


def test_the_full_space_searches_every_setting_that_matters():
    config = composed("search_space=full")
    space = SearchSpace.from_config(config.search_space, base_settings(config))
    assert set(space.fields) == {
        *("semantics", "optimizer", "adjustment_rate", "num_iterations", "softmin_temperature"),
        *("interval_seconds", "loss", "logit_scale", "logit_bias", "term_weight", "reduction"),
        *("memory", "non_clicked_weight", "anchor_weight", "max_drift", "min_clicks"),
        *("max_clicks", "min_duration_seconds"),
    }
    published = space.walk(lambda item: {"semantics": "published"}.get(item.name, 1))
    assert "loss" not in published
    assert "adjustment_rate" in published


def test_newtons_optimizer_is_searched_by_its_few_knobs_and_every_draw_is_valid():
    config = composed("search_space=full")
    base = base_settings(config)
    space = SearchSpace.from_config(config.search_space, base)
    rng = np.random.default_rng(0)
    seen = set()
    for point in rng.random((300, len(space.dimensions))):
        values = space.at(point)
        seen.add(values.get("optimizer"))
        base.with_values(values)
        if values.get("optimizer") == "newton":
            assert {"anchor_weight", "logit_scale", "logit_bias"} <= set(values)
            assert not {"adjustment_rate", "num_iterations", "non_clicked_weight"} & set(values)
    assert seen == {"newton", "sgd", "adamw", None}


def test_a_study_is_named_after_its_data_set():
    assert composed("dataset=simulated").study.name == "simulated"
