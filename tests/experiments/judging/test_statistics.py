"""Intervals, randomisation test, Holm and effect size: by hand, against SciPy, by simulation."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from adjuster.metrics.interval import Interval
from experiments.judging.statistics import (
    EXACT_UP_TO,
    _flipped_sums,
    cluster_means,
    cluster_numbers,
    effect_size,
    holm,
    mean_interval,
    randomization_p_value,
)


def test_each_session_of_an_unknown_user_is_its_own_cluster():
    numbers = cluster_numbers(np.array([-1, 5, -1, 5, 0]))
    assert numbers.tolist() == [2, 1, 3, 1, 0]


def test_no_sessions_make_no_clusters():
    assert len(cluster_numbers(np.array([], np.int64))) == 0
    assert len(cluster_means(np.array([]), np.array([], np.int64))) == 0


def test_a_busy_user_counts_as_much_as_a_rare_one():
    clusters = cluster_numbers(np.array([1, 1, 1, 2]))
    means = cluster_means(np.array([0.3, 0.6, 0.9, 0.0]), clusters)
    assert means == pytest.approx([0.6, 0.0])


def test_interval_is_never_inside_students_own():
    differences = np.random.default_rng(1).normal(0.02, 0.1, 30)
    interval = mean_interval(differences, seed=3)
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert interval.low <= low + 1e-15
    assert interval.high >= high - 1e-15


def test_interval_of_many_clusters_agrees_with_scipys_bootstrap():
    differences = np.random.default_rng(2).normal(0.02, 0.1, 2000)
    ours = mean_interval(differences, seed=3, n_resamples=8000)
    peer = stats.bootstrap(
        (differences,), np.mean, n_resamples=8000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    error = differences.std(ddof=1) / math.sqrt(2000)
    assert abs(ours.low - peer.low) < 0.15 * error
    assert abs(ours.high - peer.high) < 0.15 * error


def naive_bootstrap_t(values: np.ndarray, seed: int, n_resamples: int) -> tuple[float, float]:
    """Bootstrap-t, one resample at a time."""
    rng, n = np.random.default_rng(seed), len(values)
    error = values.std(ddof=1) / math.sqrt(n)
    ratios = []
    for _ in range(n_resamples):
        sample = values[rng.integers(0, n, size=n, dtype=np.int32)]
        ratios.append((sample.mean() - values.mean()) / (sample.std(ddof=1) / math.sqrt(n)))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(values.mean() - high * error), float(values.mean() - low * error)


def test_interval_follows_skew_as_a_naive_bootstrap_t_does():
    values = 0.1 - 0.1 * np.random.default_rng(4).exponential(size=40)
    interval = mean_interval(values, seed=9, n_resamples=3000)
    low, high = naive_bootstrap_t(values, seed=10, n_resamples=3000)
    student = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert low < student.low, "the sample must be skewed enough for the two to differ"
    assert interval.low == pytest.approx(low, abs=0.15 * (values.mean() - low))
    assert interval.high == pytest.approx(max(high, student.high), abs=0.003)


def test_same_seed_gives_the_same_interval_and_another_seed_another():
    values = np.random.default_rng(5).exponential(size=50) - 1
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_interval_does_not_depend_on_how_resamples_are_chunked(monkeypatch):
    values = np.random.default_rng(5).normal(size=30) / 10
    whole = mean_interval(values, seed=1, n_resamples=500)
    monkeypatch.setattr("experiments.judging.statistics._CHUNK", 30 * 7)
    chunked = mean_interval(values, seed=1, n_resamples=500)
    assert (chunked.low, chunked.high) == pytest.approx((whole.low, whole.high), abs=1e-12)


def naive_interval(values: np.ndarray, seed: int, n_resamples: int) -> tuple[float, float]:
    """The interval that is documented, a resample at a time, from the same draws."""
    n, mean = len(values), values.mean()
    draws = np.random.default_rng(seed).integers(0, n, size=(n_resamples, n), dtype=np.int32)
    ratios = []
    for draw in draws:
        sample = values[draw]
        difference = sample.mean() - mean
        if (sample == sample[0]).all():
            ratios.append(math.copysign(math.inf, difference) if difference else 0.0)
        else:
            ratios.append(difference / math.sqrt(sample.var(ddof=1) / n))
    student = stats.t.ppf(0.975, n - 1)
    upper = max(student, np.quantile(ratios, 0.975, method="higher"))
    lower = min(-student, np.quantile(ratios, 0.025, method="lower"))
    error = math.sqrt(values.var(ddof=1) / n)
    low = max(-1.0, mean - upper * error) if math.isfinite(upper) else math.nan
    return low, min(1.0, mean - lower * error) if math.isfinite(lower) else math.nan


@pytest.mark.parametrize(
    "values",
    [
        [0.03, -0.01, 0.04, -0.01, 0.05, -0.09, 0.02, 0.06, -0.05, 0.03, 0.05, -0.08],
        [-0.4, 0.01, 0.02, 0.0, 0.03, 0.01, 0.02, 0.05, 0.01, 0.02],  # a long tail of losses
        [0.4, -0.01, -0.02, 0.0, -0.03, -0.01, -0.02, -0.05, -0.01, -0.02],  # and of gains
        [-0.75, 0.25, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0],  # resamples of nothing but 0
        [0.75, -0.25, -0.25, -0.25, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.125, 0.125, 0.125, 0.5],  # resamples without spread
        [-0.125, -0.125, -0.125, -0.5],
    ],
)
@pytest.mark.parametrize("rows_in_memory", [None, 7])
def test_interval_equals_a_naive_one(values, rows_in_memory, monkeypatch):
    if rows_in_memory is not None:
        monkeypatch.setattr("experiments.judging.statistics._CHUNK", rows_in_memory * len(values))
    interval = mean_interval(np.array(values), seed=3, n_resamples=199)
    expected = naive_interval(np.array(values), 3, 199)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("differences", [[], [0.4], [0.2, 0.2], [0.1, 0.5, 0.3]])
def test_interval_says_its_confidence(differences):
    assert mean_interval(np.array(differences), seed=0, confidence=0.8).confidence == 0.8


def test_two_clusters_that_agree_are_their_value_and_two_opposites_say_nothing():
    agreed = mean_interval(np.array([0.25, 0.25]), seed=0)
    assert (agreed.low, agreed.high) == (0.25, 0.25)
    opposite = mean_interval(np.array([1.0, -1.0]), seed=0)
    assert math.isnan(opposite.low)
    assert math.isnan(opposite.high)


@pytest.mark.parametrize("differences", [[], [0.4]])
def test_one_cluster_or_none_says_nothing(differences):
    interval = mean_interval(np.array(differences), seed=0)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert not interval.determined


def test_an_end_that_the_bootstrap_cannot_place_is_undetermined_and_not_the_bound():
    # 5 % of resamples of 76 hold none of the three that differ: their t is infinite
    differences = np.concatenate([np.zeros(73), [0.02, 0.03, 0.05]])
    interval = mean_interval(differences, seed=0)
    assert math.isnan(interval.high)
    assert not interval.determined
    assert -1 < interval.low < differences.mean()
    mirrored = mean_interval(-differences, seed=0)
    assert math.isnan(mirrored.low)
    assert differences.mean() > -mirrored.high > -1


def test_neither_better_nor_worse_follows_from_an_undetermined_end():
    interval = Interval(math.nan, math.nan).within((-1.0, 1.0))
    assert not interval.low > -1
    assert not interval.high < 1


def test_interval_of_equal_differences_is_that_difference():
    interval = mean_interval(np.full(30, 0.25), seed=0)
    assert (interval.low, interval.high) == (0.25, 0.25)


def test_interval_stays_within_what_two_metrics_can_differ():
    interval = mean_interval(np.array([0.9, -0.9, 1.0, -0.8, 0.7]), seed=0)
    assert (interval.low, interval.high) == (-1.0, 1.0)


@pytest.mark.parametrize("n", [3, 8, EXACT_UP_TO])
def test_exact_p_value_equals_scipys_permutation_test(n):
    rng = np.random.default_rng(n)
    after, before = rng.random(n), rng.random(n) - 0.1
    peer = stats.permutation_test(
        (after, before),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert randomization_p_value(after - before, seed=0) == pytest.approx(peer.pvalue)


def test_sampled_p_value_is_near_scipys():
    rng = np.random.default_rng(7)
    differences = rng.normal(0.03, 0.1, 60)
    peer = stats.permutation_test(
        (differences, np.zeros(60)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    ours = randomization_p_value(differences, seed=0, n_flips=20_000)
    assert ours == pytest.approx(peer.pvalue, abs=4 * math.sqrt(peer.pvalue / 20_000) + 1e-4)


@pytest.mark.parametrize("n", [13, 16, 21])
def test_sampled_p_value_is_near_that_of_all_flips(n):
    differences = np.random.default_rng(n).normal(0.1, 0.25, n)
    signs = 1 - 2 * (np.arange(1 << n)[:, None] >> np.arange(n) & 1)
    every = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12)
    sampled = randomization_p_value(differences, seed=0, n_flips=20_000)
    assert sampled == pytest.approx(every, abs=4 * math.sqrt(every / 20_000) + 1e-4)


def test_ties_of_lattice_differences_count_as_extreme():
    assert randomization_p_value(np.array([0.1, 0.1, 0.1, 0.1]), seed=0) == 2 / 16


def test_clusters_without_a_difference_do_not_change_the_p_value():
    moving = np.array([0.1, -0.2, 0.3, 0.4])
    padded = np.concatenate([moving, np.zeros(500)])
    assert randomization_p_value(padded, seed=0) == randomization_p_value(moving, seed=0)


@pytest.mark.parametrize("n", [0, 40])
def test_p_value_is_one_where_nothing_differs(n):
    assert randomization_p_value(np.zeros(n), seed=0) == 1.0


def test_sampled_p_value_is_never_zero():
    assert randomization_p_value(np.full(200, 0.5), seed=0, n_flips=99) == 0.01


def test_same_seed_gives_the_same_p_value_and_another_seed_another():
    differences = np.random.default_rng(4).normal(0.1, 1, 30)
    p_values = [randomization_p_value(differences, seed=seed) for seed in (1, 1, 2)]
    assert p_values[0] == p_values[1] != p_values[2]


def test_every_flip_of_eight_signs_is_drawn():
    values = 2.0 ** np.arange(8)
    sums = _flipped_sums(values, 10_000, np.random.default_rng(0))
    assert sorted(set(sums.tolist())) == [float(odd) for odd in range(-255, 256, 2)]


def test_p_values_are_uniform_where_nothing_is_true():
    rng = np.random.default_rng(11)
    p_values = [randomization_p_value(rng.normal(size=25), seed=i, n_flips=400) for i in range(400)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_holm_worked_by_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1 = .02 .03 .06 .04, and .04 may not fall below .06
    adjusted = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_is_at_most_one_and_keeps_an_empty_family():
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert len(holm(np.array([]))) == 0


def test_holm_lies_between_the_p_value_and_bonferroni():
    p_values = np.random.default_rng(3).random(20) / 5
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(p_values * 20, 1) + 1e-15).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()


def test_effect_size_worked_by_hand():
    # mean .2, deviations -.1 0 .1, sample variance .01
    assert effect_size(np.array([0.1, 0.2, 0.3])) == pytest.approx(2.0)
    assert effect_size(np.array([0.0, 0.2])) == pytest.approx(math.sqrt(0.5))
    assert effect_size(np.array([0.1, 0.2, 0.3]) * 1e-6) == pytest.approx(2.0)


def test_effect_size_where_it_is_not_defined():
    assert effect_size(np.zeros(5)) == 0.0
    assert math.isnan(effect_size(np.array([0.3])))
    assert math.isnan(effect_size(np.full(5, 0.25)))


Draw = Callable[[np.random.Generator, int], np.ndarray]
NULLS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "long tail of losses": lambda rng, n: 1 - rng.exponential(size=n),
    "long tail of gains": lambda rng, n: rng.exponential(size=n) - 1,
    "heavy tails": lambda rng, n: rng.standard_t(3, size=n),
    "four of five unchanged": lambda rng, n: rng.normal(size=n) * (rng.random(n) < 0.2),
    "users of unequal length": lambda rng, n: (
        rng.normal(size=n) / np.sqrt(rng.geometric(0.3, size=n))
    ),
    "few distinct values": lambda rng, n: rng.choice([-0.37, -0.13, 0, 0, 0, 0.13, 0.37], n),
}


def count_false_gains(draw: Draw, n_clusters: int, n_logs: int, n_resamples: int) -> int:
    """How often the lower end lies above a true mean of 0."""
    rng = np.random.default_rng(2024)
    return sum(
        mean_interval(draw(rng, n_clusters) / 50, seed=i, n_resamples=n_resamples).low > 1e-12
        for i in range(n_logs)
    )


@pytest.mark.parametrize("name", NULLS)
def test_a_gain_is_rarely_found_where_there_is_none(name):
    n_false = count_false_gains(NULLS[name], n_clusters=20, n_logs=300, n_resamples=400)
    assert stats.binomtest(n_false, 300, 0.05, alternative="greater").pvalue > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("n_clusters", [20, 40, 100, 400])
@pytest.mark.parametrize("name", NULLS)
def test_the_lower_end_errs_at_most_one_time_in_twenty(name, n_clusters):
    n_false = count_false_gains(NULLS[name], n_clusters, n_logs=2000, n_resamples=1000)
    assert stats.binomtest(n_false, 2000, 0.05, alternative="greater").pvalue > 0.001
    if n_clusters == 400:
        assert stats.binomtest(n_false, 2000, 0.025, alternative="greater").pvalue > 0.001


@pytest.mark.parametrize("n_clusters", [60, 300])
def test_the_interval_is_not_wider_than_it_must_be(n_clusters):
    rng = np.random.default_rng(8)
    covered = [
        (interval := mean_interval(rng.normal(size=n_clusters) / 10, seed=i, n_resamples=500)).low
        <= 0
        <= interval.high
        for i in range(400)
    ]
    assert 0.92 <= np.mean(covered) <= 0.985


@pytest.mark.parametrize("n", [4, 20])
def test_p_value_is_one_where_gains_and_losses_cancel(n):
    """Every flip is at least as far from 0 as what was observed: all of 2^4, and sampled ones."""
    assert randomization_p_value(np.tile([0.25, -0.25], n // 2), seed=0) == 1.0


def test_bounds_of_a_mean_are_those_of_its_values():
    differences = np.array([9.0, -9.0, 10.0, -8.0, 7.0])
    interval = mean_interval(differences, seed=0, bounds=(-10.0, 10.0))
    assert (interval.low, interval.high) == (-10.0, 10.0)
    low = mean_interval(differences, seed=0, bounds=(-2.0, 10.0))
    assert (low.low, low.high) == (-2.0, 10.0)


def test_an_interval_is_undetermined_if_either_end_is():
    assert Interval(-0.1, 0.2).determined
    assert not Interval(math.nan, 0.2).determined
    assert not Interval(-0.1, math.nan).determined
    assert Interval(-3.0, 3.0, 0.9).within((-1.0, 2.0)) == Interval(-1.0, 2.0, 0.9)


def test_a_row_wider_than_memory_is_drawn_by_itself(monkeypatch):
    values = np.random.default_rng(5).normal(size=30) / 10
    whole = mean_interval(values, seed=1, n_resamples=50)
    monkeypatch.setattr("experiments.judging.statistics._CHUNK", 10)
    alone = mean_interval(values, seed=1, n_resamples=50)
    assert (alone.low, alone.high) == pytest.approx((whole.low, whole.high), abs=1e-12)
