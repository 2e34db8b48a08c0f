"""The worker's ticks, by hand."""

import numpy as np
import pytest

from adjuster.selection import SelectionConfig
from experiments.config.commands import ReplayConfig, SplitConfig
from experiments.replay.schedule import build_schedule
from experiments.replay.timeline import NEVER, build_timeline
from tests.experiments.replay.tiny_log import Search, tiny_log

QUIET = ReplayConfig(quiet_seconds=60)


def schedule_of(log, *, interval=100, batch_size=10, rule=None, config=QUIET, window="all"):
    return build_schedule(
        build_timeline(log, config, window=window),
        rule or SelectionConfig(),
        interval_seconds=interval,
        batch_size=batch_size,
    )


@pytest.mark.parametrize(("second", "is_learnt"), [(100, True), (101, False)])
def test_a_click_at_the_ticks_very_second_is_learnt_and_one_second_later_is_late(second, is_learnt):
    # Marked at 90, a minute after the first click; taken at 100.
    schedule = schedule_of(tiny_log(Search(0, 0, 0, [0, 1], [(0, 30), (1, second)])))
    assert schedule.tick_at.tolist() == [100]
    assert schedule.clicked.tolist() == [True, is_learnt]
    assert schedule.late_clicks == (0 if is_learnt else 1)


def test_a_session_marked_at_the_ticks_very_second_is_taken_by_it():
    marked_at_the_tick, a_second_later = (
        schedule_of(tiny_log(Search(0, 0, 0, [0], [(0, at)]))).tick_at[0] for at in (40, 41)
    )
    assert (marked_at_the_tick, a_second_later) == (100, 200)


@pytest.mark.parametrize(("last_search", "taken"), [(99, False), (100, True), (101, True)])
def test_the_tick_at_the_very_second_of_the_last_search_is_taken(last_search, taken):
    log = tiny_log(
        Search(0, 0, 0, [0, 1], [(0, 40)]),
        Search(last_search, 0, 0, [0, 1], [(0, last_search)]),
        Search(5000, 0, 0, [0]),
        Search(5000, 0, 0, [0]),
    )
    schedule = schedule_of(
        log,
        config=ReplayConfig(quiet_seconds=60, split=SplitConfig(0.25, 0.25)),
        window="tune",
    )
    assert (schedule.tick_at[0] == 100) == taken
    assert (schedule.step[0] == 0) == taken
    assert ("selected" in schedule.counts) == taken


def test_every_session_has_one_fate():
    log = tiny_log(
        Search(0, 0, 0, [0, 1], [(0, 10)]),
        Search(1, 0, 0, [0, 1]),
        Search(2, -1, 0, [0, 1], [(0, 10)]),
        Search(3, 0, 0, [0, 1], [(0, 10)], irrelevant=True),
        Search(4, 1, 0, [0, 1], [(0, 10), (1, 11)]),
    )
    schedule = schedule_of(log, rule=SelectionConfig(max_clicks=1))
    assert schedule.counts == {
        "irrelevant": 1,
        "no_click": 1,
        "no_owner": 1,
        "selected": 1,
        "too_many_clicks": 1,
    }
    assert schedule.step.tolist() == [0, -1, -1, -1, -1]
    assert schedule.tick_at.tolist() == [100, NEVER, NEVER, 100, 100]


def test_a_tick_is_cut_into_batches_in_the_order_of_marking():
    # Marked at 95, 75, 85 in one tick, and one session in the next.
    log = tiny_log(
        Search(0, 0, 0, [0], [(0, 35)]),
        Search(1, 1, 0, [0], [(0, 15)]),
        Search(2, 2, 0, [0], [(0, 25)]),
        Search(3, 0, 0, [0], [(0, 45)]),
    )
    schedule = schedule_of(log, batch_size=2)
    assert schedule.step.tolist() == [1, 0, 0, 2]
    assert schedule.step_at.tolist() == [100, 100, 200]


def test_without_an_interval_a_session_is_taken_when_it_is_marked():
    log = tiny_log(Search(0, 0, 0, [0], [(0, 35)]), Search(1, 1, 0, [0], [(0, 15)]))
    schedule = schedule_of(log, interval=0)
    assert schedule.tick_at.tolist() == [95, 75]
    assert schedule.step.tolist() == [1, 0]


def test_nothing_is_learnt_of_a_log_without_clicks():
    schedule = schedule_of(tiny_log(Search(0, 0, 0, [0]), Search(9, 0, 0, [1])))
    assert schedule.counts == {"no_click": 2}
    assert len(schedule.step_at) == 0
    assert not np.any(schedule.clicked)
