"""The replay through the worker: what is pending when, what is read, and drift by hand."""

import numpy as np
import pytest

from adjuster.live.retrieval.personalization import PersonalizedVectors
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.records import Copy, Term
from adjuster.live.storage.store import Outcome
from experiments.config.replay import ReplayConfig
from experiments.replay.timeline import build_timeline
from tests.experiments.replay.tiny_log import Search, tiny_log
from tests.experiments.worker_replay import LogIndex, LogStore, drift_of

LOG = tiny_log(
    Search(100, 0, 1, [2, 0, 3], [(1, 110), (0, 130)]),
    Search(105, 1, 0, [1, 2], [(0, 107)]),
    Search(200, 0, 0, [0, 1]),
    Search(300, 2, 2, [3, 1], [(1, 310)], irrelevant=True),
)


LEASE = new_lease(0, 1)


@pytest.fixture
def store() -> LogStore:
    timeline = build_timeline(LOG, ReplayConfig(), window="all")
    return LogStore(timeline, PersonalizedVectors(LogIndex(LOG)))


def claimed(store, tick, limit=9) -> list[str]:
    return [session.session_id for session in store.claim(LEASE, tick, limit).sessions]


def test_sessions_are_pending_once_in_order_of_their_marks(store):
    marks = store.timeline.marked_at
    first, second = int(marks[1]), int(marks[0])
    assert first < second
    assert claimed(store, first - 1) == []
    assert claimed(store, first) == ["s001"]
    assert claimed(store, first) == []
    assert claimed(store, int(marks[3])) == ["s000", "s003"]


def test_no_more_are_claimed_than_asked_for(store):
    assert claimed(store, 10**12, 2) == ["s001", "s000"]
    assert claimed(store, 10**12, 2) == ["s003"]


def test_a_session_without_events_is_never_pending(store):
    assert "s002" not in claimed(store, 10**12)


def test_a_session_is_read_with_all_its_clicks_and_knows_its_query_and_owner(store):
    _, found, irrelevant = store.claim(LEASE, 10**12, 9).sessions
    assert found.shown == ("o2", "o0", "o3")
    clicks = zip(found.click_positions, found.click_times, strict=True)
    assert sorted(clicks) == [(0, 130), (1, 110)]
    assert found.created_at == 100
    assert found.owner == str(store.timeline.owner[0])
    assert not found.is_irrelevant
    assert irrelevant.is_irrelevant
    (rows,) = store.queries([irrelevant.query_id]).values()
    assert rows.tolist() == LOG.vectors_of_query(2).tolist() == LOG.query_vectors[2:3].tolist()


def test_what_a_batch_taught_is_kept(store):
    rows = np.array([[3.0, 4.0, 0.0, 0.0]], np.float32)
    term = Term("0", "o1", "q0", 1.0, 0.5)
    store.finish(LEASE, Outcome(0, 0, copies=[Copy("0", "o1", rows)], terms=[term]))
    store.finish(LEASE, Outcome(0, 0, terms=[term._replace(clicked=2.0)]))
    assert store.terms(0, [("0", "o1"), ("1", "o1")]) == [term._replace(clicked=2.0)]
    (found,) = store.copies(0, [("0", "o1"), ("1", "o1")])
    assert found.vectors.tolist() == rows.tolist()
    assert store.copies_version() == 1


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
