"""The worker's ticks over a log written by hand: which session is taken when, and with what."""

import numpy as np
import pytest

from adjuster.selection import SelectionConfig
from adjuster.ticks import NEVER, tick_after
from experiments.config.replay import ReplayConfig, SplitConfig
from experiments.replay.schedule import Schedule, build_schedule
from experiments.replay.timeline import build_timeline, withheld_queries
from tests.experiments.hand_log import Session, write_log

QUIET = 60


def schedule_of(
    *sessions: Session,
    interval: int = 100,
    batch_size: int = 10,
    rule: SelectionConfig | None = None,
    window: str = "all",
    **config,
) -> Schedule:
    """The schedule of these sessions, which are marked 60 seconds after their last click."""
    config = {"quiet_seconds": QUIET, "split": SplitConfig(0.0, 1.0), **config}
    timeline = build_timeline(write_log(*sessions), ReplayConfig(**config), window=window)
    return build_schedule(
        timeline, rule or SelectionConfig(), interval_seconds=interval, batch_size=batch_size
    )


@pytest.mark.parametrize(
    ("time", "interval", "tick"),
    [
        (0, 60, 0),
        (1, 60, 60),
        (59, 60, 60),
        (60, 60, 60),
        (61, 60, 120),
        (7, 1, 7),
        (61, 0, 61),
        (NEVER, 60, NEVER),
        (NEVER, 0, NEVER),
    ],
)
def test_a_tick_comes_at_the_next_whole_interval_or_at_once(time, interval, tick):
    assert tick_after(np.array([time]), interval).tolist() == [tick]


def test_times_that_never_come_leave_the_others_alone():
    assert tick_after(np.array([NEVER, 61, NEVER, 5]), 60).tolist() == [NEVER, 120, NEVER, 60]


def test_a_session_is_taken_at_the_first_tick_after_it_is_marked():
    taken = schedule_of(Session(10, (0, 1), ((0, 20),)), Session(500, (0, 1)))
    assert taken.tick_at.tolist() == [100, NEVER]
    assert taken.step.tolist() == [0, -1]
    assert taken.step_at.tolist() == [100]
    assert taken.counts == {"selected": 1, "no_click": 1}
    assert taken.late_clicks == 0


def test_a_session_marked_at_the_tick_is_taken_by_it():
    at_tick = schedule_of(Session(10, (0,), ((0, 40),)), Session(500, (0,)))
    assert at_tick.tick_at[0] == 100
    too_late = schedule_of(Session(10, (0,), ((0, 41),)), Session(500, (0,)))
    assert too_late.tick_at[0] == 200


def test_a_click_at_the_very_second_of_the_tick_is_known_and_one_later_is_late():
    # Quiet after 20 s, marked at 80, taken at 100; the other clicks came once it was marked.
    shown, first = (0, 1, 2), (0, 20)
    taken = schedule_of(Session(10, shown, (first, (1, 100), (2, 101))), Session(500, (0,)))
    assert taken.taken.known_at.tolist() == [100, -1]
    assert taken.taken.n_clicked.tolist() == [2, 0]
    assert taken.late_clicks == 1


def test_a_click_of_a_session_that_is_never_taken_is_not_late():
    unowned = Session(10, (0, 1), ((0, 20), (1, 300)), user=-1)
    taken = schedule_of(unowned, Session(500, (0,)))
    assert taken.counts == {"no_owner": 1, "no_click": 1}
    assert taken.late_clicks == 0
    assert taken.tick_at.tolist() == [NEVER, NEVER]


def test_a_tick_at_the_very_end_is_taken_and_one_after_it_is_not():
    # The window closes with the last search.
    first = Session(10, (0,), ((0, 20),))
    at_the_end = schedule_of(first, Session(100, (0,)), window="tune")
    assert at_the_end.tick_at.tolist() == [100, NEVER]
    assert at_the_end.counts == {"selected": 1, "no_click": 1}
    too_late = schedule_of(first, Session(99, (0,)), window="tune")
    assert too_late.tick_at.tolist() == [NEVER, NEVER]
    assert too_late.counts == {"after_the_end": 1, "no_click": 1}
    assert len(too_late.step_at) == 0


def test_why_a_session_is_not_taken_is_said_in_order():
    log = [Session(10 + i, (0,), ((0, 20 + i),), query=i) for i in range(4)]
    config = ReplayConfig(bystander_share=0.5, quiet_seconds=QUIET)
    withheld = withheld_queries(write_log(*log), config)
    assert withheld[:4].any()
    assert not withheld[:4].all()
    taken = schedule_of(*log, Session(900, (0,)), bystander_share=0.5)
    assert taken.counts["withheld"] == int(withheld[:4].sum())
    assert taken.counts["selected"] == int((~withheld[:4]).sum())
    assert (taken.step[:4] >= 0).tolist() == (~withheld[:4]).tolist()
    # Without an owner it would not be taken even if its query were not withheld.
    unowned = [session._replace(user=-1) for session in log]
    taken = schedule_of(*unowned, Session(900, (0,), user=0), bystander_share=0.5)
    assert taken.counts == {"no_owner": 4, "no_click": 1}


def test_counts_stand_in_order_of_their_names():
    sessions = [
        Session(10, (0,), ((0, 20),), irrelevant=True),
        Session(11, (0,), ((0, 20),)),
        Session(12, (0,)),
    ]
    counts = schedule_of(*sessions).counts
    assert list(counts) == ["irrelevant", "no_click", "selected"]
    assert set(counts.values()) == {1}


def test_the_rule_judges_by_what_has_arrived_at_the_tick():
    # Quiet after 20 s and marked at 80: at the tick at 100 the click at 130 has not come.
    late = Session(10, (0, 1), ((0, 20), (1, 130)))
    two = SelectionConfig(min_clicks=2)
    assert schedule_of(late, Session(500, (0,)), rule=two).counts["too_few_clicks"] == 1
    slow = SelectionConfig(min_duration_seconds=11)
    assert schedule_of(late, Session(500, (0,)), rule=slow).counts["too_short"] == 1
    low = SelectionConfig(min_clicked_position=1)
    assert schedule_of(late, Session(500, (0,)), rule=low).counts["clicks_at_top_only"] == 1


def test_the_rule_counts_objects_seconds_and_positions_from_the_log():
    # Two clicks on one object are one clicked object; the last click is 20 s after the search.
    session = Session(10, (3, 4, 5), ((4, 20), (4, 30)))
    end = Session(500, (0,))

    def counts(**rule):
        return schedule_of(session, end, rule=SelectionConfig(**rule)).counts

    assert counts(min_clicks=1, max_clicks=1)["selected"] == 1
    assert counts(min_clicks=2)["too_few_clicks"] == 1
    assert counts(min_duration_seconds=20)["selected"] == 1
    assert counts(min_duration_seconds=21)["too_short"] == 1
    assert counts(min_clicked_position=1)["selected"] == 1
    assert counts(min_clicked_position=2)["clicks_at_top_only"] == 1


def test_a_click_at_the_ticks_second_counts_for_the_duration():
    session = Session(10, (0, 1), ((0, 20), (1, 100)))  # marked at 80, taken at 100
    for seconds, reason in ((90, "selected"), (91, "too_short")):
        rule = SelectionConfig(min_duration_seconds=seconds)
        assert schedule_of(session, Session(500, (0,)), rule=rule).counts[reason] == 1


def test_a_rejected_session_has_a_tick_but_no_step():
    taken = schedule_of(
        Session(10, (0,), ((0, 20),), irrelevant=True), Session(11, (0,), ((0, 20),))
    )
    assert taken.tick_at.tolist() == [100, 100]
    assert taken.step.tolist() == [-1, 0]


def test_each_tick_is_cut_into_batches_in_the_order_of_marking():
    sessions = [
        Session(1, (0,), ((0, 30),)),  # marked at 90
        Session(2, (0,), ((0, 20),)),  # at 80
        Session(3, (0,), ((0, 20),)),  # at 80, after the one above
        Session(4, (0,), ((0, 50),)),  # at 110: the next tick
        Session(5, (0,), ((0, 35),)),  # at 95
    ]
    taken = schedule_of(*sessions, Session(900, (0,)), batch_size=2)
    assert taken.tick_at.tolist() == [100, 100, 100, 200, 100, NEVER]
    assert taken.step.tolist() == [1, 0, 0, 2, 1, -1]
    assert taken.step_at.tolist() == [100, 100, 200]
    one = schedule_of(*sessions, Session(900, (0,)), batch_size=1)
    assert one.step.tolist() == [2, 0, 1, 4, 3, -1]
    assert one.step_at.tolist() == [100, 100, 100, 100, 200]


def test_at_once_every_session_is_taken_when_it_is_marked():
    taken = schedule_of(Session(10, (0,), ((0, 20),)), Session(11, (0,), ((0, 15),)), interval=0)
    assert taken.tick_at.tolist() == [80, 75]
    assert taken.step.tolist() == [1, 0]
    assert taken.step_at.tolist() == [75, 80]


def test_sessions_after_the_window_are_not_looked_at():
    sessions = [Session(10 * i, (0, 1), ((0, 10 * i + 1),)) for i in range(10)]
    taken = schedule_of(*sessions, window="tune", split=SplitConfig(0.2, 0.4), interval=0)
    assert len(taken.tick_at) == 6
    assert taken.taken.n_shown.tolist() == [2] * 6
    assert sum(taken.counts.values()) == 6
