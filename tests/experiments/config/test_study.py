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
        (GuardrailsConfig, {"min_gain": 0}, {"min_gain": -0.1}, "min_gain must be >= 0 and finite"),
        (
            GuardrailsConfig,
            {"max_bystander_loss": 0},
            {"max_bystander_loss": -1},
            "_loss must be >=",
        ),
        (study, {"name": "a-b_c.1"}, {"name": ".a"}, "sealed_tests.json, got .a."),
        (study, {"name": "x" * 100}, {"name": "x" * 101}, "study.name must be 1 to 100 letters"),
        (study, {"seed": 2**32 - 1}, {"seed": 2**32}, "study.seed must be in [0, 4294967296)"),
        (study, {"enqueue": "presets"}, {"enqueue": "all"}, "one of none, profiles, presets"),
        (study, {"start_from": ["a", "b"]}, {"start_from": ["a", "a"]}, "names of studies, each"),
        (study, {"start_from": []}, {"start_from": ["a/b"]}, "start_from must be names of studies"),
        (study, {"start_from": ["a"]}, {"start_from": ["s"]}, "must be other studies' names, got"),
        (SamplerConfig, {"grid_points": 1}, {"grid_points": 0}, "sampler.grid_points must be in"),
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


@pytest.mark.parametrize(
    "name",
    [
        "mlflow.db",
        "MLflow.db",
        "mlflow.db-wal",
        "studies",
        "Studies",
        "mlartifacts",
        "sealed_tests.json",
        "..",
        "a/b",
    ],
)
def test_a_study_is_not_named_like_what_lies_beside_it(name):
    with pytest.raises(ValueError, match=r"study\.name must be .* and not mlflow\.db, mlartifacts"):
        study(name=name)


@pytest.mark.parametrize("name", ["/etc/x", "a/b", "../x", "..", ".", "", "a\\b"])
def test_an_experiment_beside_the_studies_cannot_leave_their_folder(name):
    with pytest.raises(ValueError, match=r"tracking\.experiment must be 1 to 250 "):
        TrackingConfig(experiment=name)


def test_a_servers_experiment_may_be_a_path():
    path = "/Users/me@example.org/shop"
    assert TrackingConfig(uri="databricks", experiment=path).experiment == path
    assert TrackingConfig(uri_env="X", experiment=path).experiment == path


def test_a_url_is_given_once():
    with pytest.raises(ValueError, match=r"study\.storage_env must be null where"):
        study(storage="postgresql://h/d", storage_env="X")
    with pytest.raises(ValueError, match=r"tracking\.uri_env must be null where"):
        TrackingConfig(uri="http://h", uri_env="X")
    assert study(storage_env="X").is_shared
    assert not study().is_shared
