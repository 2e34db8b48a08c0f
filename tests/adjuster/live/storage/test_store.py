"""The contract of a store, which SQLite and PostgreSQL keep alike."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from adjuster.live.storage.leases import LAPSED, Lease
from adjuster.live.storage.records import Copy, Event, Impression, Query, Session, Status, Term
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.live.storage.store import LeaseLost, Outcome, StoreUnavailable, UnknownSession
from tests.adjuster.live.small_shop import QUERY, fill, search

FIRST, SECOND = Lease("first", 0.0, 10.0), Lease("second", 0.0, 10.0)
LATER = Lease("later", 11.0, 21.0)


def names(claim) -> list[str]:
    return [session.session_id for session in claim.sessions]


def test_a_session_comes_back_as_it_was_registered(live_store):
    query = Query("two parts", np.array([[0.1, -0.0], [1e-30, 3.0]]), "running shoes")
    shown = (Impression("b", 0.1, "ours"), Impression("a"), Impression("c", 1.0, "theirs"))
    session = Session("s", 12345678901, query, shown, "ann", "user 7")
    assert live_store.register([session]) == 1
    live_store.add_events([Event("e2", "s", "a", 9, "buy"), Event("e1", "s", "b", 9)])
    live_store.mark_irrelevant("s")
    found = live_store.session("s")
    assert replace(found.session, query=query) == session
    assert found.session.query.vectors.tobytes() == query.vectors.tobytes()
    assert found.session.query.vectors.dtype == np.float64
    assert (found.session.query.query_id, found.session.query.text) == ("two parts", query.text)
    assert [event.event_id for event in found.events] == ["e1", "e2"]
    assert found.events[1] == Event("e2", "s", "a", 9, "buy")
    assert found.is_irrelevant
    assert (found.status, found.marked_at, found.attempts) == (Status.OPEN, None, 0)


def test_registering_twice_is_once(live_store):
    assert live_store.register([search("s"), search("s"), search("t")]) == 2
    assert live_store.register([search("s"), search("u")]) == 1
    assert live_store.counts() == {Status.OPEN: 3}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (search("s", created_at=5), "created_at"),
        (search("s", owner="bob"), "owner"),
        (search("s", owner=None), "owner"),
        (search("s", shown="acbd"), "results shown"),
        (search("s", shown="abc", owner="bob"), "owner and results shown"),
        (search("s", query=Query("p", QUERY.vectors)), "query"),
    ],
)
def test_a_changed_session_is_refused_and_nothing_is_written(live_store, changed, what):
    live_store.register([search("s")])
    with pytest.raises(ValueError, match=f"'s' is registered already with another {what}"):
        live_store.register([search("a new one"), changed])
    assert live_store.counts() == {Status.OPEN: 1}
    assert live_store.session("s").session.owner == "ann"


def test_a_changed_query_is_refused(live_store):
    live_store.register([search("s")])
    with pytest.raises(ValueError, match="query 'q' is known with another vectors"):
        live_store.register([search("t", query=Query("q", QUERY.vectors + 1))])
    with pytest.raises(ValueError, match="query 'q' is known with another text"):
        live_store.register(
            [search("t", query=QUERY), search("u", query=Query("q", QUERY.vectors, "x"))]
        )
    assert live_store.counts() == {Status.OPEN: 1}


def test_an_event_sent_twice_is_once_and_a_changed_one_is_refused(live_store):
    live_store.register([search("s"), search("t")])
    event = Event("e", "s", "a", 7)
    assert live_store.add_events([event, Event("f", "s", "b", 8)]) == 2
    assert live_store.add_events([event, Event("e", "t", "a", 7)]) == 1
    for changed in (replace(event, object_id="b"), replace(event, created_at=8)):
        with pytest.raises(ValueError, match="event 'e' is known with another object, type or"):
            live_store.add_events([Event("new", "s", "a", 1), changed])
    assert [item.event_id for item in live_store.session("s").events] == ["e", "f"]


def test_what_a_session_does_not_show_cannot_be_clicked(live_store):
    live_store.register([search("s", shown="ab")])
    with pytest.raises(ValueError, match="'s' does not show object 'c'"):
        live_store.add_events([Event("e", "s", "a", 7), Event("f", "s", "c", 7)])
    assert live_store.session("s").events == ()


def test_an_unknown_session_is_named(live_store):
    live_store.register([search("s")])
    for ask in (
        lambda: live_store.session("x"),
        lambda: live_store.mark(["s", "x"], 0),
        lambda: live_store.mark_irrelevant("x"),
        lambda: live_store.add_events([Event("e", "x", "a", 7)]),
    ):
        with pytest.raises(UnknownSession, match="'x' is not registered"):
            ask()
    assert live_store.counts() == {Status.OPEN: 1}


def test_marking_twice_is_once(live_store):
    live_store.register([search("s"), search("nobody's", owner=None)])
    assert live_store.mark(["s", "nobody's"], 5) == 2
    assert live_store.mark(["s"], 9) == 0
    assert live_store.session("s").marked_at == 5
    refused = live_store.session("nobody's")
    assert (refused.status, refused.reason) == (Status.REFUSED, "no_owner")
    live_store.claim(FIRST, 5, 9)
    live_store.finish(FIRST, Outcome(5, 0, done={"s": "selected"}))
    assert live_store.mark(["s"], 99) == 0
    assert live_store.session("s").status is Status.DONE


def test_the_oldest_are_claimed_first_and_no_more_than_asked_for(live_store):
    fill(live_store, search("d", created_at=1), search("c", created_at=2), marked_at=50)
    fill(live_store, search("b", created_at=9), search("a", created_at=9), marked_at=40)
    fill(live_store, search("too late"), marked_at=51)
    assert names(live_store.claim(FIRST, 50, 3)) == ["a", "b", "d"]
    assert names(live_store.claim(FIRST, 50, 3)) == ["c"]
    assert names(live_store.claim(FIRST, 50, 3)) == []
    assert live_store.counts() == {Status.PENDING: 1, Status.PROCESSING: 4}


def test_a_claimed_session_has_its_clicks_and_only_clicks(live_store):
    fill(live_store, search("s", shown="dab", created_at=3), clicks={"s": "bd"})
    live_store.add_events([Event("x", "s", "a", 4, "hover")])
    live_store.mark_irrelevant("s")
    (found,) = live_store.claim(FIRST, 0, 1).sessions
    assert found == ("s", "ann", "q", 3, True, ("d", "a", "b"), (0, 2), (0, 0))


def test_while_one_lease_is_out_another_gets_nothing(live_store, live_place):
    other = live_place.open()
    fill(live_store, search("s"), search("t"))
    live_store.claim(FIRST, 0, 1)
    held = other.claim(SECOND, 0, 1)
    assert (names(held), held.is_held) == ([], True)
    live_store.finish(FIRST, Outcome(0, 0, done={"s": "selected"}))
    assert names(other.claim(SECOND, 0, 1)) == ["t"]
    other.close()


def test_a_lease_that_ran_out_is_pending_again_and_fails_after_three(live_store):
    fill(live_store, search("s"))
    for attempt in range(3):
        lease = Lease(f"lease {attempt}", 10.0 * attempt, 10.0 * attempt + 9)
        assert names(live_store.claim(lease, 0, 5)) == ["s"]
    assert live_store.session("s").attempts == 3
    assert names(live_store.claim(Lease("last", 40.0, 50.0), 7, 5)) == []
    failed = live_store.session("s")
    assert failed.status is Status.FAILED
    assert failed.reason == f"given up after 3 attempts: {LAPSED}"
    assert live_store.ticks(5) == {7: {"failed": 1}}


def test_a_last_attempt_is_made_alone(live_store):
    fill(live_store, search("s"), search("t"))
    for attempt in range(2):
        live_store.claim(Lease(f"lease {attempt}", 10.0 * attempt, 10.0 * attempt + 9), 0, 1)
    alone = Lease("alone", 30.0, 39.0)
    assert names(live_store.claim(alone, 0, 5)) == ["s"]
    assert names(live_store.claim(alone, 0, 5)) == []


def test_who_lost_the_lease_writes_nothing(live_store, live_place):
    other = live_place.open()
    fill(live_store, search("s"), search("t"))
    live_store.claim(FIRST, 0, 2)
    assert names(other.claim(LATER, 0, 1)) == ["s"]
    rows = np.ones((1, 3), np.float32)
    outcome = Outcome(
        0,
        0,
        done={"s": "selected", "t": "selected"},
        copies=[Copy("ann", "a", rows)],
        terms=[Term("ann", "a", "q", 1.0, 0.0)],
        state={"mode": "on"},
    )
    with pytest.raises(LeaseLost, match="taken over 2 of 2 sessions"):
        live_store.finish(FIRST, outcome)
    assert live_store.owner_copies(0, "ann") == {}
    assert live_store.terms(0, [("ann", "a")]) == []
    assert live_store.state("mode") is None
    assert live_store.ticks(9) == {}
    other.finish(LATER, replace(outcome, done={"s": "selected"}))
    assert live_store.counts() == {Status.DONE: 1, Status.PENDING: 1}
    assert live_store.state("mode") == "on"
    other.close()


@pytest.mark.parametrize(("counts", "attempts"), [(True, 1), (False, 0)])
def test_what_is_released_is_pending_with_its_reason(live_store, counts, attempts):
    fill(live_store, search("s"))
    live_store.claim(FIRST, 0, 1)
    live_store.release(FIRST, 0, "OSError: full", counts=counts)
    found = live_store.session("s")
    assert (found.status, found.reason, found.attempts) == (
        Status.PENDING,
        "OSError: full",
        attempts,
    )
    assert names(live_store.claim(SECOND, 0, 1)) == ["s"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copies_come_back_to_the_bit(live_store, dtype):
    rows = np.array([[0.1, -0.0, 1e-40], [np.pi, -1e38, 1 / 3]]).astype(dtype)
    copies = [Copy("a_b", "c", rows), Copy("a", "b_c", rows[:1] * 2), Copy("a", "c", rows[1:])]
    live_store.finish(FIRST, Outcome(0, 0, copies=copies))
    live_store.finish(FIRST, Outcome(0, 1, copies=[Copy("a", "c", rows[:1])]))
    found = live_store.copies(0, [("a_b", "c"), ("a", "b_c"), ("a", "nothing")])
    assert {copy[:2]: copy.vectors.tobytes() for copy in found} == {
        ("a_b", "c"): rows.tobytes(),
        ("a", "b_c"): (rows[:1] * 2).tobytes(),
    }
    assert found.vectors.shape == (3, 3)
    assert found.vectors.dtype == dtype
    assert {name: mine.tobytes() for name, mine in live_store.owner_copies(0, "a").items()} == {
        "b_c": (rows[:1] * 2).tobytes(),
        "c": rows[1:].tobytes(),
    }
    assert live_store.owner_copies(1, "a")["c"].tobytes() == rows[:1].tobytes()
    live_store.finish(FIRST, Outcome(0, 0, copies=[Copy("a_b", "c", -rows)]))
    assert live_store.owner_copies(0, "a_b")["c"].tobytes() == (-rows).tobytes()
    live_store.finish(FIRST, Outcome(0, 0, copies=[Copy("a_b", "c", rows[:1])]))
    assert live_store.owner_copies(0, "a_b")["c"].tobytes() == rows[:1].tobytes()


def test_the_copies_version_counts_writes_and_drops(live_store):
    assert live_store.copies_version() == 0
    live_store.finish(FIRST, Outcome(0, 0, copies=[Copy("a", "b", np.ones((1, 3)))]))
    live_store.finish(FIRST, Outcome(0, 0))
    assert live_store.copies_version() == 1
    live_store.forget(0)
    assert live_store.copies_version() == 2


def test_other_vectors_are_refused(live_store):
    with pytest.raises(ValueError, match="float32 or float64, got float16"):
        live_store.finish(
            FIRST, Outcome(0, 0, copies=[Copy("a", "b", np.ones((1, 2), np.float16))])
        )


def test_terms_are_replaced_and_kept_exactly(live_store):
    first, second = Term("a", "b", "q", 1 / 3, 0.1 + 0.2), Term("a", "b", "p", 0.0, 1e-300)
    live_store.finish(FIRST, Outcome(0, 0, terms=[first, second]))
    live_store.finish(FIRST, Outcome(0, 0, terms=[first._replace(clicked=2 / 3)]))
    assert sorted(live_store.terms(0, [("a", "b"), ("b", "a")])) == sorted(
        [first._replace(clicked=2 / 3), second]
    )
    assert live_store.terms(1, [("a", "b")]) == []


def test_reports_add_up(live_store):
    fill(live_store, *(search(name) for name in "abcd"))
    live_store.claim(FIRST, 60, 2)
    live_store.finish(FIRST, Outcome(60, 0, done={"a": "selected", "b": "too_short"}))
    live_store.claim(SECOND, 60, 1)
    live_store.finish(SECOND, Outcome(60, 0, failed={"c": "no vector"}))
    live_store.claim(LATER, 120, 1)
    live_store.finish(LATER, Outcome(120, 0, done={"d": "selected"}))
    assert live_store.ticks(9) == {
        120: {"selected": 1},
        60: {"failed": 1, "selected": 1, "too_short": 1},
    }
    assert list(live_store.ticks(1)) == [120]
    assert live_store.session("c").reason == "no vector"
    assert live_store.counts() == {Status.DONE: 3, Status.FAILED: 1}


def test_state_is_what_was_written_last(live_store):
    assert live_store.state("mode") is None
    live_store.set_state("mode", "off")
    live_store.set_state("mode", "shadow")
    assert live_store.state("mode") == "shadow"


def test_all_is_there_when_it_is_opened_again(live_store, live_place):
    fill(live_store, search("s"))
    live_store.close()
    again = live_place.open()
    assert again.session("s").status is Status.PENDING
    assert len(again.session("s").events) == 1
    again.close()


def test_tables_of_another_version_are_refused(live_store, live_place):
    live_store.set_state("schema", "0")
    with pytest.raises(ValueError, match="tables are of version 0, this program's of 4"):
        live_place.open()


def test_a_store_that_cannot_be_used_says_so(live_store):
    whole = live_store.connection

    class Gone:
        def execute(self, *given):
            raise live_store.UNAVAILABLE[0]("no space left")

        def __getattr__(self, name):
            return getattr(whole, name)

    live_store.connection = Gone()
    for ask in (lambda: live_store.register([search("s")]), live_store.counts):
        with pytest.raises(StoreUnavailable, match="cannot be used now: no space left"):
            ask()
    live_store.connection = whole
    assert live_store.counts() == {}


def test_sqlite_looks_pairs_up_and_never_reads_a_whole_table(tmp_path):
    """However many copies there are, a batch costs what its own pairs cost."""
    store = SqliteStore(tmp_path / "live.db")
    plans = []
    whole = store._run

    def explained(statement, given=()):
        if statement.startswith("SELECT"):
            plans.extend(row[3] for row in whole(f"EXPLAIN QUERY PLAN {statement}", given))
        return whole(statement, given)

    store._run = explained
    store.copies(0, [("ann", "a"), ("bob", "b")])
    store.terms(0, [("ann", "a"), ("bob", "b")])
    found = [plan for plan in plans if "SEARCH" in plan]
    assert len(found) == 2
    assert all("generation=? AND owner=? AND object_id=?" in plan for plan in found), plans
    plans.clear()
    store.owners_with_copies(0, ["ann", "bob"])
    assert any("generation=? AND owner=?" in plan for plan in plans), plans
    store.close()


@pytest.mark.parametrize("odd", ['a"b', "back\\slash", "é😀", "1", "null", "$[0]", "tab\t", "\x01"])
def test_any_name_is_found_again(live_store, odd):
    rows = np.ones((1, 2), np.float32)
    live_store.register([search(odd, shown=(odd, "b"))])
    assert live_store.add_events([Event(odd, odd, odd, 1)]) == 1
    assert live_store.add_events([Event(odd, odd, odd, 1)]) == 0
    live_store.finish(FIRST, Outcome(0, 0, copies=[Copy(odd, odd, rows)]))
    assert [copy[:2] for copy in live_store.copies(0, [(odd, odd), ("b", odd)])] == [(odd, odd)]
    live_store.mark([odd], 1)
    (session,) = live_store.claim(FIRST, 1, 9).sessions
    assert (session.shown, session.click_positions) == ((odd, "b"), (0,))


def test_what_sqlite_acknowledges_is_on_the_disk(tmp_path):
    store = SqliteStore(tmp_path / "live.db")
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, whatever its name says; long enough to be read as one")
    with pytest.raises(ValueError, match=r"notes\.txt is no SQLite database"):
        SqliteStore(path)
    with pytest.raises(StoreUnavailable, match="unable to open"):
        SqliteStore(tmp_path / "no folder" / "live.db")
    assert sqlite3.sqlite_version_info >= (3, 24)


@pytest.mark.parametrize("bad", ["", "a\0b", 7])
def test_names_are_texts(bad):
    with pytest.raises(ValueError, match="session_id must be a text"):
        Session(bad, 0, QUERY, ())
    with pytest.raises(ValueError, match="object_id must be a text"):
        Event("e", "s", bad, 0)


def test_an_object_is_shown_once():
    with pytest.raises(ValueError, match="'s': object 'a' must be shown once, got it twice"):
        search("s", shown="aba")


def test_a_query_has_parts():
    with pytest.raises(ValueError, match=r"query 'q': vectors must have shape \(parts, D\)"):
        Query("q", np.zeros(3, np.float32))
