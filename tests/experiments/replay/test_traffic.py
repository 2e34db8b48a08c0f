"""Who clicked, and how many sessions no feedback reaches, counted on fingers."""

from dataclasses import replace

import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.exact_sums import ExactSums
from experiments.replay.judged_replay import JudgedReplay
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.scoreboard import Scoreboard
from tests.experiments.hand_log import Session, write_log

SEARCHES = (
    Session(100, (0, 1), ((0, 101),), user=0, query=0),
    Session(200, (0, 1), ((1, 201), (0, 202)), user=0, query=0),
    Session(300, (0, 1), ((1, 301),), user=1, query=0),
    Session(400, (0, 1), (), user=1, query=1),
    Session(500, (0, 1), ((1, 501),), user=-1, query=1),
    Session(600, (0, 1), ((0, 601),), user=1, query=1),
    Session(700, (0, 1), ((0, 701),), user=1, query=1),
)


def layout_of(person="user", **config):
    config = ReplayConfig(split=SplitConfig(0.0, 1.0), **config)
    log = replace(write_log(*SEARCHES), person=person)
    return lay_out(log, config, ObjectiveConfig(estimator="naive"))


def judged(layout):
    return JudgedReplay(Replay(layout))


def test_traffic_is_that_of_all_sessions():
    traffic = judged(layout_of()).traffic()
    assert traffic.user.tolist() == [0, 0, 1, 1, -1, 1, 1]
    assert traffic.query.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert traffic.created_at.tolist() == list(range(100, 800, 100))
    assert traffic.clicks.tolist() == [1, 2, 1, 0, 1, 1, 1]


def test_a_query_without_a_click_before_is_silent():
    # Of six sessions that can be scored, per user: the first on a query, and the unknown user's.
    assert judged(layout_of()).silent_share() == pytest.approx(4 / 6)
    # Shared by all: the first on query 0 and the first that clicked on query 1.
    assert judged(layout_of(personalize_by="none")).silent_share() == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    ("person", "expected"),
    [("user", [0, 0, 1, 1, -1, 1, 1]), ("session", [0, 0, 1, 1, 6, 1, 1]), ("segment", [0] * 7)],
)
def test_who_counts_as_a_person_can_be_said(person, expected):
    layout = layout_of(person)
    assert judged(layout).traffic().user.tolist() == expected
    board = Scoreboard(layout, None)
    for number in range(len(layout.blocks)):
        board.add_block(number)
    rows = board.finish(ExactSums()).sessions
    assert rows.user.tolist() == [who for row, who in enumerate(expected) if row != 3]
