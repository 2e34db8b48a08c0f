"""Comparisons of replays: users' means, what sessions share, weights, undetermined ends."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from adjuster.metrics.interval import Interval
from experiments.judging.comparison import (
    Judge,
    cluster_text,
    compare_with,
    compare_with_no_adjustment,
    concatenate,
    select,
    shared_units,
)
from experiments.judging.propensity_uncertainty import with_propensity_draws
from experiments.judging.statistics import mean_interval
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


def test_what_a_weighted_gain_is_compared_with_is_weighted_too():
    """(.2 + .6) / (1 + 3) before and (.1 + .6) / (1 + 3) after."""
    before = {"debiased_ndcg_at_10": np.array([0.2, 0.6])}
    scores = replace(weighted(weight=np.array([1.0, 3.0])), before=before)
    result = compare_with_no_adjustment(scores, Judge("debiased_ndcg_at_10", 0))
    assert (result.reference_mean, result.mean) == pytest.approx((0.2, 0.175))


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


def by_hand():
    """User 0 gains .1 in the mean of two sessions, user 1 gains .3 and user 2 loses .1."""
    return make_scores([0, 0, 1, 1, 2], [0.4, 0.6, 0.2, 0.2, 0.5], [0.6, 0.6, 0.5, 0.5, 0.4])


def test_every_figure_of_a_comparison_worked_by_hand():
    result = compare_with_no_adjustment(by_hand(), JUDGE)
    expected = {
        "metric": "ndcg_at_10",
        "reference": "no adjustment",
        "n_sessions": 5,
        "n_clusters": 3,
        "n_users": 3,
        "n_changed": 3,
        "reference_mean": 0.4,  # of .5, .2 and .5
        "mean": 0.5,
        "gain": 0.1,
        "low": math.nan,  # three users are too few to place an end
        "high": math.nan,
        "confidence": 0.95,
        "clustering": "users",
        "error": 0.2 / math.sqrt(3),
        "n_effective": 3.0,
        "session_gain": 0.7 / 5,
        "effect_size": 0.5,
    }
    assert asdict(result) == pytest.approx(expected, nan_ok=True)


def test_the_interval_is_as_the_judge_wants_it():
    """Users of one session each, all of one weight: the interval is that of their mean."""
    gains = 0.1 * np.random.default_rng(4).exponential(size=40) - 0.1
    scores = make_scores(np.arange(40), np.zeros(40), gains)
    result = compare_with_no_adjustment(scores, Judge("ndcg_at_10", 7, 0.8, 150))
    expected = mean_interval(gains, seed=7, confidence=0.8, n_resamples=150)
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high))
    assert result.confidence == 0.8


def test_a_comparison_of_nothing_has_no_figure_but_its_terms():
    nothing = {
        "metric": "ndcg_at_10",
        "reference": "no adjustment",
        "n_sessions": 0,
        "n_clusters": 0,
        "n_users": 0,
        "n_changed": 0,
        "reference_mean": 0.0,
        "mean": 0.0,
        "gain": 0.0,
        "low": math.nan,
        "high": math.nan,
        "confidence": 0.8,
        "clustering": "users",
        "error": math.nan,
        "n_effective": 0.0,
        "session_gain": 0.0,
        "effect_size": math.nan,
    }
    result = compare_with_no_adjustment(make_scores([], [], []), replace(JUDGE, confidence=0.8))
    assert asdict(result) == pytest.approx(nothing, nan_ok=True)


def test_a_refusal_names_the_other_and_says_how_many_there_are():
    ours = make_scores([0, 1], [0, 0], [1, 1], session=[4, 5])
    other = make_scores([0, 1, 2], [0] * 3, [1] * 3, session=[4, 6, 7])
    with pytest.raises(ValueError, match="Comparing with") as refusal:
        compare_with(ours, other, JUDGE, name="Rocchio")
    assert str(refusal.value) == (
        "Comparing with Rocchio needs the same scored sessions on both sides, got 2 and 3 that "
        "are not the same. Replay both on one data set with one replay configuration."
    )


@pytest.mark.parametrize(
    ("n_users", "n_clusters", "words"),
    [
        (1, 1, "1 user"),
        (2, 2, "2 users"),
        (0, 0, "0 users"),
        (1234, 1234, "1,234 users"),
        (1, 2, "1 user and 1 session of unknown users"),
        (2, 1236, "2 users and 1,234 sessions of unknown users"),
        (0, 1, "1 session of unknown users"),
        (0, 3, "3 sessions of unknown users"),
    ],
)
def test_who_counts_is_said_in_words(n_users, n_clusters, words):
    comparison = compare_with_no_adjustment(by_hand(), JUDGE)
    assert cluster_text(replace(comparison, n_users=n_users, n_clusters=n_clusters)) == words


def test_either_end_alone_leaves_an_interval_undetermined():
    whole = replace(compare_with_no_adjustment(by_hand(), JUDGE), low=-0.1, high=0.3)
    assert whole.is_determined
    assert not replace(whole, low=math.nan).is_determined
    assert not replace(whole, high=math.nan).is_determined


def test_sessions_of_unknown_users_may_be_anybodys_and_share_query_and_day():
    scores = make_scores([0, -1, -1], [0] * 3, [0] * 3, query=[5, 6, 6], created_at=[1, 2, 3])
    assert shared_units(scores).tolist() == [1, 0, 0]


def unsure(before, after):
    """A mean gain of .05 weighted by propensities of two positions, of which there are two draws.

    Under a draw (p, q) a sum by position (a, b) is worth (a/p + b/q) / (.5/p + .5/q).
    """
    n = 50
    scores = make_scores(
        np.arange(n),
        np.zeros(n),
        0.05 + 0.01 * np.sin(np.arange(n)),
        metric="debiased_ndcg_at_10",
        weight=np.ones(n),
        weighted_metric="debiased_ndcg_at_10",
    )
    sums = PositionSums(
        before=np.array(before),
        after=np.array(after),
        weight=np.array([0.5, 0.5]),
        draws=np.array([[1.0, 0.5], [1.0, 0.25]]),
    )
    return replace(scores, positions=sums)


DEBIASED = Judge("debiased_ndcg_at_10", 0)


def ends(comparison):
    return (comparison.low, comparison.high)


def test_propensities_widen_by_what_the_drawn_gains_differ_worked_by_hand():
    """-.1 and .12: (-.1 + .24) / 1.5 under one draw, (-.1 + .48) / 2.5 under the other."""
    scores = unsure(before=[0.3, 0.1], after=[0.2, 0.22])
    sure = compare_with_no_adjustment(replace(scores, positions=None), DEBIASED)
    widened = with_propensity_draws(
        sure.gain, Interval(*ends(sure)), np.array([0.14 / 1.5, 0.38 / 2.5])
    )
    result = compare_with_no_adjustment(scores, DEBIASED)
    assert ends(result) == pytest.approx((widened.low, widened.high))
    assert result.high - result.low > sure.high - sure.low


def test_against_another_configuration_it_is_the_two_afters_that_the_draws_compare():
    """.2 - .1 and .22 - .2: (.1 + .04) / 1.5 under one draw, (.1 + .08) / 2.5 under the other."""
    ours = unsure(before=[0.3, 0.1], after=[0.2, 0.22])
    theirs = unsure(before=[0.3, 0.1], after=[0.1, 0.2])
    theirs = replace(theirs, after={"debiased_ndcg_at_10": np.zeros(50)})
    sure = compare_with(replace(ours, positions=None), theirs, DEBIASED, name="b")
    assert sure == compare_with(ours, replace(theirs, positions=None), DEBIASED, name="b")
    widened = with_propensity_draws(
        sure.gain, Interval(*ends(sure)), np.array([0.14 / 1.5, 0.18 / 2.5])
    )
    result = compare_with(ours, theirs, DEBIASED, name="b")
    assert ends(result) == pytest.approx((widened.low, widened.high))


def test_propensities_leave_a_metric_alone_that_is_not_weighted_by_them():
    scores = replace(unsure(before=[0.3, 0.1], after=[0.2, 0.22]), weighted_metric="another")
    sure = compare_with_no_adjustment(replace(scores, positions=None), DEBIASED)
    assert compare_with_no_adjustment(scores, DEBIASED) == sure


def test_sums_by_position_are_of_whole_replays_and_are_left_out():
    scores = unsure(before=[0.3, 0.1], after=[0.2, 0.22])
    assert concatenate([scores, scores]).positions is None
    assert select(scores, np.ones(50, bool)).positions is None


def test_some_rows_are_picked_out_of_every_column():
    some = select(by_hand(), np.array([True, False, False, True, False]))
    assert some.session.tolist() == [0, 3]
    assert some.user.tolist() == [0, 1]
    assert some.created_at.tolist() == [0, 3 * 3600]
    assert some.before["ndcg_at_10"].tolist() == [0.4, 0.2]
    assert some.after["ndcg_at_10"].tolist() == [0.6, 0.5]
    assert some.weight is None


def test_rows_keep_the_metric_of_their_weights():
    both = concatenate([weighted(), weighted(weight=np.array([1.0, 3.0]))])
    assert both.weight.tolist() == [0.5, 1.5, 1.0, 3.0]
    assert both.weighted_metric == "debiased_ndcg_at_10"
