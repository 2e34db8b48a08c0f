"""What the schemas refuse: every bound at its edge, every fault at once."""

import pytest

from experiments.config.commands import CompareConfig, ExportConfig
from experiments.config.data import (
    DatasetConfig,
    EncoderConfig,
    IngestConfig,
    PartsConfig,
    SimulateConfig,
    SimulatedConfig,
)
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.config.study import (
    GuardrailsConfig,
    PrunerConfig,
    SamplerConfig,
    StudyConfig,
    TrackingConfig,
)


def ingest(**values):
    return IngestConfig(**{"source": "mind", "path": "a", "output": "b", **values})


def study(**values):
    return StudyConfig(**{"name": "s", **values})


@pytest.mark.parametrize(
    ("schema", "good", "bad", "told"),
    [
        (ReplayConfig, {"n_blocks": 1}, {"n_blocks": 0}, "replay.n_blocks must be >= 1, got 0."),
        (ReplayConfig, {"bystander_share": 0}, {"bystander_share": 1}, "in [0, 1), got 1."),
        (ReplayConfig, {"exploration_ratio": 1}, {"exploration_ratio": 1.1}, "in [0, 1], got"),
        (ReplayConfig, {"quiet_seconds": 0}, {"quiet_seconds": -1}, ">= 0 seconds, got -1."),
        (ReplayConfig, {"curve_points": 20}, {"curve_points": 19}, ">= 20, got 19."),
        (ReplayConfig, {"personalize_by": "none"}, {"personalize_by": "me"}, "one of user_id"),
        (SplitConfig, {"warmup": 0.5}, {"warmup": 0.6}, "warmup + tune must be at most 1, got"),
        (SplitConfig, {"tune": 0.1}, {"tune": 0}, "replay.split.tune must be in (0, 1], got 0."),
        (ObjectiveConfig, {"metric": "mrr"}, {"metric": "x"}, "one of ndcg_at_5, ndcg_at_10, mrr"),
        (ObjectiveConfig, {"propensity_clip": 1}, {"propensity_clip": 0.9}, ">= 1, got 0.9."),
        (GuardrailsConfig, {"max_mean_drift": 2}, {"max_mean_drift": 2.1}, "in [0, 2] or null"),
        (GuardrailsConfig, {"max_harmed_share": None}, {"max_harmed_share": -1}, "in [0, 1] or"),
        (study, {"name": "a-b_c.1"}, {"name": ".a"}, "not starting with a dot, got .a."),
        (study, {"name": "x" * 100}, {"name": "x" * 101}, "study.name must be 1 to 100 letters"),
        (study, {"seed": 2**32 - 1}, {"seed": 2**32}, "study.seed must be in [0, 4294967296)"),
        (study, {"enqueue": "presets"}, {"enqueue": "all"}, "one of none, profiles, presets"),
        (SamplerConfig, {"grid_points": 1}, {"grid_points": 0}, "sampler.grid_points must be >="),
        (PrunerConfig, {"p_threshold": 0.5}, {"p_threshold": 1}, "in (0, 1), got 1."),
        (TrackingConfig, {"name": "none"}, {"name": "x"}, "tracking.name must be one of mlflow"),
        (DatasetConfig, {"name": "simulated"}, {"name": "mine"}, "dataset.path must be the folder"),
        (SimulatedConfig, {"n_users": 1}, {"n_users": 0}, "simulated.n_users must be >= 1, got 0."),
        (SimulatedConfig, {"n_objects": 600}, {"n_objects": 599}, ">= n_topics * n_shown (600)"),
        (SimulatedConfig, {"n_queries": 30}, {"n_queries": 29}, ">= n_topics (30), got 29."),
        (SimulateConfig, {"seed": 0}, {"seed": -1}, "seed must be >= 0, got -1."),
        (SimulateConfig, {"output": "x"}, {"output": " "}, "output must be a path, got  ."),
        (PartsConfig, {"max_tokens": 1}, {"max_tokens": 0}, "parts.max_tokens must be >= 1"),
        (EncoderConfig, {}, {"name": "sentence_transformers"}, "encoder.model must be the name"),
        (
            ingest,
            {"source": "table", "mapping": "m"},
            {"source": "table"},
            "mapping must be a YAML",
        ),
        (ingest, {"on_error": "quarantine"}, {"on_error": "skip"}, "on_error must be one of fail"),
        (ExportConfig, {"format": "env"}, {"format": "pdf"}, "format must be one of all, yaml,"),
        (CompareConfig, {"studies": ["a", "b"]}, {"studies": ["a"]}, "must name two"),
    ],
)
def test_a_value_over_the_edge_is_refused_and_at_the_edge_is_not(schema, good, bad, told):
    schema(**good)
    with pytest.raises(ValueError, match="must") as refused:
        schema(**bad)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_all_faults_of_a_group_are_told_at_once():
    with pytest.raises(ValueError, match="replay") as refused:
        ReplayConfig(n_blocks=0, batch_size=0, n_threads=-1)
    assert len(str(refused.value).splitlines()) == 3


def test_the_formats_asked_for():
    assert ExportConfig(study="s", format="env").formats == ("env",)
    assert "plugin" in ExportConfig(study="s").formats
