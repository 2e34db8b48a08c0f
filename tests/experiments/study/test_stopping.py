"""When a study ends by itself: the expected gain by hand, against chance, and in whole studies."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.study.records import COMPLETE
from experiments.study.stopping import (
    LEAST,
    MOST,
    expected_gain,
    has_found_enough,
    told_apart,
)
from tests.experiments.fake_replay import FakeReplay, Killed, make_config, run_study, told
from tests.experiments.planted_trials import record


def trials(*values, **options):
    return [record(number, value, **options) for number, value in enumerate(values)]


def with_gains(trial, gains):
    return replace(trial, outcome=replace(trial.outcome, user_gains=list(gains)))


def test_a_gap_far_beyond_its_noise_is_kept_and_one_within_it_is_none():
    better, other = trials(0.75, 0.70)
    alike = [0.05, 0.06, 0.04, 0.05]
    # Differences .05, .06, .04, .05: their mean's variance is 1.667e-5, a gap of .05 keeps 99 %.
    found = told_apart(with_gains(better, alike), with_gains(other, [0.0] * 4))
    assert found == pytest.approx(0.05 * (1 - (2e-4 / 3 / 4) / 0.05**2))
    torn = [0.6, -0.5, 0.55, -0.45]
    assert told_apart(with_gains(better, torn), with_gains(other, [0.0] * 4)) == 0.0


def test_without_users_a_gap_is_what_it_is():
    better, other = trials(0.75, 0.70)
    assert told_apart(better, other) == pytest.approx(0.05)
    assert told_apart(other, better) == 0.0


def test_one_best_ahead_of_equals_is_worth_half_its_lead():
    values = [0.5] * LEAST
    values[3] = 0.6
    # The random half has the best with chance 1/2; of 20 places the last few are left out.
    assert expected_gain(trials(*values)) == pytest.approx(0.1 / 2, rel=1e-4)


def test_it_is_what_a_random_half_is_behind():
    rng = np.random.default_rng(4)
    values = np.sort(rng.normal(0.7, 0.03, 400))[::-1]  # The best first: nothing is being learnt.
    behind = [values[0] - values[rng.random(400) < 0.5].max() for _ in range(20_000)]
    assert expected_gain(trials(*values)) == pytest.approx(np.mean(behind), rel=0.03)


def test_a_search_that_is_still_learning_is_expected_to_go_on():
    rising = [0.5 + 0.002 * step for step in range(60)]
    assert expected_gain(trials(*rising)) == pytest.approx(0.002 * 30)


@pytest.mark.parametrize(
    "records",
    [
        trials(*[0.5] * (LEAST - 1)),
        trials(*[0.5] * LEAST, drift=0.9),
        trials(*[0.5] * LEAST, state="pruned"),
        [*trials(*[0.5] * (LEAST - 1), drift=0.9), record(LEAST - 1, 0.5)],
    ],
)
def test_too_few_trials_within_the_guardrails_tell_nothing(records):
    assert expected_gain(records) is None
    assert not has_found_enough(records, 1.0, 0)


def test_stopped_trials_count_but_are_never_among_the_best():
    plain = trials(*[0.6, *[0.5] * (LEAST - 1)])
    pruned = [record(LEAST + number, 0.9, state="pruned") for number in range(5)]
    assert expected_gain([*plain, *pruned]) == expected_gain(plain)


def test_a_study_ends_at_the_most_whatever_is_open():
    rising = trials(*[number / MOST for number in range(MOST)])
    assert has_found_enough(rising, 1e-9, 0)
    assert not has_found_enough(rising[:-1], 1e-9, 0)


def test_a_sampler_that_needs_more_trials_gets_them():
    records = trials(*[0.6] * LEAST)
    assert has_found_enough(records, 0.001, LEAST)
    assert not has_found_enough(records, 0.001, LEAST + 1)


def test_a_study_ends_by_itself_where_it_would_have_and_goes_on_when_told(tmp_path):
    config = make_config(tmp_path / "whole", n_trials="auto", min_gain=0.004)
    whole = run_study(config)
    assert LEAST <= len(whole) < 200
    assert {one.state for one in whole} == {COMPLETE}
    assert expected_gain(whole) < 0.004
    assert (expected_gain(whole[:-1]) or 1.0) >= 0.004

    def kill(number, settings):
        if number == 20:
            raise Killed

    config.output_dir = str(tmp_path / "killed")
    run_study(config, FakeReplay(kill))
    assert [told(one) for one in run_study(config) if one.outcome] == [told(one) for one in whole]
    assert len([one for one in run_study(config) if one.outcome]) == len(whole)
    config.study.n_trials = len(whole) + 3
    assert len([one for one in run_study(config) if one.outcome]) == len(whole) + 3
