"""A replay's debiased objective: over blocks as in one piece, and in sign with the truth."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.metrics.linear import judge_linear, linear_scores
from adjuster.metrics.ranking import rank_order
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.replay.debiased_score import (
    DebiasedScore,
    debiased_gain,
    debiased_metric,
    draws_error,
    impressions_of,
    position_bias_of,
    users_shares,
)
from experiments.replay.layout import lay_out
from experiments.replay.position.identifiability import earlier_clicks
from experiments.replay.position_bias import BiasRules
from tests.experiments.random_log import make_log


def small_shop(tmp_path, **options):
    config = SimulatedConfig(
        n_sessions=2000,
        n_users=60,
        n_objects=600,
        n_queries=100,
        n_topics=10,
        dimensions=32,
        **options,
    )
    prepare_simulated(tmp_path / "shop", config, seed=0)
    return load_click_log(tmp_path / "shop")


def learnt_scores(layout):
    """The originals' scores, lifted a little by the user's own earlier clicks on an object."""
    log = impressions_of(layout.timeline)
    user = replace(log, query=log.user)
    return layout.before + 0.3 * np.minimum(earlier_clicks(user), 2)


def debiased(layout, bias, after):
    """Gain over the blocks, its part of error from the propensities, and the plain gain."""
    timeline = layout.timeline
    log = impressions_of(timeline)
    score = DebiasedScore(bias, "ndcg_at_10", log.depth, layout.blocks)
    scored = np.arange(timeline.n_sessions) >= timeline.scored_from
    share = users_shares(log.cluster, scored)
    columns, change = [], 0.0
    for number, block in enumerate(layout.blocks):
        before = layout.before_orders[number]
        order = rank_order(after[block.rows], block.judgements.offsets)
        columns.append(
            (
                score.score(number, before),
                score.score(number, order),
                score.attainable(number),
                log.cluster[block.sessions],
            )
        )
        change = change + score.change_by_position(number, before, order, share[block.sessions])
    old, new, attainable, cluster = (np.concatenate(one) for one in zip(*columns, strict=True))
    gain = debiased_gain(old, new, attainable, cluster)
    mean = float(share[scored] @ attainable[np.argsort(_sessions(layout))])
    assert change.sum() / mean == pytest.approx(gain.value)
    return gain, draws_error(bias, change, mean)


def _sessions(layout):
    return np.concatenate([block.sessions for block in layout.blocks])


def test_blocks_add_up_to_one_piece():
    layout = lay_out(make_log(3, n_sessions=400), ReplayConfig(n_blocks=7), ObjectiveConfig())
    rules = BiasRules(estimator="estimated", clip=1e6)
    bias = position_bias_of(layout.timeline, rules, layout.before)
    after = np.random.default_rng(0).random(len(layout.before))
    gain, error = debiased(layout, bias, after)
    timeline = layout.timeline
    whole = judge_linear(bias.plain_gains, timeline.offsets, metric="ndcg_at_10")
    values = [
        linear_scores(whole, rank_order(scores, timeline.offsets))[timeline.scored_from :]
        for scores in (layout.before, after)
    ]
    cluster = impressions_of(timeline).cluster[timeline.scored_from :]
    expected = debiased_gain(*values, whole.attainable[timeline.scored_from :], cluster)
    assert gain.value == pytest.approx(expected.value)
    assert gain.before == pytest.approx(expected.before)
    assert error > 0


def test_a_gain_that_clicks_hide_is_kept_in_sign(tmp_path):
    """Examined at 1 / rank: debiased clicks see most of the judged gain, bare clicks little."""
    log = small_shop(tmp_path, examination_decay=1.0)
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig(), window="all")
    after = learnt_scores(layout)
    by = {
        name: position_bias_of(
            layout.timeline, BiasRules(estimator=name, clip=100.0), layout.before
        )
        for name in ("logged", "estimated", "naive")
    }
    assert by["estimated"].identifiability.is_identified
    gains = {name: debiased(layout, bias, after) for name, bias in by.items()}
    assert gains["logged"][0].value > 0.01
    assert gains["estimated"][0].value == pytest.approx(gains["logged"][0].value, abs=0.01)
    assert gains["naive"][0].value < 0.5 * gains["estimated"][0].value
    assert gains["logged"][1] == gains["naive"][1] == 0 < gains["estimated"][1]


def test_the_shop_alone_is_judged_unless_asked_otherwise(tmp_path):
    layout = lay_out(small_shop(tmp_path), ReplayConfig(), ObjectiveConfig())
    assert position_bias_of(layout.timeline, BiasRules(), layout.before).chosen == "judged"


def test_metrics_that_are_not_linear_fall_back_to_ndcg():
    assert debiased_metric("map") == "ndcg_at_10"
    assert debiased_metric("recall_at_10") == "recall_at_10"


def test_shares_leave_out_what_is_not_kept():
    share = users_shares(np.array([0, 0, 1, 2]), np.array([True, False, True, False]))
    np.testing.assert_allclose(share, [0.5, 0, 0.5, 0])
