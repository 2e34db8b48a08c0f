"""Paired comparisons of replays: per-user means, the same sessions, families."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.judging.comparison import (
    Judge,
    adjust_family,
    compare_with,
    compare_with_no_adjustment,
    concatenate,
)
from experiments.replay.results import SessionScores

JUDGE = Judge("ndcg_at_10", seed=0)


def make_scores(user, before, after, *, session=None) -> SessionScores:
    n = len(user)
    return SessionScores(
        session=np.arange(n) if session is None else np.array(session, np.int64),
        owner=np.full(n, -1),
        user=np.array(user, np.int64),
        query=np.zeros(n, np.int64),
        created_at=np.arange(n),
        reached=np.ones(n, bool),
        before={"ndcg_at_10": np.array(before, np.float64)},
        after={"ndcg_at_10": np.array(after, np.float64)},
        refound=np.zeros(n),
    )


def test_gain_over_no_adjustment_worked_by_hand():
    scores = make_scores([0, 0, 1, -1], [0.5, 0.5, 0.2, 0.4], [0.7, 0.5, 0.1, 0.4])
    result = compare_with_no_adjustment(scores, JUDGE)
    # user 0: +.1, user 1: -.1, the unknown user's session: 0
    assert result.gain == pytest.approx(0.0)
    assert result.reference_mean == pytest.approx((0.5 + 0.2 + 0.4) / 3)
    assert result.mean == pytest.approx((0.6 + 0.1 + 0.4) / 3)
    assert (result.n_sessions, result.n_clusters, result.n_changed) == (4, 3, 2)
    assert result.n_users == 2
    assert result.p_value == 1.0


def test_gain_over_another_configuration_uses_both_afters():
    ours = make_scores([0, 1], [0.0, 0.0], [0.9, 0.8])
    other = make_scores([0, 1], [0.0, 0.0], [0.5, 0.6])
    result = compare_with(ours, other, JUDGE, name="the published defaults")
    assert result.gain == pytest.approx(0.3)
    assert result.reference == "the published defaults"


def test_gain_is_the_difference_of_the_two_means():
    rng = np.random.default_rng(0)
    scores = make_scores(rng.integers(-1, 40, 500), rng.random(500), rng.random(500))
    result = compare_with_no_adjustment(scores, JUDGE)
    assert result.gain == pytest.approx(result.mean - result.reference_mean)
    assert result.low < result.gain < result.high


def test_other_sessions_are_refused():
    ours = make_scores([0, 1], [0, 0], [1, 1], session=[4, 5])
    other = make_scores([0, 1], [0, 0], [1, 1], session=[4, 6])
    with pytest.raises(ValueError, match="needs the same scored sessions"):
        compare_with(ours, other, JUDGE, name="b")


def test_many_sessions_of_one_user_are_not_taken_for_evidence():
    rng = np.random.default_rng(1)
    before, after = rng.random(2000), rng.random(2000)
    after[:1900] = before[:1900] + 0.1
    user = np.concatenate([np.zeros(1900, int), np.arange(1, 101)])
    clustered = compare_with_no_adjustment(make_scores(user, before, after), JUDGE)
    apart = compare_with_no_adjustment(make_scores(np.full(2000, -1), before, after), JUDGE)
    assert apart.low > 0.05
    assert clustered.low < 0


def test_a_comparison_without_sessions_says_nothing():
    result = compare_with_no_adjustment(make_scores([], [], []), JUDGE)
    assert (result.n_clusters, result.gain) == (0, 0.0)
    assert np.isnan([result.low, result.high]).all()


def test_a_family_is_adjusted_together():
    rng = np.random.default_rng(2)
    results = [
        compare_with_no_adjustment(
            make_scores(np.arange(50), rng.random(50), rng.random(50) + shift), JUDGE
        )
        for shift in (0.0, 0.15, 0.4)
    ]
    adjusted = adjust_family(results)
    assert [item.p_value for item in adjusted] == [item.p_value for item in results]
    assert adjusted[2].p_holm == pytest.approx(3 * results[2].p_value)
    assert all(item.p_holm >= item.p_value for item in adjusted)


def test_folds_of_bystanders_are_one_table():
    parts = [make_scores([0, 1], [0.1, 0.2], [0.3, 0.4]), make_scores([0], [0.5], [0.6])]
    whole = concatenate(parts)
    assert whole.user.tolist() == [0, 1, 0]
    assert whole.after["ndcg_at_10"].tolist() == [0.3, 0.4, 0.6]
    assert compare_with_no_adjustment(whole, JUDGE).n_clusters == 2


def test_a_higher_confidence_makes_a_wider_interval_of_the_same_gain():
    rng = np.random.default_rng(3)
    scores = make_scores(np.arange(60), rng.random(60), rng.random(60))
    usual = compare_with_no_adjustment(scores, JUDGE)
    strict = compare_with_no_adjustment(scores, replace(JUDGE, confidence=0.99))
    assert strict.gain == usual.gain
    assert strict.low < usual.low < usual.high < strict.high
    assert strict.confidence == 0.99
