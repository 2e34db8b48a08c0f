"""By judgements: the metric, how much of the top is judged, and the condensed list."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from tests.experiments.random_log import make_log


def judged_log(share):
    """A log of which about this share of the results is judged."""
    log = make_log(4, n_sessions=200, n_objects=30)
    rng = np.random.default_rng(1)
    relevance = np.where(rng.random(log.n_impressions) < share, log.impression_relevance, np.nan)
    return replace(log, impression_relevance=relevance.astype(np.float32))


def ndcg(gains):
    discounts = 1 / np.log2(np.arange(len(gains)) + 2)
    top = slice(0, 10)
    return (gains * discounts)[top].sum() / (np.sort(gains)[::-1] * discounts)[top].sum()


@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("repeat_clicks", ["count", "ignore"])
def test_judged_metrics_of_every_session_by_hand(share, repeat_clicks):
    objective = ObjectiveConfig(estimator="judged", repeat_clicks=repeat_clicks)
    layout = lay_out(judged_log(share), ReplayConfig(n_blocks=3), objective)
    scores = np.random.default_rng(2).random(len(layout.before))
    sessions = Replay(layout).score_ranking(scores).sessions
    assert len(sessions.session)
    left_out = layout.labels.left_out
    for row, session in enumerate(sessions.session):
        rows = np.arange(*layout.timeline.offsets[session : session + 2])
        if left_out is not None:
            rows = rows[~left_out[rows]]
        order = rows[np.argsort(-scores[rows])]
        judged = layout.log.impression_relevance[order]
        known = ~np.isnan(judged)
        after = {name: values[row] for name, values in sessions.after.items()}
        assert after["judged_ndcg_at_10"] == pytest.approx(ndcg(np.nan_to_num(judged)))
        assert after["judged_at_10"] == pytest.approx(known[:10].mean())
        assert after["condensed_ndcg_at_10"] == pytest.approx(ndcg(judged[known]))


def test_before_and_after_have_means_of_their_own():
    layout = lay_out(judged_log(0.5), ReplayConfig(), ObjectiveConfig(estimator="judged"))
    metrics = Replay(layout).score_ranking(-layout.before).metrics
    for name in ("judged_at_10", "condensed_ndcg_at_10", "judged_ndcg_at_10", "mrr"):
        change = metrics[name] - metrics[f"before_{name}"]
        assert metrics[f"delta_{name}"] == pytest.approx(change)
    assert 0 < metrics["judged_at_10"] < 1


def test_clicks_have_no_judged_metrics():
    layout = lay_out(judged_log(0.5), ReplayConfig(), ObjectiveConfig(estimator="naive"))
    assert not [name for name in layout.scoring.names if "judged" in name or "condensed" in name]
