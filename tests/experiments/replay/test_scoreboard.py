"""From scores to figures, by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adjuster.metrics.ranking import METRIC_NAMES
from experiments.config.commands import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.results import SessionScores
from experiments.replay.scoreboard import Scoreboard, curve, mean_of, summarize
from experiments.replay.timeline import withheld_queries
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log

WHOLE = SplitConfig(warmup=0.0, tune=0.9)


def rows(before, after, created_at=None, reached=None):
    """Scored sessions that have these values of MRR, and of every other metric."""
    n = len(before)
    number = np.arange(n)
    return SessionScores(
        session=number,
        owner=number,
        user=number,
        created_at=number if created_at is None else np.array(created_at),
        reached=np.ones(n, bool) if reached is None else np.array(reached),
        before={name: np.array(before, float) for name in METRIC_NAMES},
        after={name: np.array(after, float) for name in METRIC_NAMES},
    )


def test_means_are_over_sessions_and_deltas_are_theirs():
    found = summarize(rows([0.5, 1.0], [1.0, 1.0], reached=[True, False]), "mrr", np.array([0.3]))
    assert (found["mrr"], found["before_mrr"], found["delta_mrr"]) == (1.0, 0.75, 0.25)
    assert (found["drift_mean"], found["reach"], found["harmed_share"]) == (0.3, 0.5, 0.0)


@pytest.mark.parametrize(("fall", "share"), [(0.0, 0.0), (1e-10, 0.0), (2e-9, 0.5), (0.005, 0.5)])
def test_a_session_is_harmed_by_any_fall_that_is_no_rounding(fall, share):
    found = summarize(rows([0.5, 0.5], [0.5 - fall, 0.9]), "mrr", np.empty(0))
    assert found["harmed_share"] == share


def test_nothing_adjusted_is_a_drift_of_zero_and_nothing_scored_has_no_mean():
    assert summarize(rows([1.0], [1.0]), "mrr", np.empty(0))["drift_mean"] == 0.0
    assert math.isnan(mean_of(np.empty(0)))


def test_the_curve_cuts_sessions_by_time_into_stretches():
    points = curve(rows([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [50, 10, 30, 20, 40]), "mrr", 2)
    assert [(point.created_at, point.n_sessions) for point in points] == [(30, 3), (50, 2)]
    assert [point.before for point in points] == [3.0, 3.0]
    assert [point.after for point in points] == [3.0, 3.0]


def test_a_session_without_a_click_is_not_scored():
    log = tiny_log(
        *[Search(10 * at, 0, 0, [0, 1], [(at % 2, 10 * at)] if at % 3 else []) for at in range(10)]
    )
    layout = lay_out(log, ReplayConfig(split=WHOLE, n_blocks=1), ObjectiveConfig(metric="mrr"))
    result = Replay(layout).score_ranking(-np.arange(18.0))
    assert result.sessions.session.tolist() == [1, 2, 4, 5, 7, 8]
    assert result.sessions.after["mrr"].tolist() == [0.5, 1.0, 1.0, 0.5, 0.5, 1.0]
    assert result.counts.to_dict() == {"not_scored": 3}
    assert result.metrics["mrr"] == 0.75


def test_withheld_sessions_count_for_no_block():
    log = make_log(4, n_sessions=120)
    config = ReplayConfig(bystander_share=0.4, n_blocks=3, personalize_by="none")
    layout = lay_out(log, config, ObjectiveConfig(metric="mrr"))
    board = Scoreboard(layout, None)
    checkpoints = [board.add_block(number) for number in range(3)]
    result = board.finish(np.empty(0))
    withheld = withheld_queries(log, config)[log.session_query]
    assert result.bystanders is not None
    assert withheld[result.bystanders.session].all()
    assert not withheld[result.sessions.session].any()
    for block, checkpoint, value in zip(layout.blocks, checkpoints, result.blocks, strict=True):
        mine = np.isin(result.sessions.session, block.sessions)
        assert checkpoint.value == value == pytest.approx(result.sessions.after["mrr"][mine].mean())
        everyone = np.concatenate(
            [
                result.sessions.after["mrr"][mine],
                result.bystanders.after["mrr"][np.isin(result.bystanders.session, block.sessions)],
            ]
        )
        assert value != pytest.approx(everyone.mean(), abs=1e-6)
    assert checkpoints[-1].n_sessions == len(result.sessions.session)
    assert checkpoints[-1].running_value == pytest.approx(result.metrics["mrr"])


def test_a_session_is_reached_where_it_shows_an_adjusted_object():
    log = tiny_log(*[Search(10 * at, 0, 0, [0, 1], [(0, 10 * at)]) for at in range(10)])
    layout = lay_out(log, ReplayConfig(split=WHOLE, n_blocks=1), ObjectiveConfig())
    board = Scoreboard(layout, None)
    board.adjusted[[3, 6, 7]] = True
    board.add_block(0)
    result = board.finish(np.array([0.25, 0.75]))
    assert result.sessions.reached.tolist() == [False, True, False, True, *[False] * 5]
    assert result.metrics["reach"] == pytest.approx(2 / 9)
    assert result.metrics["drift_mean"] == 0.5


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

    def summarize(self, columns, metrics):
        return {"moved_share": columns["moved"].sum() / columns["shown"].sum()}


def test_a_scorer_adds_columns_and_their_figure():
    log = tiny_log(*[Search(10 * at, 0, 0, [0, 1], [(0, 10 * at)]) for at in range(10)])
    layout = lay_out(log, ReplayConfig(split=WHOLE, n_blocks=2), ObjectiveConfig())
    layout = replace(layout, scorers=(CountsResults(layout),))
    scores = layout.before.copy()
    scores[:2] = [0.0, 9.0]
    assert Replay(layout).score_ranking(layout.before).metrics["moved_share"] == 0.0
    assert Replay(layout).score_ranking(scores).metrics["moved_share"] == pytest.approx(1 / 9)
