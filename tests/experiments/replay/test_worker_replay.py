"""The replay through the worker: what is pending when, what is read, and drift by hand."""

import numpy as np
import pytest

from adjuster.live.personalization import PersonalizedVectors
from experiments.config.replay import ReplayConfig
from experiments.replay.timeline import build_timeline
from experiments.replay.worker_replay import LogIndex, LogSessions, drift_of, query_vectors
from tests.experiments.replay.tiny_log import Search, tiny_log

LOG = tiny_log(
    Search(100, 0, 1, [2, 0, 3], [(1, 110), (0, 130)]),
    Search(105, 1, 0, [1, 2], [(0, 107)]),
    Search(200, 0, 0, [0, 1]),
    Search(300, 2, 2, [3, 1], [(1, 310)], irrelevant=True),
)


@pytest.fixture
def sessions() -> LogSessions:
    return LogSessions(build_timeline(LOG, ReplayConfig(), window="all"))


def test_sessions_are_pending_once_in_order_of_their_marks(sessions):
    marks = sessions.timeline.marked_at
    first, second = int(marks[1]), int(marks[0])
    assert first < second
    assert sessions.pending(first - 1) == []
    assert sessions.pending(first) == ["s001"]
    assert sessions.pending(first) == []
    assert sessions.pending(int(marks[3])) == ["s000", "s003"]


def test_a_session_without_events_is_never_pending(sessions):
    assert "s002" not in sessions.pending(10**12)


def test_a_session_is_read_with_what_had_arrived(sessions):
    early, late = sessions.read("s000", 110), sessions.read("s000", 130)
    assert early.shown == late.shown == ["o2", "o0", "o3"]
    assert early.clicked == {"o0"}
    assert early.duration_seconds == 10
    assert late.clicked == {"o0", "o2"}
    assert late.duration_seconds == 30


def test_before_its_first_event_a_session_has_lasted_no_time(sessions):
    found = sessions.read("s000", 105)
    assert found.clicked == frozenset()
    assert found.duration_seconds == 0


def test_a_session_knows_its_query_owner_and_mark_of_irrelevance(sessions):
    found = sessions.read("s003", 400)
    assert found.query.tolist() == query_vectors(LOG, 2).tolist() == LOG.query_vectors[2:3].tolist()
    assert found.owner == str(sessions.timeline.owner[3])
    assert found.is_irrelevant
    assert not sessions.read("s001", 400).is_irrelevant


def test_the_last_status_set_is_the_one_kept(sessions):
    sessions.set_status(["s000", "s001"], "skipped", "too short")
    sessions.set_status(["s001"], "done")
    assert sessions.status == {"s000": ("skipped", "too short"), "s001": ("done", "")}


def test_the_index_reads_objects_by_name_and_knows_no_others():
    index = LogIndex(LOG)
    assert index.vectors("o2").tolist() == [[0.0, 0.0, 1.0, 0.0]]
    with pytest.raises(KeyError, match="o9"):
        index.vectors("o9")


def test_drift_is_one_minus_the_cosine_of_each_copy():
    copies = PersonalizedVectors(LogIndex(LOG))
    assert drift_of(copies).shape == (0,)
    copies.store("ann", "o0", np.array([[3.0, 4.0, 0.0, 0.0]], np.float32))
    copies.store("ann", "o1", np.array([[0.0, -2.0, 0.0, 0.0]], np.float32))
    np.testing.assert_allclose(drift_of(copies), [1 - 0.6, 2.0], atol=1e-6)
