"""The improvement worker over small stores, tick by tick."""

import numpy as np
import pytest

from adjuster import NoAdjustment, SearchIndexInfo, SelectionConfig, TorchBasedAdjuster
from adjuster.live.personalization import PersonalizedVectors
from adjuster.live.worker import ImprovementWorker, SessionFeedback, Status

INDEX = SearchIndexInfo(3, "cosine", "min")


class Shelf:
    """An index of unit vectors, one part each."""

    def __init__(self, names="abcd"):
        rng = np.random.default_rng(0)
        self.rows = {name: rng.normal(size=(1, 3)).astype(np.float32) for name in names}

    def vectors(self, object_id):
        return self.rows[object_id]


class Sessions:
    """A session store in a dictionary; times are when a session was marked."""

    def __init__(self, *sessions, marked=None):
        self.sessions = {session.session_id: session for session in sessions}
        self.marked = marked or dict.fromkeys(self.sessions, 0)
        self.status = dict.fromkeys(self.sessions, Status.PENDING)
        self.reasons = {}
        self.history = []

    def pending(self, now):
        return [
            name
            for name, status in self.status.items()
            if status is Status.PENDING and self.marked[name] <= now
        ]

    def read(self, session_id, now):
        return self.sessions[session_id]

    def set_status(self, session_ids, status, reason=""):
        for name in session_ids:
            self.status[name] = status
            self.reasons[name] = reason
            self.history.append((name, status))


def session(name, owner="ann", shown="abcd", clicked="a", **more):
    query = np.array([[1.0, 0.0, 0.0]], np.float32)
    return SessionFeedback(name, owner, query, list(shown), frozenset(clicked), **more)


def make_worker(store, index=None, **options):
    vectors = PersonalizedVectors(index or Shelf())
    adjuster = TorchBasedAdjuster(INDEX, 0.01, 3)
    return ImprovementWorker(store, vectors, adjuster, **options), vectors


def test_a_tick_moves_sessions_from_pending_through_processing_to_done():
    store = Sessions(session("s1"))
    worker, vectors = make_worker(store)
    report = worker.tick(0)
    assert [status for _, status in store.history] == [Status.PROCESSING, Status.DONE]
    assert report.counts == {"selected": 1}
    assert len(vectors) == 4


def test_originals_are_never_written():
    index = Shelf()
    before = {name: rows.copy() for name, rows in index.rows.items()}
    worker, vectors = make_worker(Sessions(session("s1"), session("s2", "bob")), index)
    worker.tick(0)
    for name, rows in before.items():
        np.testing.assert_array_equal(index.rows[name], rows)
    with pytest.raises(ValueError, match="read-only"):
        vectors.original("a")[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        vectors.vectors("ann", "a")[0, 0] = 1.0


def test_another_owners_vectors_do_not_change():
    worker, vectors = make_worker(Sessions(session("s1", "ann")))
    before = {name: vectors.vectors("bob", name).copy() for name in "abcd"}
    worker.tick(0)
    for name, rows in before.items():
        np.testing.assert_array_equal(vectors.vectors("bob", name), rows)
        assert not np.array_equal(vectors.vectors("ann", name), rows)


def test_what_an_owner_gets_does_not_depend_on_who_else_is_in_the_tick():
    alone, mine = make_worker(Sessions(session("s1", "ann")))
    together, ours = make_worker(Sessions(session("s0", "bob", clicked="d"), session("s1", "ann")))
    alone.tick(0)
    together.tick(0)
    for name in "abcd":
        np.testing.assert_array_equal(mine.vectors("ann", name), ours.vectors("ann", name))


def test_a_session_that_cannot_be_processed_fails_alone():
    store = Sessions(session("good"), session("lost", shown="az"), session("also good", "bob"))
    worker, vectors = make_worker(store)
    report = worker.tick(0)
    assert store.status == {
        "good": Status.DONE,
        "lost": Status.FAILED,
        "also good": Status.DONE,
    }
    assert "'z' is not in the index" in report.failures["lost"]
    assert store.reasons["lost"] == report.failures["lost"]
    assert len(vectors) == 8


def test_a_session_that_the_adjuster_refuses_fails_alone():
    broken = SessionFeedback("bad", "ann", np.full((1, 3), np.nan, np.float32), ["a", "b"], {"a"})
    store = Sessions(session("good"), broken)
    worker, vectors = make_worker(store)
    report = worker.tick(0)
    assert store.status == {"good": Status.DONE, "bad": Status.FAILED}
    assert "session 'bad'" in report.failures["bad"]
    expected, alone = make_worker(Sessions(session("good")))
    expected.tick(0)
    np.testing.assert_array_equal(vectors.vectors("ann", "a"), alone.vectors("ann", "a"))


def test_an_interrupted_tick_leaves_its_sessions_pending():
    store = Sessions(*(session(f"s{i}") for i in range(4)))
    worker, _ = make_worker(store, batch_size=2)
    calls = []

    class Interrupted(TorchBasedAdjuster):
        def adjust_vectors(self, data):
            calls.append(len(data))
            if len(calls) == 2:
                raise KeyboardInterrupt
            return super().adjust_vectors(data)

    worker.adjuster = Interrupted(INDEX)
    with pytest.raises(KeyboardInterrupt):
        worker.tick(0)
    assert list(store.status.values()) == [Status.DONE] * 2 + [Status.PENDING] * 2
    worker.adjuster = TorchBasedAdjuster(INDEX)
    assert worker.tick(1).counts == {"selected": 2}
    assert set(store.status.values()) == {Status.DONE}


def test_sessions_wait_until_they_are_marked():
    store = Sessions(session("early"), session("late"), marked={"early": 5, "late": 50})
    worker, _ = make_worker(store)
    assert worker.tick(4).counts == {}
    assert worker.tick(5).counts == {"selected": 1}
    assert store.status["late"] is Status.PENDING


def test_rejected_sessions_are_done_with_their_reason():
    store = Sessions(
        session("few", clicked=""),
        session("many", clicked="abc"),
        session("short", clicked="ab", duration_seconds=3),
        session("irrelevant", is_irrelevant=True, duration_seconds=60),
        session("fine", duration_seconds=60),
    )
    rule = SelectionConfig(max_clicks=2, min_duration_seconds=10)
    worker, _ = make_worker(store, selection=rule)
    report = worker.tick(0)
    assert report.counts == {
        "too_few_clicks": 1,
        "too_many_clicks": 1,
        "too_short": 1,
        "irrelevant": 1,
        "selected": 1,
    }
    assert store.reasons["many"] == "too_many_clicks"
    assert set(store.status.values()) == {Status.DONE}


def test_exported_copies_are_named_by_object_and_user():
    worker, vectors = make_worker(Sessions(session("s1", "bob", "ab"), session("s2", "ann", "a")))
    worker.tick(0)
    copies = list(vectors)
    assert [copy.object_id for copy in copies] == ["a_ann", "a_bob", "b_bob"]
    assert [(copy.original_id, copy.user_id) for copy in copies][:2] == [("a", "ann"), ("a", "bob")]
    assert all(copy.vectors.shape == (1, 3) for copy in copies)


def test_an_adjuster_that_changes_nothing_makes_no_copies():
    store = Sessions(session("s1"))
    vectors = PersonalizedVectors(Shelf())
    ImprovementWorker(store, vectors, NoAdjustment(INDEX)).tick(0)
    assert len(vectors) == 0
    assert store.status["s1"] is Status.DONE


def test_bad_settings_are_named():
    store, vectors = Sessions(), PersonalizedVectors(Shelf())
    with pytest.raises(ValueError, match="batch_size must be >= 1 session, got 0"):
        ImprovementWorker(store, vectors, NoAdjustment(INDEX), batch_size=0)
    with pytest.raises(ValueError, match="refit needs a BatchAdjuster"):
        ImprovementWorker(store, vectors, NoAdjustment(INDEX), refit=True)


def test_a_copy_of_another_shape_is_refused():
    vectors = PersonalizedVectors(Shelf())
    with pytest.raises(ValueError, match="original's shape"):
        vectors.store("ann", "a", np.zeros((2, 3), np.float32))
