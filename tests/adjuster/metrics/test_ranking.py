"""The ranking metrics: by hand, as properties, against a naive twin and two peers."""

import itertools

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, R, nDCG
from sklearn.metrics import ndcg_score

from adjuster.metrics import METRIC_NAMES, judge, rank_order, ranking, score_sessions


def scored(labels, scores, offsets, left_out=None):
    judgements = judge(np.array(labels), np.array(offsets), left_out=left_out)
    order = rank_order(np.array(scores, np.float64), np.array(offsets), left_out=left_out)
    return score_sessions(judgements, order)


@st.composite
def ragged(draw, *, ties=False, max_sessions=6):
    lengths = draw(st.lists(st.integers(0, 13), max_size=max_sessions))
    n_rows = sum(lengths)
    labels = draw(st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows))
    levels = draw(st.permutations(range(n_rows)))
    scores = np.array(levels, np.float64) // (3 if ties else 1)
    return np.array(labels), scores, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def naive_session(labels, scores):
    """One session, in plain Python, from the definitions."""
    ranked = [labels[i] for i in sorted(range(len(labels)), key=lambda i: (-scores[i], i))]
    if not any(label > 0 for label in ranked):
        return dict.fromkeys(METRIC_NAMES, np.nan)

    def dcg(gains, cutoff):
        return sum(gain / np.log2(rank + 2) for rank, gain in enumerate(gains[:cutoff]))

    best = sorted(ranked, reverse=True)
    hit_ranks = [rank for rank, label in enumerate(ranked, start=1) if label > 0]
    precisions = [number / rank for number, rank in enumerate(hit_ranks, start=1)]
    return {
        "ndcg_at_5": dcg(ranked, 5) / dcg(best, 5),
        "ndcg_at_10": dcg(ranked, 10) / dcg(best, 10),
        "mrr": 1 / hit_ranks[0],
        "map": sum(precisions) / len(precisions),
        "recall_at_10": sum(rank <= 10 for rank in hit_ranks) / len(hit_ranks),
    }


def test_worked_by_hand():
    # ranked labels: session 0 is 0, 1, 0, 1; session 1 has no positive; session 2 is 2, 1
    found = scored([1, 0, 1, 0, 0, 0, 1, 2], [0.1, 0.9, 0.8, 0.5, 0.4, 0.3, 0.2, 0.7], [0, 4, 6, 8])
    ideal = 1 + 1 / np.log2(3)
    dcg = 1 / np.log2(3) + 1 / np.log2(5)
    np.testing.assert_allclose(found["ndcg_at_10"], [dcg / ideal, np.nan, 1.0])
    np.testing.assert_allclose(found["mrr"], [1 / 2, np.nan, 1.0])
    np.testing.assert_allclose(found["map"], [(1 / 2 + 2 / 4) / 2, np.nan, 1.0])
    np.testing.assert_allclose(found["recall_at_10"], [1.0, np.nan, 1.0])


def test_cutoffs_of_ndcg_and_recall():
    labels, scores = np.zeros(12), -np.arange(12.0)
    labels[[6, 11]] = 1
    found = scored(labels, scores, [0, 12])
    assert found["ndcg_at_5"] == 0
    np.testing.assert_allclose(found["ndcg_at_10"], (1 / np.log2(8)) / (1 + 1 / np.log2(3)))
    assert found["recall_at_10"] == 0.5


def test_equal_scores_are_ranked_by_logged_position():
    assert rank_order(np.array([0.5, 0.7, 0.5, 0.7]), np.array([0, 4])).tolist() == [1, 3, 0, 2]


@given(ragged(ties=True))
def test_equals_a_naive_loop(log):
    labels, scores, offsets = log
    found = scored(labels, scores, offsets)
    for session, (start, end) in enumerate(itertools.pairwise(offsets)):
        expected = naive_session(labels[start:end].tolist(), scores[start:end].tolist())
        for name in METRIC_NAMES:
            np.testing.assert_allclose(found[name][session], expected[name], err_msg=name)


@given(ragged())
def test_every_metric_lies_between_0_and_1_and_the_ideal_ranking_reaches_1(log):
    labels, scores, offsets = log
    found = scored(labels, scores, offsets)
    best = scored(labels, labels, offsets)
    for name in METRIC_NAMES:
        known = found[name][~np.isnan(found[name])]
        assert ((known >= 0) & (known <= 1 + 1e-12)).all()
        assert (best[name] >= found[name] - 1e-12)[~np.isnan(found[name])].all()
    assert np.nanmin(best["ndcg_at_10"], initial=1) == pytest.approx(1)


@given(ragged(), st.data())
def test_leaving_rows_out_equals_a_log_without_them(log, data):
    labels, scores, offsets = log
    n_rows = len(labels)
    left_out = np.array(
        data.draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows)), np.bool_
    )
    found = scored(labels, scores, offsets, left_out)
    kept_before = np.concatenate([[0], np.cumsum(~left_out)])
    smaller = scored(labels[~left_out], scores[~left_out], kept_before[offsets])
    for name in METRIC_NAMES:
        np.testing.assert_allclose(found[name], smaller[name], err_msg=name)


@given(ragged())
def test_float32_scores_rank_alike(log):
    _, scores, offsets = log
    np.testing.assert_array_equal(
        rank_order(scores, offsets), rank_order(scores.astype(np.float32), offsets)
    )


def test_sorting_in_small_batches_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 7, 40)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    scores = rng.integers(0, 4, offsets[-1]).astype(np.float64)
    whole = rank_order(scores, offsets)
    monkeypatch.setattr(ranking, "ROWS_AT_ONCE", 10)
    np.testing.assert_array_equal(rank_order(scores, offsets), whole)


def test_ndcg_equals_scikit_learn():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (30, 17))
    labels[:, 0] = 2
    scores = rng.permuted(np.tile(np.arange(17.0), (30, 1)), axis=1)
    found = scored(labels.ravel(), scores.ravel(), np.arange(0, 31 * 17, 17))
    for cutoff in (5, 10):
        expected = [ndcg_score([y], [s], k=cutoff) for y, s in zip(labels, scores, strict=True)]
        np.testing.assert_allclose(found[f"ndcg_at_{cutoff}"], expected)


def test_every_metric_equals_ir_measures():
    rng = np.random.default_rng(2)
    lengths = rng.integers(1, 25, 40)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    labels = rng.integers(0, 3, offsets[-1])
    labels[offsets[:-1]] = 1
    scores = rng.permutation(offsets[-1]).astype(np.float64)
    session = np.repeat(np.arange(40), lengths).astype(str)
    rows = list(zip(session, np.arange(offsets[-1]).astype(str), labels, scores, strict=True))
    measures = {nDCG @ 5: "ndcg_at_5", nDCG @ 10: "ndcg_at_10", RR: "mrr", AP: "map"}
    measures[R @ 10] = "recall_at_10"
    found = scored(labels, scores, offsets)
    values = ir_measures.iter_calc(
        list(measures),
        [ir_measures.Qrel(s, d, int(y)) for s, d, y, _ in rows],
        [ir_measures.ScoredDoc(s, d, x) for s, d, _, x in rows],
    )
    compared = 0
    for value in values:
        mine = found[measures[value.measure]][int(value.query_id)]
        assert mine == pytest.approx(value.value, abs=1e-9), value
        compared += 1
    assert compared == 5 * 40


def test_no_sessions_and_empty_sessions():
    assert all(len(v) == 0 for v in scored(np.empty(0), np.empty(0), [0]).values())
    assert np.isnan(scored(np.empty(0), np.empty(0), [0, 0, 0])["mrr"]).all()


def test_inputs_stay_untouched():
    labels, scores = np.array([1.0, 0.0]), np.array([0.2, 0.1])
    left_out = np.array([True, False])
    scored(labels, scores, [0, 2], left_out)
    assert labels.tolist() == [1.0, 0.0]
    assert scores.tolist() == [0.2, 0.1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_bad_label_is_named(bad):
    with pytest.raises(ValueError, match=r"labels must be finite and >= 0, got .* at row 1"):
        judge(np.array([0.0, bad]), np.array([0, 2]))


def test_a_score_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="scores must be finite, got nan at row 2"):
        rank_order(np.array([0.0, 1.0, np.nan]), np.array([0, 3]))


def test_rows_that_do_not_fit_the_offsets_are_named():
    with pytest.raises(ValueError, match=r"scores must have shape \(4,\).*got \(3,\)"):
        rank_order(np.zeros(3), np.array([0, 4]))
