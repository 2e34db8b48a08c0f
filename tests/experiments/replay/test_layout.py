"""A layout is the same whatever is tried on it, and holds the blocks' scores before."""

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.metrics.ranking import score_sessions
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log

CLICKS = ObjectiveConfig(estimator="naive")


def test_before_is_the_similarity_of_query_and_object():
    log = tiny_log(*[Search(10 * at, 0, at % 3, [0, 1, 2, 3], [(0, 10 * at)]) for at in range(10)])
    layout = lay_out(log, ReplayConfig(), CLICKS, "all")
    queries = log.query_vectors.astype(float)
    # The objects are the axes, so an object's cosine with a query is the query's coordinate.
    coordinates = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    expected = [coordinates[at % 3][:4] for at in range(10)]
    np.testing.assert_allclose(layout.before.reshape(10, 4), expected, atol=1e-6)


def test_each_block_holds_its_order_and_scores_with_the_originals():
    layout = lay_out(make_log(2, n_sessions=90), ReplayConfig(n_blocks=3), CLICKS)
    ranked = layout.originals
    assert len(ranked.orders) == len(ranked.scores) == len(layout.blocks) == 3
    for block, order, scores in zip(layout.blocks, ranked.orders, ranked.scores, strict=True):
        again = score_sessions(block.judgements, order)
        assert scores.keys() == again.keys()
        for name, values in scores.items():
            np.testing.assert_array_equal(values, again[name])


def test_one_layout_can_be_replayed_by_many_and_is_left_as_it_was():
    layout = lay_out(make_log(3, n_sessions=120), ReplayConfig(), CLICKS)
    before = layout.before.copy()
    wild, mild = (
        Settings(AdjusterConfig(adjustment_rate=rate), SelectionConfig()) for rate in (0.3, 0.01)
    )
    first = Replay(layout).run(mild)
    other = Replay(layout)
    other.run(wild)
    np.testing.assert_array_equal(layout.before, before)
    assert other.run(mild).metrics == first.metrics


def test_columns_beside_the_measures_are_filled_only_where_asked_for():
    log = make_log(4)
    assert lay_out(log, ReplayConfig(), CLICKS).scorers == ()
    (explored,) = lay_out(log, ReplayConfig(exploration_ratio=0.2), CLICKS).scorers
    assert explored.columns == ("explored",)


def test_owners_never_share_a_pair_so_that_they_can_be_replayed_apart():
    """Half of the owners alone end with the copies that they have among all."""
    log = make_log(5, n_sessions=150, n_users=6)
    layout = lay_out(log, ReplayConfig(n_blocks=1), CLICKS, "all")
    setting = Settings(AdjusterConfig(adjustment_rate=0.1), SelectionConfig())
    whole = Replay(layout).run(setting).sessions
    half = np.array(log.session_user)
    half[half >= 3] = -1
    alone = make_log(5, n_sessions=150, n_users=6)
    object.__setattr__(alone, "session_user", half)
    part = Replay(lay_out(alone, ReplayConfig(n_blocks=1), CLICKS, "all")).run(setting)
    mine = (whole.owner >= 0) & (whole.owner < 3)
    theirs = part.sessions.owner >= 0
    assert 0 < mine.sum() < len(mine)
    np.testing.assert_array_equal(whole.session[mine], part.sessions.session[theirs])
    np.testing.assert_array_equal(whole.reached[mine], part.sessions.reached[theirs])
    for name, values in whole.after.items():
        np.testing.assert_array_equal(values[mine], part.sessions.after[name][theirs])


@pytest.mark.parametrize("window", ["tune", "test", "all"])
def test_a_layout_says_its_window(window):
    assert lay_out(make_log(6), ReplayConfig(), CLICKS, window).window == window
