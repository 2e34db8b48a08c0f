"""What the schema of the live system refuses."""

import pytest

from experiments.config.data import DatasetConfig
from experiments.config.serve import LiveConfig, ServeConfig


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ({"port": 65535}, {"port": 65536}, "serve.port must be in [0, 65535], got 65536."),
        ({"batch_size": 1}, {"batch_size": 0}, "serve.batch_size must be >= 1 session, got 0."),
        ({"lease_seconds": 1}, {"lease_seconds": 0.5}, "serve.lease_seconds must be >= 1 second"),
        (
            {"store_env": "S"},
            {"store": "x.db", "store_env": "S"},
            "serve.store_env must be null where serve.store is given, got S.",
        ),
        (
            {"registry_env": "R", "store": "x.db"},
            {"registry_env": "R", "registry": "sqlite:///x.db"},
            "serve.registry_env must be null where serve.registry is given, got R.",
        ),
    ],
)
def test_a_value_over_the_edge_is_refused_and_at_the_edge_is_not(good, bad, told):
    LiveConfig(**good)
    with pytest.raises(ValueError, match="must") as refused:
        LiveConfig(**bad)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_one_tick_is_a_workers():
    dataset = DatasetConfig(path="x")
    assert ServeConfig(role="worker", once=True, dataset=dataset).once
    for role in ("api", "demo", "rollback"):
        with pytest.raises(ValueError, match="once must be false unless a worker is asked for"):
            ServeConfig(role=role, once=True, dataset=dataset)
    with pytest.raises(ValueError, match="role must be one of worker, api, all, demo, rollback"):
        ServeConfig(role="x", dataset=dataset)
