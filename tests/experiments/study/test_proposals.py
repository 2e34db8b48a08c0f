"""What samplers are told of trials that were stopped early."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from experiments.study.proposals import history
from experiments.workflow.studies import search_rules
from tests.experiments.fake_replay import make_config


def trial(ordinal, state, value, blocks):
    return create_trial(
        state=state,
        values=None if value is None else [value],
        params={"x": 0.1 * ordinal},
        distributions={"x": optuna.distributions.FloatDistribution(0, 10)},
        user_attrs={
            "ordinal": ordinal,
            "outcome": {"blocks": {str(block): v for block, v in blocks.items()}, "running": {}},
        },
    )


@pytest.fixture
def rules(tmp_path):
    made = make_config(tmp_path)
    made.pruner.name = "wilcoxon"
    return search_rules(made)


BEST = trial(1, TrialState.COMPLETE, 0.5, {0: 0.9, 1: 0.5, 2: 0.1})


def test_a_stopped_trial_counts_as_far_behind_the_best_as_on_the_blocks_both_saw(rules):
    """It saw the two easy blocks only: .66 on average, and .04 behind the best there."""
    worse = trial(0, TrialState.COMPLETE, 0.2, {0: 0.3, 1: 0.2, 2: 0.1})
    stopped = trial(2, TrialState.PRUNED, 0.66, {0: 0.88, 1: 0.44})
    seen = history([stopped, worse, BEST], rules)
    assert [one.params["x"] for one in seen] == pytest.approx([0.0, 0.1, 0.2])
    assert seen[2].state == TrialState.COMPLETE
    assert seen[2].value == pytest.approx(0.5 - 0.04)
    assert seen[1].value == 0.5
    assert set(seen[2].constraints.values()) == {0.0}


def test_without_a_block_in_common_its_own_mean_is_kept(rules):
    stopped = trial(2, TrialState.PRUNED, 0.66, {5: 0.66})
    assert history([BEST, stopped], rules)[1].value == 0.66


def test_other_pruners_leave_it_pruned(rules):
    rules.pruner.name = "median"
    stopped = trial(2, TrialState.PRUNED, 0.66, {0: 0.88, 1: 0.44})
    assert history([BEST, stopped], rules)[1].state == TrialState.PRUNED


def test_failed_trials_stay_failed(rules):
    failed = trial(2, TrialState.FAIL, None, {})
    assert history([BEST, failed], rules)[1].state == TrialState.FAIL
