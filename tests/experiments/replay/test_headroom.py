"""The oracle knows all clicks but the session's own; ties keep the order of similarity."""

import numpy as np
import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.headroom import rank_by_other_labels
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from tests.experiments.random_log import make_log


@pytest.mark.parametrize("estimator", ["naive", "judged", "logged"])
@pytest.mark.parametrize("window", ["tune", "test"])
@pytest.mark.parametrize("of", ["query", "owner"])
def test_every_score_is_the_mean_of_all_other_sessions(estimator, window, of):
    log = make_log(3, n_sessions=120)
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig(estimator=estimator), window)
    timeline = layout.timeline
    bias = layout.objective.bias
    gains = layout.labels.gains if bias is None else bias.gains
    scores = rank_by_other_labels(layout, of=of)
    objects = log.impression_object[: timeline.n_impressions]
    asker = (timeline.query if of == "query" else timeline.owner)[timeline.session_of]
    for row in range(timeline.n_impressions):
        others = [
            gains[other]
            for other in range(timeline.n_impressions)
            if other != row and objects[other] == objects[row] and asker[other] == asker[row] >= 0
        ]
        assert scores[row] == pytest.approx(sum(others) / (len(others) + 1))
    assert (scores > 0).any()


def test_a_log_that_repeats_itself_has_headroom():
    """Each query likes the same objects whenever it is asked."""
    log = make_log(5, n_sessions=400, n_queries=5)
    liked = (log.session_query[:, None] + np.arange(12)) % 4 == 0
    session = np.repeat(np.arange(400), np.diff(log.impression_offsets))
    relevance = liked[session, log.impression_object].astype(np.float32)
    object.__setattr__(log, "impression_relevance", relevance)
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig())
    result = Replay(layout).score_ranking(rank_by_other_labels(layout, of="query"))
    assert result.metrics["judged_ndcg_at_10"] > 0.9
    assert result.metrics["delta_judged_ndcg_at_10"] > 0.1
