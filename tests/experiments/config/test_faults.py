"""Mistakes in plain settings as sentences; those on a command line are in `test_command`."""

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.commands import SweepConfig
from experiments.config.data import DatasetConfig
from experiments.config.faults import explain_value, unknown_keys


def test_settings_that_are_known_have_no_fault():
    data = {"adjuster": {"loss": "cubic"}, "provenance": {"anything": {"at": "all"}}}
    assert unknown_keys(data, SweepConfig) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"adjuster": {"los": "x"}}, "adjuster.los is not a setting; the nearest is adjuster.loss"),
        ({"replay": {"split": {"tun": 1}}}, "the nearest is replay.split.tune."),
        ({"zzz": 1}, "zzz is not a setting; there are adjuster, dataset,"),
        (
            {"search_space": {"parameters": {"a": {"hihg": 1}}}},
            "search_space.parameters.a.hihg is not a setting; the nearest is "
            "search_space.parameters.a.high.",
        ),
        ({"replay": {"interval_seconds": 5}}, "stands under adjuster.interval_seconds now"),
    ],
)
def test_a_key_that_is_not_there_is_told_with_the_nearest(data, told):
    faults = unknown_keys(data, SweepConfig)
    assert len(faults) == 1
    assert told in faults[0]


def test_every_key_that_is_not_there_is_told():
    assert len(unknown_keys({"a": 1, "b": 2, "adjuster": {"c": 3}}, SweepConfig)) == 3


def test_a_value_out_of_range_is_told_as_its_schema_words_it():
    error = ValueError("a must be >= 1, got 0.\nb must be >= 2, got 0.")
    assert explain_value(error, "x") == str(error).splitlines()


def test_a_value_that_refers_to_nothing_is_told_with_its_place():
    config = OmegaConf.structured(DatasetConfig(path="${nothing}", name="simulated"))
    with pytest.raises(OmegaConfBaseException) as unknown:
        OmegaConf.to_object(config)
    assert explain_value(unknown.value, "dataset") == [
        "dataset.path: Interpolation key 'nothing' not found."
    ]
