"""Comparisons of replays: users' means, what sessions share, weights, undetermined ends."""

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.judging.comparison import (
    Judge,
    cluster_text,
    compare_with,
    compare_with_no_adjustment,
    concatenate,
    shared_units,
)
from experiments.replay.results import PositionSums
from tests.experiments.judging.score_rows import make_scores

JUDGE = Judge("ndcg_at_10", seed=0)
DAY = 86_400


def test_gain_over_no_adjustment_worked_by_hand():
    scores = make_scores([0, 0, 1, -1], [0.5, 0.5, 0.2, 0.4], [0.7, 0.5, 0.1, 0.4])
    result = compare_with_no_adjustment(scores, JUDGE)
    # user 0: +.1, user 1: -.1, the unknown user's session: 0
    assert result.gain == pytest.approx(0.0)
    assert result.reference_mean == pytest.approx((0.5 + 0.2 + 0.4) / 3)
    assert result.mean == pytest.approx((0.6 + 0.1 + 0.4) / 3)
    assert (result.n_sessions, result.n_clusters, result.n_changed) == (4, 3, 2)
    assert result.n_users == 2
    assert result.session_gain == pytest.approx(0.1 / 4)
    assert cluster_text(result) == "2 users and 1 session of unknown users"


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
    assert result.is_determined


def test_other_sessions_are_refused():
    ours = make_scores([0, 1], [0, 0], [1, 1], session=[4, 5])
    other = make_scores([0, 1], [0, 0], [1, 1], session=[4, 6])
    with pytest.raises(ValueError, match="needs the same scored sessions"):
        compare_with(ours, other, JUDGE, name="b")


def test_own_vectors_share_nothing_but_the_user():
    assert shared_units(make_scores([0, 0, 1], [0] * 3, [0] * 3)) is None


def test_who_shares_vectors_shares_the_query_and_the_day():
    scores = make_scores(
        [0, 1, 2, 3],
        [0] * 4,
        [0] * 4,
        owner=[0, 0, 0, 0],
        query=[5, 5, 5, 6],
        created_at=[10, DAY - 1, DAY, 10],
    )
    assert shared_units(scores).tolist() == [0, 0, 1, 2]


def test_users_who_err_together_count_as_one():
    """Forty users on four days of one query: what is learnt there on a day helps or hurts all."""
    rng = np.random.default_rng(1)
    day = np.arange(40) % 4
    gains = 0.1 * rng.normal(size=4)[day] + 0.005 * rng.normal(size=40)
    alone = make_scores(np.arange(40), np.zeros(40), gains)
    shared = replace(alone, owner=np.zeros(40, int), query=np.zeros(40, int), created_at=day * DAY)
    by_user = compare_with_no_adjustment(alone, JUDGE)
    together = compare_with_no_adjustment(shared, JUDGE)
    assert by_user.clustering == "users"
    assert together.clustering in ("units", "both")
    assert together.n_effective == pytest.approx(4)
    assert together.high - together.low > 3 * (by_user.high - by_user.low)


def test_an_end_that_the_data_leave_open_is_undetermined_not_a_bound():
    """Three of 76 users changed: a resample without them has no spread."""
    gains = np.zeros(76)
    gains[:3] = -0.01
    result = compare_with_no_adjustment(make_scores(np.arange(76), np.zeros(76), gains), JUDGE)
    assert math.isnan(result.low)
    assert not result.is_determined


def test_nothing_scored_is_undetermined():
    result = compare_with_no_adjustment(make_scores([], [], []), JUDGE)
    assert math.isnan(result.low)
    assert math.isnan(result.high)
    assert (result.n_sessions, result.gain) == (0, 0.0)


def weighted(**columns):
    """Two users, one of whose clicks counts three times."""
    values = {
        "metric": "debiased_ndcg_at_10",
        "weight": np.array([0.5, 1.5]),
        "weighted_metric": "debiased_ndcg_at_10",
    }
    return make_scores([0, 1], [0.0, 0.0], [0.1, 0.6], **{**values, **columns})


def test_a_weighted_gain_is_a_ratio_of_users_means():
    """(0.1 + 0.6) / (0.5 + 1.5): the weights' mean is 1, so the mean is the ratio."""
    result = compare_with_no_adjustment(weighted(), Judge("debiased_ndcg_at_10", 0))
    assert result.gain == pytest.approx(0.35)
    other = weighted(weight=np.array([1.0, 3.0]))
    halved = compare_with_no_adjustment(other, Judge("debiased_ndcg_at_10", 0))
    assert halved.gain == pytest.approx(0.175)


def test_weights_belong_to_their_metric_alone():
    scores = weighted()
    both = replace(
        scores,
        before=scores.before | {"ndcg_at_10": np.zeros(2)},
        after=scores.after | {"ndcg_at_10": np.array([0.2, 0.4])},
        weight=np.array([1.0, 3.0]),
    )
    assert compare_with_no_adjustment(both, JUDGE).gain == pytest.approx(0.3)


def test_unsure_propensities_widen_the_interval_of_the_metric_they_weigh():
    rng = np.random.default_rng(3)
    n = 200
    gains = rng.normal(0.02, 0.05, n)
    scores = make_scores(
        np.arange(n),
        np.zeros(n),
        gains,
        metric="debiased_ndcg_at_10",
        weight=np.ones(n),
        weighted_metric="debiased_ndcg_at_10",
    )
    sums = PositionSums(
        before=np.array([0.3, 0.1]),
        after=np.array([0.2, 0.22]),
        weight=np.array([0.5, 0.5]),
        draws=np.empty((0, 2)),
    )
    judge = Judge("debiased_ndcg_at_10", 0)
    sure = compare_with_no_adjustment(replace(scores, positions=sums), judge)
    draws = np.stack([np.ones(30), rng.uniform(0.3, 0.7, 30)], axis=1)
    unsure = compare_with_no_adjustment(
        replace(scores, positions=replace(sums, draws=draws)), judge
    )
    assert unsure.gain == sure.gain
    assert unsure.low < sure.low
    assert unsure.high > sure.high
    against_itself = compare_with(
        replace(scores, positions=replace(sums, draws=draws)),
        replace(scores, positions=replace(sums, draws=draws)),
        judge,
        name="itself",
    )
    assert against_itself.gain == 0.0


def test_rows_are_put_one_below_the_other():
    one, two = make_scores([0, 1], [0.1, 0.2], [0.3, 0.4]), make_scores([5], [0.5], [0.6])
    both = concatenate([one, two])
    assert both.user.tolist() == [0, 1, 5]
    assert both.after["ndcg_at_10"].tolist() == [0.3, 0.4, 0.6]
    assert len(both.query) == len(both.refound) == 3
    assert both.positions is None
