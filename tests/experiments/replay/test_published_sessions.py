"""Which sessions the published adjuster is called with, and who shares a shape: on paper."""

import numpy as np
import pytest

from experiments.config.replay import ReplayConfig
from experiments.replay.published_sessions import (
    Calls,
    calls_of,
    count_together,
    most_parts,
    taught_sessions,
    together,
)
from experiments.replay.schedule import Schedule, Taken
from experiments.replay.timeline import build_timeline
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log

LOG = tiny_log(
    Search(100, 0, 1, [2, 0, 3], [(1, 110), (2, 900)]),
    Search(105, 1, 0, [1, 2], [(0, 107)]),
    Search(200, 0, 0, [0, 1]),
    Search(300, 2, 2, [3, 1], [(1, 310), (0, 310)]),
)
CALLS = Calls(
    turn=np.array([1, 0, -1, 2]),
    step=np.array([0, 0, -1, 1]),
    known_at=np.array([500, 500, -1, 800]),
    step_at=np.array([500, 800]),
)


def timeline():
    return build_timeline(LOG, ReplayConfig(), window="all")


def test_sessions_stand_in_the_order_of_their_calls_and_of_their_marks():
    nothing = np.zeros(5, np.int64)
    taken = Taken(nothing + 7, nothing.astype(np.int8), nothing, nothing, nothing)
    schedule = Schedule(taken, np.array([1, 0, 0, -1, 0]), np.array([5, 9]))
    calls = calls_of(schedule, np.array([1, 4, 3, 0, 3]))
    assert calls.turn.tolist() == [3, 2, 0, -1, 1]
    assert calls.step.tolist() == schedule.step.tolist()
    assert calls.of_sessions(1, 3).turn.tolist() == [2, 0]


def test_clicked_objects_come_first_and_clicks_after_the_tick_do_not_count():
    taught = taught_sessions(timeline(), CALLS)
    assert taught.session.tolist() == [1, 0, 3]
    assert taught.step.tolist() == [0, 0, 1]
    owner = timeline().owner
    objects = [[1, 2], [0, 2, 3], [3, 1]]
    by_session = zip([1, 0, 3], objects, strict=True)
    pairs = [owner[s] * LOG.n_objects + o for s, row in by_session for o in row]
    assert taught.pair.tolist() == pairs
    assert taught.n_clicked.tolist() == [1, 1, 2]
    assert taught.is_moved.tolist() == [True, True, False]


def test_some_of_them_and_those_of_two_stretches_are_the_same_sessions():
    whole = taught_sessions(timeline(), CALLS)
    pieces = [whole.take(np.array(rows)) for rows in ([2, 1], [0])]
    assert pieces[0].offsets.tolist() == [0, 2, 5]
    for name, values in vars(together(pieces)).items():
        np.testing.assert_array_equal(values, getattr(whole, name))


def test_sessions_of_one_shape_and_call_are_counted_and_no_others():
    log = make_log(1, query_parts=3)
    n_asked = np.diff(log.query_offsets)
    short, long = np.argmin(n_asked), np.argmax(n_asked)
    assert n_asked[short] < n_asked[long]
    rows = np.array(
        [
            # step, query, n_clicked, n_shown, n_parts, expected
            (0, short, 1, 4, 2, 2),
            (1, short, 1, 4, 2, 1),
            (0, short, 1, 4, 2, 2),
            (0, long, 1, 4, 2, 1),
            (0, short, 2, 4, 2, 1),
            (0, short, 1, 5, 2, 1),
            (0, short, 1, 4, 3, 1),
            (0, short, 4, 4, 2, 0),
            (0, short, 0, 4, 2, 0),
            (-1, short, 1, 4, 2, 0),
        ]
    )
    *columns, expected = rows.T
    assert count_together(log, *columns).tolist() == expected.tolist()


@pytest.mark.parametrize("n", [0, 1])
def test_few_sessions_can_be_counted(n):
    one = np.ones(n, np.int64)
    assert count_together(LOG, one, one, one, one + 1, one).tolist() == [1] * n


def test_the_longest_object_of_each_session_is_told():
    log = make_log(0)
    parts = np.diff(log.object_offsets)
    found = most_parts(build_timeline(log, ReplayConfig(), window="all"))
    for session, most in enumerate(found.tolist()):
        shown = log.impression_object[slice(*log.impression_offsets[session : session + 2])]
        assert most == max(parts[shown], default=0)
