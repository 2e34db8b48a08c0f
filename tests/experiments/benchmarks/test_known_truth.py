"""Whole small studies on simulated logs: nothing is adopted for nothing, and gains are found."""

from dataclasses import replace

import pytest

from experiments.benchmarks.calibration import bound_p_value, count_adopted
from experiments.benchmarks.known_truth import SHOP, iter_studies, study_once
from experiments.config.replay import ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated


def test_a_study_of_a_log_is_the_same_each_time(tmp_path):
    prepare_simulated(tmp_path / "shop", SHOP, 3)
    log = load_click_log(tmp_path / "shop")
    first, second = (study_once(log, ReplayConfig(), seed=3, n_trials=4) for _ in range(2))
    assert first.trial == second.trial
    assert first.test == second.test
    assert first.verdict == second.verdict


def test_a_planted_effect_is_adopted_and_a_null_log_is_not():
    (planted,) = iter_studies(1, null=False, seed=1)
    (null,) = iter_studies(1, null=True, seed=1)
    assert planted.verdict.decision == "adopt"
    assert planted.test.gain > 0.02
    assert null.verdict.decision == "keep off"
    assert abs(null.test.gain) < 0.02


def test_a_log_of_few_users_keeps_off_for_that_reason():
    (few,) = iter_studies(1, null=False, shop=replace(SHOP, n_users=8))
    assert few.verdict.decision == "keep off"
    assert "below 20 no interval can be trusted" in few.verdict.reasons[0]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_forty_null_logs_at_most_one_in_twenty_is_adopted():
    adopted = count_adopted(40, null=True, seed=100)
    assert bound_p_value(adopted, 40, null=True) > 0.05


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_forty_logs_with_an_effect_nine_in_ten_are_adopted():
    assert count_adopted(40, null=False, seed=100) >= 36
