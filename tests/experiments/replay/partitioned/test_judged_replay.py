"""The sealed test of a log in partitions says what the whole log's says, to the last bit."""

from dataclasses import asdict

import numpy as np
import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.judging.bystanders import Replays
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate
from experiments.judging.sealed_test import Terms, open_sealed_test
from experiments.replay.judged_replay import JudgedReplay
from experiments.replay.partitioned.judged_replay import JudgedPartitions
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import replay_maker
from tests.experiments.judging.ledger_in_memory import InMemory
from tests.experiments.judging.planted_opening import seal_of
from tests.experiments.planted_replay import make_settings
from tests.experiments.replay.partitioned.test_replay import NAIVE, log_in


def opened(make, config, key):
    """What the sealed test says of a setting."""
    gentle = make_settings(adjustment_rate=0.02, interval_seconds=3600)
    other = make_settings(adjustment_rate=0.05, interval_seconds=3600)
    terms = Terms(make_settings(), [other], GuardrailsConfig(), Judge(key, seed=3, n_resamples=200))
    candidates = [Candidate(4, gentle), Candidate(5, other)]
    return open_sealed_test(candidates, Replays(make, config), terms, seal_of(InMemory()))


@pytest.mark.parametrize(
    ("objective", "scope", "person", "share"),
    [
        (NAIVE, "user_id", "user", 0.0),
        (NAIVE, "none", "session", 0.0),
        (ObjectiveConfig(estimator="judged"), "user_id", "segment", 0.25),
    ],
)
def test_a_cut_changes_no_verdict(tmp_path, objective, scope, person, share):
    folder = log_in(tmp_path, n_sessions=160)
    by = "user" if scope == "user_id" else "object"
    partition_log(folder, tmp_path / "parts", 3, by=by)
    parts = PartitionedLog(tmp_path / "parts", person=person)
    log = load_click_log(folder)
    object.__setattr__(log, "person", person)
    config = ReplayConfig(
        quiet_seconds=60, n_blocks=4, n_threads=1, personalize_by=scope, bystander_share=share
    )
    key = "ndcg_at_10" if objective is NAIVE else "judged_ndcg_at_10"
    make = replay_maker(log, objective)
    whole = opened(lambda *asked: JudgedReplay(make(*asked)), config, key)
    runs: list[int] = []
    cut = opened(
        lambda settings, window: JudgedPartitions(
            PartitionedReplay(parts, settings, objective, window), lambda: runs.append(1)
        ),
        config,
        key,
    )
    assert cut.verdict == whole.verdict
    np.testing.assert_equal(asdict(cut.evidence), asdict(whole.evidence))
    np.testing.assert_equal(asdict(cut.tune), asdict(whole.tune))
    np.testing.assert_equal(tuple(cut.optimism), tuple(whole.optimism))
    np.testing.assert_equal(vars(cut.test_result.sessions), vars(whole.test_result.sessions))
    assert (whole.evidence.silent_share > 0) == (scope == "user_id")
    assert [rival.name for rival in whole.evidence.rivals].count("popularity") == 1
    assert len(runs) > 8
    assert not list((tmp_path / "parts").glob(".replay-*")), "all is cleared away"
