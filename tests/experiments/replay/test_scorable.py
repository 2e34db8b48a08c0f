"""What of the sealed test can be scored, counted on fingers; and that counts are all it tells."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.layout import lay_out
from experiments.replay.scorable import CLICK, NEW_CLICK, RELEVANT, Scorable, scorable_in_test
from experiments.replay.timeline import build_timeline
from tests.experiments.hand_log import Session, write_log

DAY = 86_400
HALVES = ReplayConfig(personalize_by="none", split=SplitConfig(warmup=0.0, tune=0.5))

TUNE = (
    Session(0, (0, 1), ((0, 1),), user=0),
    Session(10, (0, 1), ((1, 11),), user=1),
    Session(20, (0, 1), ((0, 21),), user=2),
    Session(30, (0, 1), ((0, 31),), user=2),
    Session(40, (0, 1), (), user=2),
)
TEST = (
    Session(DAY + 0, (0, 1), ((0, DAY + 1),), user=0),  # what user 0 had clicked before
    Session(DAY + 10, (0, 1), (), user=3),
    Session(DAY + 20, (0, 1), ((1, DAY + 21),), user=1, query=1),
    Session(DAY + 30, (0, 1), ((1, DAY + 31),), user=-1, query=1),
    Session(2 * DAY, (0, 1), ((0, 2 * DAY), (1, 2 * DAY)), user=0, query=1),
)


def count(config=HALVES, log=None, **objective) -> Scorable:
    log = write_log(*TUNE, *TEST) if log is None else log
    return scorable_in_test(lay_out(log, config, ObjectiveConfig(**objective)))


def test_sessions_and_users_with_a_click_are_counted():
    assert count(estimator="naive") == Scorable(
        n_sessions=5,
        n_scorable=4,
        n_withheld=0,
        lacking=CLICK,
        n_users=3,  # 0, 1 and 3; 2 is of tune alone
        n_scorable_users=2,
        n_unknown=1,
        n_units=3,  # query 0 and query 1 on the second day, query 1 on the third
    )
    assert count(estimator="naive").n_people == 3


def test_a_click_on_what_the_user_had_clicked_before_does_not_count_where_it_is_ignored():
    found = count(estimator="naive", repeat_clicks="ignore")
    # Of users 0 and 1 only the last session has a click on something new, beside the unknown's.
    assert (found.n_scorable, found.lacking) == (2, NEW_CLICK)
    assert (found.n_scorable_users, found.n_unknown) == (1, 1)


def test_judged_sessions_need_a_relevant_result_whatever_was_clicked():
    log = write_log(*TUNE, *TEST)
    relevance = np.zeros(log.n_impressions, np.float32)
    relevance[[0, 3]] = 1  # in tune
    relevance[[13, 16]] = (2, 1)  # in the second and the fourth session of the test
    relevance[18] = np.nan
    found = count(log=replace(log, impression_relevance=relevance), estimator="judged")
    assert (found.n_sessions, found.n_scorable, found.lacking) == (5, 2, RELEVANT)
    assert (found.n_scorable_users, found.n_unknown) == (1, 1)


def test_withheld_sessions_are_told_apart():
    config = replace(HALVES, bystander_share=0.5)
    log = write_log(*TUNE, *TEST)
    timeline = build_timeline(log, config, window="test")
    expected = int(timeline.withheld[[5, 7, 8, 9]].sum())
    found = count(config, estimator="naive")
    assert 0 < expected < 4
    assert (found.n_withheld, found.n_scorable) == (expected, 4 - expected)


def test_with_vectors_of_their_own_users_share_no_unit():
    own = count(replace(HALVES, personalize_by="user_id"), estimator="naive")
    assert own.n_units == 4  # user 0 on two days, user 1, and the unknown


def test_a_split_without_a_test_counts_nothing():
    split = SplitConfig(warmup=0.0, tune=1.0)
    found = count(replace(HALVES, split=split), estimator="naive")
    assert (found.n_sessions, found.n_scorable, found.n_people, found.n_units) == (0, 0, 0, 0)


def test_a_test_without_any_click_is_counted_too():
    silent = [session._replace(clicks=()) for session in TEST]
    found = count(log=write_log(*TUNE, *silent), estimator="naive")
    assert (found.n_sessions, found.n_scorable, found.n_units) == (5, 0, 0)


@pytest.mark.parametrize("place", [0, 1])
def test_where_the_click_was_makes_no_difference(place):
    moved = [
        session._replace(clicks=tuple((place, at) for _, at in session.clicks[:1]))
        for session in TEST
    ]
    assert count(log=write_log(*TUNE, *moved), estimator="naive") == count(estimator="naive")
