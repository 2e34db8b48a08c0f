"""What a gain is made of: the same whatever the blocks, and adding up to the whole."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.metrics.linear import judge_linear, linear_scores, users_gain
from adjuster.metrics.ranking import rank_order
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.people import users_shares
from experiments.replay.replay import Replay
from experiments.replay.scoring import build_scoring
from tests.experiments.random_log import make_log


def layout_of(estimator, seed=3, config=None, **objective):
    log = make_log(seed, n_sessions=400)
    return lay_out(
        log, config or ReplayConfig(n_blocks=7), ObjectiveConfig(estimator=estimator, **objective)
    )


def other_ranking(layout):
    """A ranking that has nothing to do with the originals, replayed."""
    scores = np.random.default_rng(0).random(len(layout.before))
    return scores, Replay(layout).score_ranking(scores)


@pytest.mark.parametrize("metric", ["ndcg_at_10", "ndcg_at_5", "recall_at_10", "mrr"])
@pytest.mark.parametrize("repeat_clicks", ["count", "ignore"])
def test_the_debiased_value_is_the_ratio_of_users_means(metric, repeat_clicks):
    layout = layout_of("logged", metric=metric, repeat_clicks=repeat_clicks)
    scores, result = other_ranking(layout)
    timeline, bias = layout.timeline, layout.objective.bias
    kept = {"left_out": layout.labels.left_out}
    judged = judge_linear(
        bias.gains,
        timeline.offsets,
        metric=layout.objective.metric,
        clicks=bias.plain_gains,
        **kept,
    )
    sessions = result.sessions.session
    # No two results of a session are as similar to its query: nothing ties.
    before, after = (
        linear_scores(judged, rank_order(one, timeline.offsets, **kept))[sessions]
        for one in (layout.before, scores)
    )
    user = result.sessions.user
    cluster = np.unique(np.where(user < 0, 1000 + np.arange(len(user)), user), return_inverse=True)[
        1
    ]
    expected = users_gain(before, after, judged.attainable[sessions], cluster)
    key = layout.objective.key
    assert result.metrics[key] == pytest.approx(expected.after)
    assert result.metrics[f"delta_{key}"] == pytest.approx(expected.value)
    assert result.sessions.weighted_metric == key
    assert layout.weight[result.sessions.session - timeline.scored_from] @ (
        result.sessions.weight
    ) == pytest.approx(1.0)


def test_the_weights_are_one_over_users_times_their_sessions():
    layout = layout_of("naive", config=ReplayConfig(bystander_share=0.3))
    result = Replay(layout).score_ranking(layout.before)
    scored = result.sessions.session - layout.timeline.scored_from
    user = result.sessions.user
    n_people = len(np.unique(user[user >= 0])) + (user < 0).sum()
    expected = [1 / n_people / (1 if who < 0 else (user == who).sum()) for who in user]
    np.testing.assert_allclose(layout.weight[scored], expected)
    assert layout.weight.sum() == pytest.approx(1.0)
    assert layout.weight[layout.timeline.withheld[layout.timeline.scored_from :]].sum() == 0
    assert result.bystanders.weight is None


@pytest.mark.parametrize(
    ("estimator", "metric", "split"),
    [
        ("naive", "ndcg_at_10", "ndcg_at_10"),
        ("logged", "ndcg_at_5", "debiased_ndcg_at_5"),
    ],
)
def test_all_is_found_again_where_everything_was_clicked_before(estimator, metric, split):
    layout = layout_of(estimator, metric=metric)
    everything = replace(layout.labels, clicked_before=np.ones(len(layout.labels.gains), np.bool_))
    scoring = build_scoring(layout.timeline, layout.objective, everything, layout.blocks)
    _, result = other_ranking(replace(layout, scoring=scoring))
    change = result.sessions.after[split] - result.sessions.before[split]
    assert np.abs(change).max() > 0
    np.testing.assert_allclose(result.sessions.refound, change, atol=1e-12)


@pytest.mark.parametrize("estimator", ["judged", "naive"])
@pytest.mark.parametrize("metric", ["mrr", "ndcg_at_10"])
def test_what_is_found_again_is_counted_in_clicks(estimator, metric):
    """For judgements, MRR and MAP the part is one of the clicks' NDCG@10."""
    layout = layout_of(estimator, metric=metric)
    scores, result = other_ranking(layout)
    timeline, labels = layout.timeline, layout.labels
    for row, session in enumerate(result.sessions.session):
        rows = slice(*timeline.offsets[session : session + 2])
        clicks, again = labels.clicks[rows], labels.clicked_before[rows]
        ideal = (1 / np.log2(np.arange(int(clicks.sum())) + 2)).sum()
        found = [
            (clicks * again)[np.argsort(-one[rows])] @ (1 / np.log2(np.arange(len(clicks)) + 2))
            for one in (layout.before, scores)
        ]
        expected = (found[1] - found[0]) / ideal if clicks.any() else 0.0
        assert result.sessions.refound[row] == pytest.approx(expected)
    assert np.abs(result.sessions.refound).max() > 0


def test_sums_by_position_give_the_gain_under_any_propensities():
    layout = layout_of("estimated", propensity_clip=1e6)
    scores, result = other_ranking(layout)
    sums, bias = result.sessions.positions, layout.objective.bias
    key, timeline = layout.objective.key, layout.timeline
    change = sums.after - sums.before
    at_theta = (change / bias.theta).sum() / (sums.weight / bias.theta).sum()
    assert at_theta == pytest.approx(result.metrics[f"delta_{key}"])
    drawn = bias.draws[3]
    judged = judge_linear(
        layout.labels.clicks / drawn[bias.depth], timeline.offsets, metric="ndcg_at_10"
    )
    order = [rank_order(one, timeline.offsets) for one in (layout.before, scores)]
    share = users_shares(result.sessions.user, np.ones(len(result.sessions.user), np.bool_))
    lift = (linear_scores(judged, order[1]) - linear_scores(judged, order[0]))[
        result.sessions.session
    ]
    assert (change / drawn).sum() == pytest.approx(share @ lift)
    assert sums.draws is bias.draws


@pytest.mark.parametrize("estimator", ["logged", "naive", "judged"])
def test_nothing_varies_with_propensities_that_are_given(estimator):
    layout = layout_of(estimator)
    sessions = other_ranking(layout)[1].sessions
    assert sessions.positions is None
    assert (sessions.weight is None) == (estimator != "logged")


@pytest.mark.parametrize("estimator", ["logged", "estimated", "judged", "naive"])
def test_the_number_of_blocks_changes_no_column(estimator):
    results = [
        other_ranking(layout_of(estimator, config=ReplayConfig(n_blocks=n)))[1] for n in (1, 9)
    ]
    whole, cut = (vars(result.sessions) for result in results)
    for positions in (whole.pop("positions"), cut.pop("positions")):
        assert (positions is not None) == (estimator == "estimated")
    np.testing.assert_equal(cut, whole)
    np.testing.assert_equal(results[1].metrics, results[0].metrics)
