"""The contract of the monitor's part of a store, which SQLite and PostgreSQL keep alike."""

import numpy as np

from adjuster.live.storage.leases import Lease
from adjuster.live.storage.outcome_store import ClusterTotal, Counting, InterleavedSession
from adjuster.live.storage.records import Copy, Event, Impression, Session
from adjuster.live.storage.store import COPIES_VERSION, Outcome
from tests.adjuster.live.small_shop import QUERY, fill, search

TEAMS = {"a": "adjusted", "b": "originals", "c": "adjusted", "d": "both"}


def interleaved(name, at=0, user=None) -> Session:
    shown = tuple(Impression(letter, 0.5, team) for letter, team in TEAMS.items())
    return Session(name, at, QUERY, shown, "ann", user)


def click(store, session, *letters, kind="click") -> None:
    store.add_events([Event(f"{letter} {kind}", session, letter, 0, kind) for letter in letters])


def test_interleaved_searches_come_with_the_clicks_of_each_team(live_store):
    live_store.register(
        [
            interleaved("s", 5, "ann"),
            interleaved("t", 4),
            search("one ranking"),
            interleaved("u", 9),
        ]
    )
    click(live_store, "s", "a", "c", "b", "d")
    click(live_store, "s", "a", kind="again")
    live_store.add_events([Event("twice", "s", "a", 3)])
    click(live_store, "t", "b", kind="seen")
    assert live_store.interleaved(0, 8, 10) == [
        InterleavedSession("t", "session t", 0, 0),
        InterleavedSession("s", "user ann", 2, 1),
    ]
    assert [found.session_id for found in live_store.interleaved(5, 9, 10)] == ["s", "u"]
    assert [found.session_id for found in live_store.interleaved(0, 9, 1)] == ["t"]


def test_a_user_named_like_a_session_is_another_cluster(live_store):
    live_store.register([interleaved("x"), interleaved("y", user="x")])
    assert {found.cluster for found in live_store.interleaved(0, 9, 9)} == {"session x", "user x"}


def test_a_search_is_counted_once_with_its_totals_and_the_state(live_store):
    live_store.register([interleaved("s"), interleaved("t")])
    look = Counting(7, ["s"], {"session s": ClusterTotal(1, -1.0)}, {"m": None}, {"m": "1"})
    assert live_store.count(look)
    assert [found.session_id for found in live_store.interleaved(0, 9, 9)] == ["t"]
    assert live_store.cluster_totals(7, ["session s", "session t"]) == {
        "session s": ClusterTotal(1, -1.0)
    }
    assert live_store.cluster_totals(8, ["session s"]) == {}
    assert live_store.states(["m", "n"]) == {"m": "1"}
    again = Counting(7, ["t"], {"session s": ClusterTotal(2, 0.0)}, {"m": "1"}, {"m": "2"})
    assert live_store.count(again)
    assert live_store.cluster_totals(7, ["session s"]) == {"session s": ClusterTotal(2, 0.0)}


def test_nothing_is_written_of_a_look_that_another_one_has_overtaken(live_store):
    live_store.register([interleaved("s"), interleaved("t")])
    live_store.set_state("m", "1")
    total = {"session s": ClusterTotal(1, 1.0)}
    assert not live_store.count(Counting(0, ["s"], total, {"m": "0"}, {"m": "2"}))
    assert not live_store.count(Counting(0, ["s"], total, {"m": None}, {"m": "2"}))
    assert live_store.count(Counting(0, ["s"]))
    assert not live_store.count(Counting(0, ["t", "s"], total, {"m": "1"}, {"m": "2"}))
    assert [found.session_id for found in live_store.interleaved(0, 9, 9)] == ["t"]
    assert live_store.states(["m"]) == {"m": "1"}
    assert live_store.cluster_totals(0, ["session s"]) == {}


def test_registering_an_interleaved_search_twice_is_once(live_store):
    live_store.register([interleaved("s")])
    live_store.count(Counting(0, ["s"]))
    live_store.register([interleaved("s")])
    assert live_store.interleaved(0, 9, 9) == []


def test_health_adds_up_over_minutes(live_store):
    live_store.add_health(10, {"searches": 2, "seconds": 0.5})
    live_store.add_health(10, {"searches": 1})
    live_store.add_health(11, {"searches": 4})
    assert live_store.health(10) == {"searches": 7.0, "seconds": 0.5}
    assert live_store.health(11) == {"searches": 4.0}
    assert live_store.health(12) == {}


def test_the_copies_version_grows_when_copies_are_written(live_store):
    lease = Lease("worker", 0.0, 10.0)
    copy = Copy("ann", "a", np.ones((1, 3), np.float32))
    versions = []
    for name, copies in (("s", [copy]), ("t", []), ("u", [copy, copy._replace(owner="bob")])):
        fill(live_store, search(name))
        live_store.claim(lease, 0, 9)
        live_store.finish(lease, Outcome(0, 0, done={name: "selected"}, copies=copies))
        versions.append(live_store.states([COPIES_VERSION]).get(COPIES_VERSION))
    assert versions == ["1", "1", "2"]
