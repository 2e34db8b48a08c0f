"""Who reads whose vectors, when feedback arrives, and which sessions are scored, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig, SplitConfig
from experiments.replay.timeline import build_timeline, marking_times, resolve_scope
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log


def test_a_session_is_marked_once_it_has_been_quiet():
    log = tiny_log(
        Search(100, 0, 0, [0, 1], [(0, 110), (1, 150)]),
        Search(200, 0, 0, [0, 1], [(0, 210), (1, 271)]),
        Search(300, 0, 0, [0, 1]),
    )
    # The second session's last event comes more than a minute after the first: too late.
    assert marking_times(log, 60).tolist() == [210, 270, NEVER]


def test_an_event_exactly_at_the_end_of_the_quiet_time_still_belongs_to_the_session():
    log = tiny_log(Search(100, 0, 0, [0, 1], [(0, 110), (1, 170)]))
    assert marking_times(log, 60).tolist() == [230]


def test_an_event_before_its_search_counts_as_made_with_it():
    log = tiny_log(Search(100, 0, 0, [0], [(0, 40)]))
    assert marking_times(log, 60).tolist() == [160]


def test_the_first_event_on_an_impression_is_its_click():
    log = tiny_log(Search(0, 0, 0, [0, 1], [(1, 9), (1, 5)]), Search(10, 0, 0, [0]))
    timeline = build_timeline(log, ReplayConfig(), window="all")
    assert timeline.click_at.tolist() == [NEVER, 5, NEVER]


@pytest.mark.parametrize(
    ("window", "scored"), [("tune", (2, 7)), ("test", (7, 10)), ("all", (2, 10))]
)
def test_a_window_is_scored_between_its_edges(window, scored):
    log = make_log(1, n_sessions=10)
    config = ReplayConfig(split=SplitConfig(0.2, 0.5))
    timeline = build_timeline(log, config, window=window)
    assert (timeline.scored_from, timeline.n_sessions) == scored
    assert timeline.warmup_end == 2
    last = int(log.session_created_at[scored[1] - 1])
    assert timeline.closes_at == (NEVER - 1 if window == "all" else last)


def test_owners_are_users_segments_or_everyone():
    log = make_log(2, n_sessions=30)
    users, segments, everyone = (
        build_timeline(log, ReplayConfig(personalize_by=scope), window="all")
        for scope in ("user_id", "segment", "none")
    )
    assert users.owner.tolist() == log.session_user.tolist()
    assert segments.owner.tolist() == log.session_segment.tolist()
    assert (everyone.owner == 0).all()
    assert (users.n_owners, segments.n_owners, everyone.n_owners) == (4, 2, 1)


def test_the_data_set_says_the_scope_unless_told_otherwise():
    log = make_log(2)
    assert resolve_scope(log, None) == "user_id"
    assert resolve_scope(log, "segment") == "segment"
    nobody = replace(log, session_segment=np.full(log.n_sessions, -1, np.int32))
    with pytest.raises(InputError, match="segment"):
        resolve_scope(nobody, "segment")
