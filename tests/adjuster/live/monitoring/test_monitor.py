"""Looks after ticks: what is counted when, what changes the mode, and what a kill leaves."""

import pytest

import adjuster.live.monitoring.monitor as monitor
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow
from adjuster.live.monitoring.monitor import COMPARISON, look, read_comparison
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.storage.records import Event, Impression, Session
from adjuster.live.storage.sqlite_store import SqliteStore
from tests.adjuster.live.small_shop import QUERY

CONFIG = MonitorConfig(planned_sessions=400, settle_seconds=100, health_searches=10)


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "live.db")
    opened.connection.execute("PRAGMA synchronous = OFF")
    yield opened
    opened.close()


def start(store, mode=Mode.INTERLEAVE, at=1000) -> None:
    store.set_state(MODE, ModeRow(mode, at, "For this test.").to_text())


def searches(store, n, clicked="", at=1000, prefix="s", users=None) -> None:
    """n interleaved searches, each with a click on the adjusted team's a, or the other's b."""
    shown = (Impression("a", 0.5, "adjusted"), Impression("b", 0.5, "originals"))
    names = [f"{prefix}{number}" for number in range(n)]
    store.register(
        [
            Session(name, at, QUERY, shown, "ann", users and f"u{number % users}")
            for number, name in enumerate(names)
        ]
    )
    store.add_events([Event(letter, name, letter, at) for name in names for letter in clicked])


def test_a_win_turns_it_on_and_a_new_comparison_begins(store):
    start(store)
    searches(store, 200, "a")
    assert look(store, 1099, CONFIG).row.mode is Mode.INTERLEAVE  # not settled yet
    assert look(store, 1099, CONFIG).comparison.tally.n_sessions == 0
    seen = look(store, 1100, CONFIG)
    assert (seen.row.mode, seen.row.since) == (Mode.ON, 1100)
    assert seen.row.why.startswith("Users prefer the adjusted ranking: credit +1.000")
    searches(store, 1, at=1100, prefix="later")
    seen = look(store, 1200, CONFIG)
    assert (seen.comparison.since, seen.comparison.tally.n_sessions) == (1100, 1)


def test_a_loss_turns_it_off_from_either_mode(store):
    for mode in (Mode.INTERLEAVE, Mode.ON):
        start(store, mode)
        searches(store, 200, "b", prefix=mode.value)
        seen = look(store, 1100, CONFIG)
        assert seen.row.mode is Mode.OFF
        assert "prefer the originals' ranking" in seen.row.why


def test_the_end_of_the_plan_turns_it_off_only_while_interleaving(store):
    for mode, after in ((Mode.INTERLEAVE, Mode.OFF), (Mode.ON, Mode.ON)):
        start(store, mode)
        searches(store, 400, "", prefix=mode.value)
        assert look(store, 1100, CONFIG).row.mode is after


def test_a_search_is_counted_once_with_the_clicks_at_its_time(store):
    start(store)
    searches(store, 3, "a", users=2)
    look(store, 1100, CONFIG)
    searches(store, 2, "b", at=1050, prefix="t", users=2)
    store.add_events([Event("late", "s0", "b", 1100)])
    tally = look(store, 1150, CONFIG).comparison.tally
    assert (tally.n_sessions, tally.n_clusters, tally.total) == (5, 2, 1.0)
    # Users u0 (s0, s2, t0) and u1 (s1, t1): sums 1 and 0.
    assert (tally.squares, tally.products, tally.sizes) == (1.0, 3.0, 13.0)
    assert look(store, 1150, CONFIG).comparison.tally == tally


def test_searches_of_an_earlier_comparison_are_not_counted(store):
    start(store, at=1000)
    searches(store, 5, "a", at=999)
    assert look(store, 2000, CONFIG).comparison.tally.n_sessions == 0


def test_what_is_planned_stays_when_the_configuration_changes(store):
    start(store)
    look(store, 1000, CONFIG)
    later = MonitorConfig(planned_sessions=9, settle_seconds=100)
    assert look(store, 1001, later).comparison.planned == 400


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.INTERLEAVE, Mode.ON])
def test_a_broken_guardrail_turns_it_off_and_says_why(store, mode):
    start(store, mode, at=600)
    store.add_health(10, {"searches": 50, "errors": 50})  # the minute in which it was turned on
    assert look(store, 700, CONFIG).row.mode is mode
    store.add_health(11, {"searches": 50, "errors": 25})
    seen = look(store, 720, CONFIG)
    assert seen.row.mode is Mode.OFF
    assert seen.row.why == "A guardrail is broken. Failed searches 0.5, at most 0.01 allowed."


def test_off_stays_off(store):
    store.add_health(1, {"searches": 50, "errors": 50})
    searches(store, 200, "a")
    seen = look(store, 5000, CONFIG)
    assert (seen.row, seen.comparison) == (ModeRow(), None)


def test_many_searches_are_counted_in_portions_and_decided_on_at_their_end(store, monkeypatch):
    monkeypatch.setattr(monitor, "SESSIONS_AT_ONCE", 70)
    start(store)
    searches(store, 200, "a", users=150)
    seen = look(store, 1100, CONFIG)
    assert seen.row.mode is Mode.ON
    assert (seen.comparison.tally.n_sessions, seen.comparison.tally.n_clusters) == (200, 150)


def test_a_look_begins_anew_when_another_comes_between(store, tmp_path):
    start(store)
    searches(store, 200, "a")

    class Interrupted:
        """Another worker looks while this one is about to write."""

        def __init__(self):
            self.n = 0

        def __getattr__(self, name):
            return getattr(store, name)

        def count(self, counting):
            self.n += 1
            if self.n == 1:
                look(store, 1100, CONFIG)
            return store.count(counting)

    interrupted = Interrupted()
    seen = look(interrupted, 1100, CONFIG)
    assert seen.row.mode is Mode.ON
    assert len(seen.row.history) == 1
    assert read_comparison(store.states([COMPARISON])[COMPARISON]).tally.n_sessions in (0, 200)


class CutOffError(Exception):
    """Stands for a kill."""


def test_a_look_cut_off_before_any_statement_counts_each_search_once(store, monkeypatch):
    start(store)
    left = [0]

    def cut(run):
        def counted(statement, *given):
            left[0] -= 1
            if left[0] == 0 and statement != "ROLLBACK":
                raise CutOffError(statement)
            return run(statement, *given)

        return counted

    n_cuts = 0
    for number in range(1, 40):
        searches(store, 4, "a", prefix=f"{number} ", users=3)
        for name in ("_run", "_many"):
            monkeypatch.setattr(store, name, cut(getattr(store, name)))
        left[0] = number
        try:
            look(store, 1100, CONFIG)
        except CutOffError:
            n_cuts += 1
        monkeypatch.undo()
        tally = look(store, 1100, CONFIG).comparison.tally
        assert (tally.n_sessions, tally.total, tally.n_clusters) == (4 * number, 4.0 * number, 3)
    # Some came before each statement, and a look has fewer than there were rounds.
    assert 5 < n_cuts < 39
