"""What clicks say of positions, read shard by shard, and of some queries where there are many."""

from contextlib import closing

import numpy as np
import pytest

from experiments.config.replay import SplitConfig
from experiments.replay.partitioned.clicks import read_clicks
from tests.experiments.replay.partitioned.test_replay import log_in, whole_and_cut

SPLIT = SplitConfig(warmup=0.2, tune=0.45)


@pytest.mark.parametrize("n_parts", [1, 4])
@pytest.mark.parametrize("window", ["tune", "test"])
def test_clicks_up_to_tunes_end_are_those_of_the_whole_log(tmp_path, window, n_parts):
    folder = log_in(tmp_path, n_sessions=150)
    whole, cut = whole_and_cut(folder, window=window, split=SPLIT)
    expected = whole().layout.objective.clicks
    with closing(cut(n_parts, "user")) as replay:
        found = read_clicks(replay)
    np.testing.assert_equal(vars(found.log), vars(expected.log))
    np.testing.assert_array_equal(found.score, expected.score)
    assert found.identifiability == expected.identifiability


def test_of_many_impressions_whole_queries_are_drawn_and_said_so(tmp_path):
    folder = log_in(tmp_path, n_sessions=300)
    whole, cut = whole_and_cut(folder, split=SPLIT)
    every = whole().layout.objective.clicks.log
    with closing(cut(4, "user")) as replay:
        found = read_clicks(replay, most=len(every.object) // 2)
    asked = np.isin(every.query, found.log.query)
    assert 0 < asked.sum() < len(asked)
    np.testing.assert_array_equal(found.log.query, every.query[asked])
    np.testing.assert_array_equal(found.log.object, every.object[asked[every.session]])
    np.testing.assert_array_equal(found.log.clicked, every.clicked[asked[every.session]])
    assert found.identifiability.reason.endswith("of the queries, as the log is large.")
