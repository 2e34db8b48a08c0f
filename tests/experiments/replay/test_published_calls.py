"""Where the rows of calls stand: read back session by session, pair by pair."""

import numpy as np

from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.plan import find_schedule
from experiments.replay.published_calls import lay_calls
from experiments.replay.published_copies import CopyTable, no_copies
from experiments.replay.published_sessions import calls_of, taught_sessions
from tests.experiments.random_log import make_log


def laid(n_together=None):
    log = make_log(1, n_sessions=150)
    config = ReplayConfig(quiet_seconds=60, batch_size=6)
    layout = lay_out(log, config, ObjectiveConfig(estimator="naive"), "all")
    schedule = find_schedule(layout, SelectionConfig(), 3600)
    calls = calls_of(schedule, layout.timeline.marked_at)
    taught = taught_sessions(layout.timeline, calls)
    table = CopyTable(log, taught.pair, no_copies(log))
    return log, taught, table, lay_calls(log, taught, table, n_together)


def test_every_call_pads_its_sessions_to_the_longest_object():
    log, taught, table, calls = laid()
    assert len(calls.step) > 10
    assert calls.first[-1] == len(taught)
    parts = np.diff(log.object_offsets)
    for number, step in enumerate(calls.step):
        call, mine = calls.rows_of_call(number), calls.sessions_of(number)
        assert set(taught.step[mine]) == {step}
        padded = np.zeros((call.n_padded, log.index.dimensions), np.float32)
        padded[call.place] = table.vectors[call.row]
        for place, session in enumerate(range(mine.start, mine.stop)):
            pairs = taught.pair[slice(*taught.offsets[session : session + 2])]
            block = padded[slice(*call.sessions.offsets[place : place + 2])]
            longest = call.sessions.n_parts[place]
            assert longest == parts[pairs % log.n_objects].max()
            for pair, rows in zip(pairs, block.reshape(len(pairs), longest, -1), strict=True):
                first, last = log.object_offsets[pair % log.n_objects + np.arange(2)]
                np.testing.assert_array_equal(rows[: last - first], log.object_vectors[first:last])
                assert not rows[last - first :].any()


def test_what_is_shown_stands_by_pair_and_of_one_pair_in_the_order_of_sessions():
    _, taught, table, calls = laid()
    n_again = 0
    for number in range(len(calls.step)):
        call, mine = calls.rows_of_call(number), calls.sessions_of(number)
        shown = slice(taught.offsets[mine.start], taught.offsets[mine.stop])
        assert sorted(table.pair[call.slot]) == sorted(taught.pair[shown])
        firsts = np.cumsum(call.n_parts) - call.n_parts
        session = np.searchsorted(call.sessions.offsets, call.place[firsts], side="right")
        assert (np.diff(call.slot * 1000 + session) > 0).all()
        assert call.is_again.tolist() == [False, *(np.diff(call.slot) == 0)]
        n_again += int(call.is_again.sum())
        moved = np.repeat(taught.is_moved[mine][session - 1], call.n_parts)
        assert call.is_moved.tolist() == moved.tolist()
    assert n_again > 3


def test_how_many_share_a_shape_is_counted_unless_it_is_told():
    _, taught, _, counted = laid()
    sizes = counted.together.sessions.n_together
    assert sizes.max() > 1
    assert (sizes[~taught.is_moved] == 0).all()
    _, _, _, told = laid(np.arange(len(taught), dtype=np.int32))
    assert told.together.sessions.n_together.tolist() == list(range(len(taught)))
