"""Guardrails: at the bound is within it, a figure that is no number is not."""

import math

import pytest

from experiments.config.study import GuardrailsConfig
from experiments.replay.guardrails import DRIFT, GUARDRAILS, HARM, broken, constraints

BOTH = GuardrailsConfig(max_mean_drift=0.2, max_harmed_share=0.3)


@pytest.mark.parametrize(
    ("drift", "harmed", "expected"),
    [
        (0.2, 0.3, []),
        (0.2000001, 0.3, [DRIFT]),
        (0.0, 0.3000001, [HARM]),
        (1.0, 1.0, [DRIFT, HARM]),
        (math.nan, 0.0, [DRIFT]),
    ],
)
def test_a_guardrail_is_broken_above_its_bound(drift, harmed, expected):
    assert broken({"drift_at_log_end": drift, "harmed_share": harmed}, BOTH) == expected


def test_excess_is_what_lies_above_the_bound():
    found = constraints({"drift_at_log_end": 0.5, "harmed_share": 0.1}, BOTH)
    assert found == {
        "max_mean_drift": pytest.approx(0.3),
        "max_harmed_share": pytest.approx(-0.2),
    }


def test_a_lifted_guardrail_bounds_nothing():
    lifted = GuardrailsConfig(max_mean_drift=None, max_harmed_share=None)
    metrics = {"drift_at_log_end": 2.0, "harmed_share": 1.0}
    assert constraints(metrics, lifted) == {}
    assert broken(metrics, lifted) == []


def test_every_guardrail_is_a_setting_that_can_be_lifted():
    for guardrail in GUARDRAILS:
        assert guardrail.bound(GuardrailsConfig(**{guardrail.name: 0.1})) == 0.1
        assert guardrail.bound(GuardrailsConfig(**{guardrail.name: None})) is None
