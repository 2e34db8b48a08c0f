"""The position-debiased mean: by hand, and recovering a planted truth."""

import numpy as np
import pytest

from adjuster.metrics import judge_debiased, rank_order, score_sessions, self_normalised_mean


def test_weights_worked_by_hand():
    judged = judge_debiased(
        np.array([1, 0, 1, 2]), np.array([0.5, 0.1, 0.01, 1.0]), np.array([0, 2, 4]), clip=10.0
    )
    np.testing.assert_allclose(judged.judgements.gains, [2.0, 0.0, 10.0, 2.0])
    np.testing.assert_allclose(judged.session_weights, [2.0, 12.0])
    assert judged.clipped_share == pytest.approx(1 / 3)


def test_equal_propensities_give_the_naive_ndcg():
    rng = np.random.default_rng(0)
    labels, offsets = rng.integers(0, 2, 60), np.arange(0, 61, 12)
    order = rank_order(rng.permutation(60).astype(float), offsets)
    naive = judge_debiased(labels, np.ones(60), offsets).judgements
    halved = judge_debiased(labels, np.full(60, 0.5), offsets).judgements
    np.testing.assert_allclose(
        score_sessions(naive, order)["ndcg_at_10"], score_sessions(halved, order)["ndcg_at_10"]
    )


def test_effective_sample_size_is_kishs():
    assert self_normalised_mean(np.ones(5), np.full(5, 3.0)).effective_sample_size == 5
    mean = self_normalised_mean(np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    assert mean.value == 0.75
    assert mean.effective_sample_size == pytest.approx(16 / 10)


def test_nothing_to_average_is_nan_of_size_0():
    mean = self_normalised_mean(np.array([np.nan]), np.array([1.0]))
    assert np.isnan(mean.value)
    assert mean.effective_sample_size == 0


def test_recovers_the_ndcg_that_position_bias_hides():
    """One relevant result a session; users look at position p with chance 1 / (p + 1)."""
    rng = np.random.default_rng(3)
    n_sessions, n_shown = 20_000, 8
    offsets = np.arange(0, (n_sessions + 1) * n_shown, n_shown)
    relevant = rng.integers(0, n_shown, n_sessions)
    # a ranker that does well just where the logged ranking did badly
    scores = rng.random((n_sessions, n_shown))
    scores[np.arange(n_sessions), relevant] += relevant / n_shown
    order = rank_order(scores.ravel(), offsets)
    truth = np.zeros((n_sessions, n_shown))
    truth[np.arange(n_sessions), relevant] = 1
    examined = 1.0 / (np.arange(n_shown) + 1)
    clicks = truth * (rng.random((n_sessions, n_shown)) < examined)

    def ndcg(labels, propensities):
        judged = judge_debiased(labels.ravel(), propensities.ravel(), offsets)
        values = score_sessions(judged.judgements, order)["ndcg_at_10"]
        return self_normalised_mean(values, judged.session_weights)

    ones = np.ones((n_sessions, n_shown))
    true, naive = ndcg(truth, ones), ndcg(clicks, ones)
    debiased = ndcg(clicks, np.tile(examined, (n_sessions, 1)))
    assert abs(naive.value - true.value) > 0.05
    assert debiased.value == pytest.approx(true.value, abs=0.01)
    assert debiased.effective_sample_size < naive.effective_sample_size


def test_a_propensity_is_only_needed_where_there_is_a_click():
    judged = judge_debiased(np.array([1, 0]), np.array([0.5, np.nan]), np.array([0, 2]))
    np.testing.assert_allclose(judged.judgements.gains, [2.0, 0.0])
    left_out = np.array([True, False])
    judge_debiased(np.array([1, 0]), np.full(2, np.nan), np.array([0, 2]), left_out=left_out)


@pytest.mark.parametrize("bad", [np.nan, 0.0, -0.5, 1.5])
def test_a_bad_propensity_is_named(bad):
    with pytest.raises(ValueError, match=r"propensities must be in \(0, 1\].* at row 1"):
        judge_debiased(np.array([0, 1]), np.array([0.5, bad]), np.array([0, 2]))


def test_a_clip_below_1_is_named():
    with pytest.raises(ValueError, match=r"clip must be >= 1, got 0.5"):
        judge_debiased(np.array([1]), np.array([0.5]), np.array([0, 1]), clip=0.5)
