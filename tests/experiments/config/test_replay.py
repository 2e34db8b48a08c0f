"""What the schema of a replay and its objective refuses: every bound at its edge."""

import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig


@pytest.mark.parametrize(
    ("schema", "good", "bad", "told"),
    [
        (ReplayConfig, {"n_blocks": 1}, {"n_blocks": 0}, "n_blocks must be in [1, 10000], got 0."),
        (ReplayConfig, {"bystander_share": 0}, {"bystander_share": 1}, "in [0, 1), got 1."),
        (ReplayConfig, {"exploration_ratio": 1}, {"exploration_ratio": 1.1}, "in [0, 1], got"),
        (ReplayConfig, {"quiet_seconds": 0}, {"quiet_seconds": -1}, ">= 0 seconds, got -1."),
        (ReplayConfig, {"curve_points": 20}, {"curve_points": 19}, "in [20, 10000], got 19."),
        (ReplayConfig, {"personalize_by": "none"}, {"personalize_by": "me"}, "one of user_id"),
        (SplitConfig, {"warmup": 0.5}, {"warmup": 0.6}, "warmup + tune must be at most 1, got"),
        (SplitConfig, {"tune": 0.1}, {"tune": 0}, "replay.split.tune must be in (0, 1], got 0."),
        (ObjectiveConfig, {"metric": "mrr"}, {"metric": "x"}, "one of ndcg_at_5, ndcg_at_10, mrr"),
        (ObjectiveConfig, {"propensity_clip": 1}, {"propensity_clip": 0.9}, ">= 1, got 0.9."),
        (
            ObjectiveConfig,
            {"estimator": "naive"},
            {"estimator": "ips"},
            "one of auto, judged, logged",
        ),
        (ObjectiveConfig, {"propensity_file": "p.csv"}, {"propensity_file": " "}, "a path or null"),
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
