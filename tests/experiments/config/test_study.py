"""What the schema of a study refuses: every bound at its edge."""

import pytest

from experiments.config.study import (
    GuardrailsConfig,
    PrunerConfig,
    SamplerConfig,
    StudyConfig,
    TrackingConfig,
)


def study(**values):
    return StudyConfig(**{"name": "s", **values})


@pytest.mark.parametrize(
    ("schema", "good", "bad", "told"),
    [
        (GuardrailsConfig, {"max_mean_drift": 2}, {"max_mean_drift": 2.1}, "in [0, 2] or null"),
        (GuardrailsConfig, {"max_harmed_share": None}, {"max_harmed_share": -1}, "in [0, 1] or"),
        (study, {"name": "a-b_c.1"}, {"name": ".a"}, "not starting with a dot, got .a."),
        (study, {"name": "x" * 100}, {"name": "x" * 101}, "study.name must be 1 to 100 letters"),
        (study, {"seed": 2**32 - 1}, {"seed": 2**32}, "study.seed must be in [0, 4294967296)"),
        (study, {"enqueue": "presets"}, {"enqueue": "all"}, "one of none, profiles, presets"),
        (SamplerConfig, {"grid_points": 1}, {"grid_points": 0}, "sampler.grid_points must be >="),
        (PrunerConfig, {"p_threshold": 0.5}, {"p_threshold": 1}, "in (0, 1), got 1."),
        (TrackingConfig, {"name": "none"}, {"name": "x"}, "tracking.name must be one of mlflow"),
    ],
)
def test_a_value_over_the_edge_is_refused_and_at_the_edge_is_not(schema, good, bad, told):
    schema(**good)
    with pytest.raises(ValueError, match="must") as refused:
        schema(**bad)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_study_has_no_name_of_its_own():
    with pytest.raises(ValueError, match=r"study\.name must be 1 to 100 letters"):
        StudyConfig()
