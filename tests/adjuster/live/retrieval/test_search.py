"""Live search: who sees what, with which chance, and what is written down of it."""

from collections import Counter

import numpy as np
import pytest

from adjuster.index import SearchIndexInfo
from adjuster.live.monitoring.health import HealthLog
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow
from adjuster.live.monitoring.monitor import look
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.retrieval.nearest import Nearest
from adjuster.live.retrieval.search import LiveSearch, SearchRequest
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.live.retrieval.similarity import similarities_of
from adjuster.live.storage.leases import Lease
from adjuster.live.storage.records import Copy, Event, Query
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.live.storage.store import GENERATION, Outcome
from tests.adjuster.live.small_shop import fill, search

INFO = SearchIndexInfo(2, "cosine", "min")
QUERY = Query("east", np.array([[1.0, 0.0]], np.float32))
ANGLES = {name: 0.1 * (number + 1) for number, name in enumerate("abcdefgh")}


def toward(angle) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)]], np.float32)


class Shelf:
    """Objects a, b, c, … ever further from the query."""

    info = INFO

    def __len__(self):
        return len(ANGLES)

    def vectors(self, object_id):
        return toward(ANGLES[object_id])

    def nearest(self, query, k):
        names = list(ANGLES)
        scores = similarities_of(query, [self.vectors(name) for name in names], INFO)
        order = np.argsort(-scores, kind="stable")[:k]
        return Nearest([names[i] for i in order], scores[order])


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "live.db")
    opened.connection.execute("PRAGMA synchronous = OFF")
    yield opened
    opened.close()


def learn(store, generation=0, owner="ann", **angles) -> None:
    """Write copies as a worker does."""
    lease = Lease("worker", 0.0, 10.0)
    name = f"learnt {store.counts()} {angles}"
    fill(store, search(name))
    store.claim(lease, 0, 99)
    copies = [Copy(owner, letter, toward(angle)) for letter, angle in angles.items()]
    store.finish(lease, Outcome(0, generation, done={name: "selected"}, copies=copies))


def turn(store, mode) -> None:
    store.set_state(MODE, ModeRow(mode, 0, "For this test.").to_text())


def ask(store, searcher=None, number=0, **given):
    searcher = searcher or LiveSearch(Shelf())
    request = {"owner": "ann", "user_id": "ann", "limit": 4} | given
    return searcher.search(store, SearchRequest(f"s{number}", 5, QUERY, **request))


def names(answer) -> str:
    return "".join(result.object_id for result in answer.results)


def test_a_copy_is_ranked_by_itself_only_and_for_its_owner_only(store):
    turn(store, Mode.ON)
    learn(store, a=0.35, h=0.05)
    searcher = LiveSearch(Shelf(), SearchConfig(kept_share=0.0))
    answer = ask(store, searcher)
    assert names(answer) == "hbca"
    assert [result.is_adjusted for result in answer.results] == [True, False, False, True]
    distances = [result.distance for result in answer.results]
    assert distances == pytest.approx(
        [1 - np.cos(angle) for angle in (0.05, 0.2, 0.3, 0.35)], abs=1e-6
    )
    assert names(ask(store, searcher, owner="bob")) == "abcd"
    assert names(ask(store, searcher, owner=None)) == "abcd"


def test_copies_that_move_away_leave_as_many_results(store):
    turn(store, Mode.ON)
    learn(store, a=2.0, b=2.1, c=2.2)
    searcher = LiveSearch(Shelf(), SearchConfig(kept_share=0.0))
    assert names(ask(store, searcher)) == "defg"
    assert names(ask(store, searcher, limit=8)) == "defghabc"
    assert names(ask(store, searcher, limit=2, offset=4)) == "ha"


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
def test_off_and_shadow_show_the_originals(store, mode):
    learn(store, h=0.05)
    turn(store, mode)
    answer = ask(store)
    assert (names(answer), answer.shows) == ("abcd", "originals")
    assert not any(result.is_adjusted or result.team for result in answer.results)
    assert {result.propensity for result in answer.results} == {1.0}


def test_new_copies_are_seen_at_once_and_another_generation_when_it_is_shown(store):
    turn(store, Mode.ON)
    searcher = LiveSearch(Shelf(), SearchConfig(kept_share=0.0))
    assert names(ask(store, searcher)) == "abcd"
    learn(store, h=0.05)
    assert names(ask(store, searcher)) == "habc"
    learn(store, generation=1, g=0.05)
    assert names(ask(store, searcher)) == "habc"
    store.set_state(GENERATION, "1")
    assert (names(ask(store, searcher)), ask(store, searcher).generation) == ("gabc", 1)


def test_nothing_beyond_the_distance_is_shown(store):
    turn(store, Mode.ON)
    learn(store, h=0.05, a=1.0)
    most = 1 - np.cos(0.25)
    for config in (SearchConfig(kept_share=0.0), SearchConfig(kept_share=1.0)):
        found = ask(store, LiveSearch(Shelf(), config), max_distance=most)
        assert sorted(names(found)) == ["b", "h"]
    turn(store, Mode.OFF)
    assert names(ask(store, max_distance=most)) == "ab"


def test_the_share_of_users_is_interleaved_and_the_same_ones_always(store):
    turn(store, Mode.INTERLEAVE)
    learn(store, h=0.05)
    searcher = LiveSearch(Shelf(), SearchConfig(interleaved_share=0.3))
    shows = [ask(store, searcher, user_id=f"u{user}").shows for user in range(400)]
    assert 80 < shows.count("interleaved") < 160
    assert shows.count("originals") == 400 - shows.count("interleaved")
    again = [ask(store, searcher, user_id=f"u{user}", number=9).shows for user in range(400)]
    assert again == shows
    turn(store, Mode.ON)
    shows = {ask(store, searcher, user_id=f"u{user}").shows for user in range(200)}
    assert shows == {"adjusted", "interleaved"}


def test_a_session_is_written_down_with_its_teams_and_chances(store):
    turn(store, Mode.INTERLEAVE)
    learn(store, h=0.05)
    searcher = LiveSearch(Shelf(), SearchConfig(interleaved_share=1.0))
    answer = ask(store, searcher, is_registered=True)
    session = store.session("s0").session
    assert session.query.query_id == "east"
    assert (session.owner, session.user_id, session.created_at) == ("ann", "ann", 5)
    told = [(shown.object_id, shown.propensity, shown.team) for shown in session.shown]
    assert told == [(r.object_id, r.propensity, r.team) for r in answer.results]
    assert {team for _, _, team in told} == {"adjusted", "originals"}
    # The same search again is the same session.
    assert ask(store, searcher, is_registered=True) == answer
    assert [found.session_id for found in store.interleaved(0, 9, 9)] == ["s0"]


@pytest.mark.parametrize(
    ("mode", "config"),
    [
        (Mode.INTERLEAVE, SearchConfig(interleaved_share=1.0)),
        (Mode.ON, SearchConfig(exploration_ratio=0.3, kept_share=0.0)),
    ],
)
def test_chances_are_the_frequencies_of_searching_again_and_again(store, mode, config):
    turn(store, mode)
    learn(store, h=0.05, a=0.45)
    searcher, n = LiveSearch(Shelf(), config), 500
    counts, chances = Counter(), {}
    for number in range(n):
        for slot, result in enumerate(ask(store, searcher, number=number).results):
            counts[slot, result.object_id] += 1
            known = chances.setdefault((slot, result.object_id), result.propensity)
            assert known == result.propensity
    for key, chance in chances.items():
        assert abs(counts[key] / n - chance) < 5 * np.sqrt(chance * (1 - chance) / n) + 1e-9
    for slot in range(4):
        assert sum(chance for key, chance in chances.items() if key[0] == slot) > 0.99


class Broken(Shelf):
    """An index of vectors that it does not search by."""

    def nearest(self, query, k):
        found = super().nearest(query, k)
        return found._replace(similarities=found.similarities - np.float32(1e-6))


def test_health_tells_reach_drift_and_an_index_that_answers_otherwise(store):
    turn(store, Mode.SHADOW)
    learn(store, h=0.05)
    for index, unequal in ((Shelf(), 0), (Broken(), 1)):
        health = HealthLog()
        searcher = LiveSearch(index, SearchConfig(checked_share=1.0), health)
        ask(store, searcher)
        ask(store, searcher, owner="bob")
        minute = 100 + unequal
        health.flush(store, 60 * minute)
        found = {
            k: v
            for k, v in store.health(minute).items()
            if k in ("checked", "unequal", "reached", "ranked", "adjusted")
        }
        assert found == {
            "checked": 2,
            "unequal": 2 * unequal,
            "reached": 1,
            "ranked": 2,
            "adjusted": 1,
        }
    assert store.health(100)["drift"] > 0


class Failing(SqliteStore):
    """Whose copies cannot be read."""

    def owner_copies(self, generation, owner):
        raise RuntimeError("broken copies")


def test_a_failure_of_the_adjusted_ranking_is_counted_and_harms_no_shadow(tmp_path):
    store, health = Failing(tmp_path / "live.db"), HealthLog()
    searcher = LiveSearch(Shelf(), health=health)
    turn(store, Mode.SHADOW)
    assert names(ask(store, searcher)) == "abcd"
    turn(store, Mode.ON)
    with pytest.raises(RuntimeError, match="broken copies"):
        ask(store, searcher)
    health.flush(store, 0)
    assert (store.health(0)["errors"], store.health(0)["searches"]) == (2, 3)
    store.close()


@pytest.mark.parametrize(("wanted", "ends"), [("h", Mode.ON), ("a", Mode.OFF)])
def test_from_searches_and_clicks_to_a_decision(live_store, wanted, ends):
    """Users of one set of copies, where h has moved up, who all click the same object."""
    turn(live_store, Mode.INTERLEAVE)
    learn(live_store, h=0.05)
    searcher = LiveSearch(Shelf(), SearchConfig(interleaved_share=1.0))
    for number in range(160):
        answer = ask(live_store, searcher, number, user_id=f"u{number}", is_registered=True)
        if wanted in names(answer):
            live_store.add_events([Event("click", f"s{number}", wanted, 6)])
    seen = look(live_store, 100, MonitorConfig(settle_seconds=0, planned_sessions=200))
    assert seen.row.mode is ends
    assert (seen.comparison.tally.n_sessions, seen.comparison.tally.n_clusters) == (160, 160)


@pytest.mark.parametrize("given", [{"limit": 0}, {"offset": -1}])
def test_numbers_out_of_range_are_refused(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be >="):
        SearchRequest("s", 0, QUERY, **given)
