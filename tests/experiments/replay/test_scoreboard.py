"""From scores to figures, counted on paper: two results a search, the clicked one on top or not."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adjuster.metrics.ranking import METRIC_NAMES
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.drift_growth import sum_drift
from experiments.replay.exact_sums import ExactSums
from experiments.replay.layout import Layout, lay_out
from experiments.replay.replay import Replay
from experiments.replay.results import SessionScores
from experiments.replay.schedule import build_schedule
from experiments.replay.scoreboard import Scoreboard, curve, mean_of, summarize
from tests.experiments.hand_log import Session, write_log

SECOND = 1 / math.log2(3)
"""NDCG of one relevant result in the second place."""


def search(number: int, clicked: int | None, *, user: int = 0, query: int = 0) -> Session:
    """Object 0, which is nearest to query 0, and object 1; one of them or none is clicked."""
    at = 100 * (number + 1)
    return Session(at, (0, 1), () if clicked is None else ((clicked, at + 1),), user, query)


def layout_of(*sessions: Session, objective: ObjectiveConfig | None = None, **config) -> Layout:
    config = {"split": SplitConfig(0.0, 1.0), "n_blocks": 1, **config}
    objective = objective or ObjectiveConfig(estimator="naive")
    return lay_out(write_log(*sessions), ReplayConfig(**config), objective, "tune")


def turned(layout: Layout, *sessions: int) -> Scoreboard:
    """A board on which these sessions' results changed places."""
    board = Scoreboard(layout, None)
    for session in sessions:
        rows = slice(*layout.timeline.offsets[session : session + 2])
        board.after[rows] = board.after[rows][::-1]
        board.adjusted[layout.timeline.offsets[session]] = True
    return board


def test_a_session_is_scored_before_and_after_in_its_own_row():
    layout = layout_of(search(0, 0), search(1, 1, user=1), search(2, None), search(3, 1))
    board = turned(layout, 1)
    board.add_block(0)
    result = board.finish(ExactSums())
    rows = result.sessions
    assert rows.session.tolist() == [0, 1, 3]
    assert rows.user.tolist() == [0, 1, 0]
    assert rows.owner.tolist() == [0, 1, 0]
    assert rows.query.tolist() == [0, 0, 0]
    assert rows.created_at.tolist() == [100, 200, 400]
    assert rows.reached.tolist() == [False, True, False]
    assert rows.before["ndcg_at_10"] == pytest.approx([1, SECOND, SECOND])
    assert rows.after["ndcg_at_10"] == pytest.approx([1, 1, SECOND])
    assert rows.before["mrr"] == pytest.approx([1, 0.5, 0.5])
    assert set(rows.before) == set(rows.after) == set(METRIC_NAMES)
    assert result.bystanders is None
    assert result.counts.not_scored == 1


def test_a_result_holds_the_drift_and_the_curve_that_were_found():
    board = turned(layout_of(search(0, 1), search(1, 1)), 0)
    board.add_block(0)
    result = board.finish(sum_drift(np.array([0.2, 0.4])))
    assert result.metrics["drift_mean"] == pytest.approx(0.3)
    assert [point.after for point in result.curve] == pytest.approx([1.0, SECOND])
    assert result.seconds == {}


def test_what_was_not_scored_before_the_window_has_no_row():
    sessions = [search(i, 1) for i in range(4)]
    layout = layout_of(*sessions, split=SplitConfig(0.5, 0.5))
    board = turned(layout, 3)
    board.add_block(0)
    rows = board.finish(ExactSums()).sessions
    assert rows.session.tolist() == [2, 3]
    assert rows.reached.tolist() == [False, True]
    assert rows.after["mrr"] == pytest.approx([0.5, 1])


def test_the_running_value_of_one_user_weighs_sessions_not_blocks():
    layout = layout_of(*[search(i, int(i > 2)) for i in range(5)], n_blocks=2)
    assert [len(block.sessions) for block in layout.blocks] == [3, 2]
    board = turned(layout, 0)
    first, second = board.add_block(0), board.add_block(1)
    assert (first.block, first.n_blocks, first.n_sessions) == (0, 2, 3)
    assert first.value == pytest.approx((SECOND + 2) / 3)
    assert first.running_value == pytest.approx(first.value)
    assert (second.block, second.n_blocks, second.n_sessions) == (1, 2, 5)
    assert second.value == pytest.approx(SECOND)
    assert second.running_value == pytest.approx((2 + 3 * SECOND) / 5)
    assert board.finish(ExactSums()).blocks == [first.value, second.value]
    assert board.seconds > 0


def test_a_block_without_a_scored_session_has_no_value_and_changes_no_mean():
    layout = layout_of(search(0, None), search(1, 0), n_blocks=2)
    board = Scoreboard(layout, None)
    empty = board.add_block(0)
    assert math.isnan(empty.value)
    assert math.isnan(empty.running_value)
    assert empty.n_sessions == 0
    full = board.add_block(1)
    assert (full.value, full.running_value, full.n_sessions) == (1, 1, 1)


def test_withheld_sessions_are_bystanders_and_not_in_the_objective():
    # Of four queries half is withheld; theirs alone are ranked as they were clicked.
    sessions = [search(i, 1, query=i % 4) for i in range(8)]
    layout = layout_of(*sessions, bystander_share=0.5)
    withheld = layout.timeline.withheld
    assert 0 < withheld.sum() < 8
    board = Scoreboard(layout, None)
    board.after.reshape(8, 2)[:] = np.where(withheld[:, None], [0, 1], [1, 0])
    checkpoint = board.add_block(0)
    result = board.finish(ExactSums())
    assert result.bystanders is not None
    assert result.sessions.session.tolist() == np.flatnonzero(~withheld).tolist()
    assert result.bystanders.session.tolist() == np.flatnonzero(withheld).tolist()
    theirs = result.bystanders.after["ndcg_at_10"].mean()
    ours = result.sessions.after["ndcg_at_10"].mean()
    assert ours != pytest.approx(theirs), "else this test could not tell them apart"
    assert checkpoint.value == pytest.approx(ours)
    assert checkpoint.running_value == pytest.approx(ours)
    assert checkpoint.n_sessions == (~withheld).sum()
    assert result.metrics["ndcg_at_10"] == pytest.approx(ours)


def test_withheld_queries_that_no_scored_session_asks_make_no_bystanders():
    layout = layout_of(search(0, 0), search(1, 1), bystander_share=0.01)
    board = Scoreboard(layout, None)
    board.add_block(0)
    withheld = layout.timeline.withheld.any()
    assert (board.finish(ExactSums()).bystanders is None) == (not withheld)


def test_the_objective_is_the_metric_that_was_asked_for():
    layout = layout_of(search(0, 1), objective=ObjectiveConfig(metric="mrr", estimator="naive"))
    assert Scoreboard(layout, None).add_block(0).value == 0.5


def test_the_workers_counts_are_told_where_there_is_a_worker():
    layout = layout_of(search(0, 0), search(1, None), search(2, 1, user=-1), quiet_seconds=10)
    schedule = build_schedule(layout.timeline, SelectionConfig(), interval_seconds=0, batch_size=5)
    board = Scoreboard(layout, schedule)
    board.add_block(0)
    counts = board.finish(ExactSums()).counts
    assert counts.by_fate == {"no_click": 1, "no_owner": 1, "selected": 1}
    assert (counts.not_scored, counts.late_clicks) == (1, 0)
    bare = Scoreboard(layout, None)
    bare.add_block(0)
    counts = bare.finish(ExactSums()).counts
    assert (counts.by_fate, counts.not_scored, counts.late_clicks) == ({}, 1, None)


def test_exploration_stands_beside_the_objective_and_costs_its_gain():
    # A slot is always filled from the ranking before, so all that was gained is lost.
    layout = layout_of(search(0, 1), search(1, 0), search(2, None), exploration_ratio=1.0)
    board = turned(layout, 0)
    board.add_block(0)
    metrics = board.finish(ExactSums()).metrics
    assert metrics["ndcg_at_10"] == 1
    assert metrics["explored_ndcg_at_10"] == pytest.approx((SECOND + 1) / 2)
    assert metrics["exploration_cost"] == pytest.approx(1 - (SECOND + 1) / 2)


def columns(
    *changes: float,
    reached: tuple[bool, ...] | None = None,
    user: tuple[int, ...] | None = None,
) -> SessionScores:
    """Sessions of .5 before adjustment whose metrics change by so much."""
    n = len(changes)
    return SessionScores(
        session=np.arange(n),
        owner=np.zeros(n, np.int64),
        user=np.zeros(n, np.int64) if user is None else np.array(user),
        query=np.zeros(n, np.int64),
        created_at=np.arange(n) * 10,
        reached=np.array(reached or (False,) * n),
        before={name: np.full(n, 0.5) for name in METRIC_NAMES},
        after={name: 0.5 + np.array(changes) for name in METRIC_NAMES},
        refound=np.zeros(n),
        lasting=np.zeros(n),
    )


def test_a_small_fall_is_harm_and_a_rounding_is_none():
    metrics = summarize(columns(-0.005, -1e-6, -1e-12, 0.0, 0.3), "mrr", ExactSums())
    assert metrics["harmed_share"] == 2 / 5


def test_figures_are_means_over_users_of_their_mean_sessions():
    reached = (True, True, True, False, False)
    sessions = columns(0.1, 0.1, 0.1, -0.3, 0.3, reached=reached, user=(4, 4, 4, 7, -1))
    metrics = summarize(sessions, "ndcg_at_10", sum_drift(np.array([0.2, 0.4])))
    assert list(metrics)[:2] == ["ndcg_at_10", "before_ndcg_at_10"]
    assert metrics["reach"] == pytest.approx(1 / 3)
    assert metrics["harmed_share"] == pytest.approx(1 / 3)
    assert metrics["drift_mean"] == pytest.approx(0.3)
    for name in METRIC_NAMES:
        assert metrics[name] == pytest.approx(0.5 + 0.1 / 3)
        assert metrics[f"before_{name}"] == pytest.approx(0.5)
        assert metrics[f"delta_{name}"] == pytest.approx(0.1 / 3)
    assert metrics["session_ndcg_at_10"] == pytest.approx(0.5 + 0.3 / 5)
    assert metrics["delta_session_ndcg_at_10"] == pytest.approx(0.3 / 5)
    assert "session_mrr" not in metrics
    assert summarize(sessions, "mrr", ExactSums())["drift_mean"] == 0


def test_a_column_without_a_value_for_a_session_is_a_mean_over_the_others():
    sessions = columns(0.1, 0.3, 0.3, user=(0, 0, 1))
    sessions.after["mrr"][1] = sessions.before["mrr"][1] = np.nan
    metrics = summarize(sessions, "ndcg_at_10", ExactSums())
    assert metrics["mrr"] == pytest.approx(0.5 + (0.1 + 0.3) / 2)
    assert metrics["ndcg_at_10"] == pytest.approx(0.5 + (0.2 + 0.3) / 2)


def test_a_session_is_harmed_by_the_objective_and_no_other_metric():
    sessions = columns(0.1, 0.1)
    sessions.after["map"][:] = 0.0
    assert summarize(sessions, "mrr", ExactSums())["harmed_share"] == 0
    assert summarize(sessions, "map", ExactSums())["harmed_share"] == 1


def test_the_mean_of_nothing_is_nan_and_one_of_flags_a_share():
    assert math.isnan(mean_of(np.empty(0)))
    assert mean_of(np.array([True, False, False, False])) == 0.25
    many = np.full(100_000, 0.1, np.float32)
    assert mean_of(many) == pytest.approx(float(np.float32(0.1)), abs=1e-9)


def test_the_curve_has_stretches_of_equally_many_sessions_in_order_of_time():
    sessions = columns(0.0, 0.1, 0.2, 0.3, 0.4)
    sessions.created_at[:] = [50, 10, 20, 30, 40]
    points = curve(sessions, "mrr", 2)
    assert [point.n_sessions for point in points] == [3, 2]
    assert [point.created_at for point in points] == [30, 50]
    assert [point.after for point in points] == pytest.approx([0.5 + 0.2, 0.5 + 0.2])
    assert [point.before for point in points] == pytest.approx([0.5, 0.5])
    assert [point.n_sessions for point in curve(sessions, "mrr", 9)] == [1] * 5


class CountsResults:
    """A scorer of its own: how many results stand in another order, and how many there are."""

    columns = ("moved", "shown")

    def __init__(self, layout) -> None:
        self.layout = layout

    def score(self, number, before, after):
        offsets = self.layout.blocks[number].judgements.offsets
        shown = np.diff(offsets).astype(float)
        return {
            "moved": np.add.reduceat(before != after, offsets[:-1]).astype(float),
            "shown": shown,
        }

    def summarize(self, columns, weight, metrics):
        return {"moved_share": float(weight @ (columns["moved"] / columns["shown"]))}


def test_a_scorer_adds_columns_and_their_figure():
    layout = layout_of(*[search(number, 0) for number in range(9)], n_blocks=2)
    layout = replace(layout, scorers=(CountsResults(layout),))
    scores = layout.before.copy()
    scores[:2] = [0.0, 9.0]
    assert Replay(layout).score_ranking(layout.before).metrics["moved_share"] == 0.0
    assert Replay(layout).score_ranking(scores).metrics["moved_share"] == pytest.approx(1 / 9)


def test_a_block_weighs_its_sessions_as_the_users_means_do():
    """Of two users one searched three times; clicks on object 1, which stands second."""
    sessions = [search(0, 0), search(1, 1), search(2, 1), search(3, 1, user=1)]
    layout = layout_of(*sessions, n_blocks=2)
    np.testing.assert_allclose(layout.weight, [1 / 6, 1 / 6, 1 / 6, 1 / 2])
    board = Scoreboard(layout, None)
    first, second = board.add_block(0), board.add_block(1)
    assert first.value == pytest.approx((1 + SECOND) / 2)
    assert second.value == pytest.approx((SECOND / 6 + SECOND / 2) / (4 / 6))
    result = board.finish(ExactSums())
    assert result.metrics["ndcg_at_10"] == pytest.approx(((1 + 2 * SECOND) / 3 + SECOND) / 2)
    assert second.running_value == pytest.approx(result.metrics["ndcg_at_10"])
    assert result.metrics["session_ndcg_at_10"] == pytest.approx((1 + 3 * SECOND) / 4)


def test_drift_grows_to_the_end_of_the_log_by_what_was_found():
    board = turned(layout_of(search(0, 1), search(1, 1)), 0)
    board.add_block(0)
    drift = sum_drift(np.array([0.1, 0.3]))
    assert board.finish(drift, 1.5).metrics["drift_at_log_end"] == pytest.approx(0.3)
    assert board.finish(drift).metrics["drift_at_log_end"] == pytest.approx(0.2)
    rows = board.finish(drift).sessions
    assert summarize(rows, "mrr", drift)["drift_at_log_end"] == pytest.approx(0.2)


def test_a_debiased_objective_weighs_sessions_by_what_they_could_reach(tmp_path):
    """A look at the second place is half as likely: a click there counts twice.

    Of the first user one click on top, one in the second place, which moves up; of the other one
    click in the second place. The most that they could reach is 1, 2 and 2, users' mean 1.75.
    """
    propensities = tmp_path / "propensities.csv"
    propensities.write_text("position,propensity\n0,1.0\n1,0.5\n")
    objective = ObjectiveConfig(estimator="file", propensity_file=str(propensities))
    sessions = [search(0, 0), search(1, 1), search(2, 1, user=1)]
    board = turned(layout_of(*sessions, objective=objective), 1)
    board.add_block(0)
    result = board.finish(ExactSums())
    rows = result.sessions
    assert rows.weighted_metric == "debiased_ndcg_at_10"
    assert rows.weight == pytest.approx([4 / 7, 8 / 7, 8 / 7])
    assert rows.after[rows.weighted_metric] == pytest.approx([4 / 7, 8 / 7, 8 / 7 * SECOND])
    assert rows.before[rows.weighted_metric] == pytest.approx(
        [4 / 7, 8 / 7 * SECOND, 8 / 7 * SECOND]
    )
    assert result.metrics[rows.weighted_metric] == pytest.approx((6 / 7 + 8 / 7 * SECOND) / 2)


def test_clicks_as_they_are_weigh_all_sessions_alike():
    board = turned(layout_of(search(0, 0), search(1, 1)))
    board.add_block(0)
    rows = board.finish(ExactSums()).sessions
    assert (rows.weight, rows.weighted_metric, rows.positions) == (None, "", None)
    assert rows.lasting.tolist() == [0, 0]


def test_what_a_user_finds_again_is_told_from_what_is_new():
    """Object 1 is clicked twice, lifted both times, of one user; by another once."""
    sessions = [search(0, 1), search(1, 1), search(2, 1, user=1), search(3, 1, user=-1)]
    board = turned(layout_of(*sessions), 0, 1, 2, 3)
    board.add_block(0)
    rows = board.finish(ExactSums()).sessions
    assert rows.refound == pytest.approx([0, 1 - SECOND, 0, 0])


def test_sessions_that_cannot_be_scored_are_counted():
    layout = layout_of(search(0, 0), search(1, None), search(2, None), search(3, 1))
    assert (layout.n_in_window, layout.n_scorable) == (4, 2)
    assert layout.weight.tolist() == [0.5, 0, 0, 0.5]


def test_equals_are_ranked_by_similarity_whatever_the_log_showed():
    """Object 1 was shown on top and clicked; a ranking that ties must not know."""
    shown = [Session(100 * at, (1, 0), ((1, 100 * at + 1),)) for at in range(1, 4)]
    layout = layout_of(*shown)
    result = Replay(layout).score_ranking(np.zeros(len(layout.before), layout.before.dtype))
    assert result.sessions.after["mrr"].tolist() == [0.5] * 3
    assert result.metrics["delta_mrr"] == 0
