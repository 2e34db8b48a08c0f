"""The settings: published values, ranges, environment."""

import math

import numpy as np
import pytest

from adjuster import PRESETS, PROFILES, AdjusterConfig


def test_the_defaults_are_the_published_default_profile():
    config = AdjusterConfig()
    assert (config.adjustment_rate, config.num_iterations, config.softmin_temperature) == (
        0.1,
        10,
        1.0,
    )
    assert config.with_values(PROFILES["default"]) == config


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("rate_conservative", "adjustment_rate", math.sqrt(0.01 * 0.05)),
        ("rate_balanced", "adjustment_rate", 0.1),
        ("rate_aggressive", "adjustment_rate", math.sqrt(0.2 * 0.5)),
        ("iterations_quick", "num_iterations", 8),
        ("iterations_standard", "num_iterations", 18),
        ("iterations_deep", "num_iterations", 38),
        ("temperature_sharp", "softmin_temperature", 0.3),
        ("temperature_balanced", "softmin_temperature", 1.25),
        ("temperature_smooth", "softmin_temperature", 3.5),
        ("interval_realtime", "interval_seconds", 520),
        ("interval_balanced", "interval_seconds", 2546),
        ("interval_batch", "interval_seconds", 24942),
    ],
)
def test_a_preset_is_the_middle_of_its_published_range(name, field, value):
    assert PRESETS[name].field == field
    assert PRESETS[name].value == pytest.approx(value, rel=1e-5)
    AdjusterConfig().with_values({field: PRESETS[name].value})


@pytest.mark.parametrize(
    ("field", "bad", "must"),
    [
        ("semantics", "both", "one of documented, published"),
        ("adjustment_rate", 0, "> 0 and <= 10"),
        ("adjustment_rate", 10.1, "> 0 and <= 10"),
        ("adjustment_rate", "fast", "> 0 and <= 10"),
        ("num_iterations", -1, "a whole number from 0 to 10000"),
        ("num_iterations", 2.5, "a whole number from 0 to 10000"),
        ("softmin_temperature", 0, "> 0 and finite"),
        ("softmin_temperature", math.inf, "> 0 and finite"),
        ("interval_seconds", -1, "a whole number >= 0 of seconds (0 is at once)"),
        ("non_clicked_weight", -0.1, ">= 0 and finite"),
        ("max_drift", 0, "in (0, 2], or null for no bound"),
        ("max_drift", 2.1, "in (0, 2], or null for no bound"),
        ("anchor_weight", math.nan, ">= 0 and finite"),
        ("logit_scale", 0, "> 0 and finite"),
        ("logit_bias", "median", "a finite number or auto"),
        ("engine", "gpu", "one of auto, fused, torch"),
    ],
)
def test_a_value_out_of_range_is_named(field, bad, must):
    with pytest.raises(ValueError, match=r"adjuster\.") as error:
        AdjusterConfig(**{field: bad})
    assert str(error.value) == f"adjuster.{field} must be {must}, got {bad}."


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match=r"(?s)adjustment_rate.*loss|loss.*adjustment_rate"):
        AdjusterConfig(adjustment_rate=-1, loss="quartic")


def test_newton_says_what_it_is_not_defined_without():
    with pytest.raises(ValueError, match="newton") as error:
        AdjusterConfig(optimizer="newton")
    assert str(error.value).splitlines() == [
        "adjuster.loss must be logistic where adjuster.optimizer is newton, got cubic.",
        "adjuster.memory must be refit where adjuster.optimizer is newton, got carry.",
        "adjuster.anchor_weight must be > 0 where adjuster.optimizer is newton, got 0.0.",
    ]
    AdjusterConfig(optimizer="newton", loss="logistic", memory="refit", anchor_weight=0.1)


def test_numpy_numbers_are_numbers():
    config = AdjusterConfig(adjustment_rate=np.float32(0.5), num_iterations=np.int64(3))
    assert config.num_iterations == 3


def test_the_environment_of_a_deployment_goes_in_and_out():
    environ = {
        "ADJUSTMENT_RATE": "0.02",
        "NUM_ITERATIONS": "25",
        "SOFTMIN_TEMPERATURE": "0.5",
        "IMPROVEMENT_SECONDS_INTERVAL": "900",
        "PATH": "/bin",
    }
    config = AdjusterConfig.from_env(environ)
    assert config == AdjusterConfig(
        adjustment_rate=0.02, num_iterations=25, softmin_temperature=0.5, interval_seconds=900
    )
    assert AdjusterConfig.from_env(config.to_env()) == config
    assert AdjusterConfig.from_env({}) == AdjusterConfig()


def test_the_environment_is_the_processes_own_by_default(monkeypatch):
    monkeypatch.setenv("NUM_ITERATIONS", "7")
    assert AdjusterConfig.from_env().num_iterations == 7


def test_every_bad_variable_is_named():
    with pytest.raises(ValueError, match="ADJUSTMENT_RATE") as error:
        AdjusterConfig.from_env({"ADJUSTMENT_RATE": "-1", "NUM_ITERATIONS": "ten"})
    assert str(error.value).splitlines() == [
        "ADJUSTMENT_RATE must be > 0 and <= 10, got -1.0.",
        "NUM_ITERATIONS must be a whole number, got 'ten'.",
    ]


def test_a_field_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="adjuster has no field speed"):
        AdjusterConfig().with_values({"speed": 1})
