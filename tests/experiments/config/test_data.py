"""What the schema of data sets and what makes them refuses: every bound at its edge."""

import pytest

from experiments.config.data import (
    DatasetConfig,
    EncoderConfig,
    IngestConfig,
    PartsConfig,
    SimulateConfig,
    SimulatedConfig,
)


def ingest(**values):
    return IngestConfig(**{"source": "mind", "path": "a", "output": "b", **values})


@pytest.mark.parametrize(
    ("schema", "good", "bad", "told"),
    [
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
    ],
)
def test_a_value_over_the_edge_is_refused_and_at_the_edge_is_not(schema, good, bad, told):
    schema(**good)
    with pytest.raises(ValueError, match="must") as refused:
        schema(**bad)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_faults_of_own_and_of_joint_ranges_are_told_together():
    with pytest.raises(ValueError, match="simulated") as refused:
        SimulatedConfig(n_shown=1, n_objects=1, n_queries=1, click_noise=2)
    assert len(str(refused.value).splitlines()) == 4
