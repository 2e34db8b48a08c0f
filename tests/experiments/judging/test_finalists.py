"""Finalists: each replayed, compared with both references, and on every withheld fifth."""

from functools import partial

import pytest

from experiments.config.replay import ReplayConfig
from experiments.judging.bystanders import N_FOLDS, Replays, compare_bystanders
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate, judge_finalists
from tests.experiments.planted_replay import PlantedReplay, make_settings

DEFAULTS = make_settings()


def judge(candidates, **planted):
    calls: list = []
    make_replay = partial(PlantedReplay, calls=calls, **planted)
    finalists = judge_finalists(
        candidates, DEFAULTS, Replays(make_replay, ReplayConfig()), Judge("ndcg_at_10", seed=0)
    )
    return finalists, calls


def test_finalists_keep_their_order_and_show_the_planted_gain():
    candidates = [
        Candidate(7, make_settings(anchor_weight=0.05)),
        Candidate(3, make_settings(anchor_weight=0.02)),
    ]
    finalists, _ = judge(candidates)
    assert [finalist.trial for finalist in finalists] == [7, 3]
    assert finalists[0].gain.gain == pytest.approx(0.05, abs=0.005)
    assert finalists[1].gain.gain == pytest.approx(0.02, abs=0.005)
    assert finalists[0].gain_over_defaults.gain == pytest.approx(0.05, abs=1e-9)
    assert finalists[0].gain_over_defaults.reference == "the published defaults"


def test_the_defaults_as_a_finalist_gain_nothing_over_themselves():
    finalists, _ = judge([Candidate(0, DEFAULTS)])
    change = finalists[0].gain_over_defaults
    assert (change.gain, change.n_changed) == (0, 0)


def test_every_fifth_of_the_queries_is_withheld_in_turn_on_tune_only():
    _, calls = judge([Candidate(0, DEFAULTS)])
    assert {window for window, _, _ in calls} == {"tune"}
    assert [fold for _, share, fold in calls if share] == [0, 1, 2, 3, 4]
    assert {share for _, share, _ in calls} == {0.0, 1 / N_FOLDS}


def test_bystanders_are_pooled_over_the_folds():
    finalists, _ = judge([Candidate(0, DEFAULTS)], bystander_gain=-0.1)
    change = finalists[0].bystanders
    assert change.n_sessions == 5 * 100
    assert change.high < 0
    assert change.gain == pytest.approx(-0.1, abs=0.01)


def test_no_withheld_session_scored_is_no_comparison():
    class Unscored(PlantedReplay):
        def run(self, settings):
            result = super().run(settings)
            object.__setattr__(result, "bystanders", None)
            return result

    changes = compare_bystanders(
        [DEFAULTS], Replays(Unscored, ReplayConfig()), Judge("ndcg_at_10", seed=0), window="tune"
    )
    assert changes == [None]
