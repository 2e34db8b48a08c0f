"""What clients tell, and what is made of it where they leave something out."""

import numpy as np
import pytest

from adjuster.live.http.clickstream import Clickstream, Searcher, Told
from adjuster.live.http.query_book import QueryBook
from adjuster.live.storage.records import Impression
from adjuster.live.storage.store import Conflict, UnknownSession
from tests.adjuster.live.small_shop import INDEX, QUERY
from tests.live_place import Place

ANN, SHOWN = Searcher("ann"), (Impression("a"), Impression("b"))


@pytest.fixture
def store(tmp_path):
    opened = Place("sqlite", str(tmp_path / "live.db")).open()
    yield opened
    opened.close()


def stream_at(now):
    return Clickstream(clock=lambda: now)


def test_a_search_without_a_time_is_made_now_and_keeps_that_time(store):
    assert stream_at(50.9).register(store, "s", QUERY, SHOWN, ANN)
    assert not stream_at(99.0).register(store, "s", QUERY, SHOWN, ANN)
    assert store.session("s").session.created_at == 50
    with pytest.raises(Conflict, match="another created_at"):
        stream_at(99.0).register(store, "s", QUERY, SHOWN, ANN, 99)


def test_an_event_without_a_time_happened_now_and_keeps_that_time(store):
    stream_at(0).register(store, "s", QUERY, SHOWN, ANN)
    events = [Told("e", "a"), Told("f", "b", 7, "hover")]
    assert stream_at(60).add_events(store, "s", events) == 2
    assert stream_at(90).add_events(store, "s", [*events, Told("g", "b")]) == 1
    found = {event.event_id: event.created_at for event in store.session("s").events}
    assert found == {"e": 60, "f": 7, "g": 90}
    with pytest.raises(Conflict, match="event 'e' is known with another"):
        stream_at(90).add_events(store, "s", [Told("e", "b")])


def test_events_of_no_session_are_refused(store):
    for event in (Told("e", "a"), Told("e", "a", 7)):
        with pytest.raises(UnknownSession):
            stream_at(0).add_events(store, "none", [event])


def test_a_mark_is_made_once_and_says_where_the_session_stands(store):
    stream_at(0).register(store, "s", QUERY, SHOWN, ANN)
    stream_at(0).register(store, "t", QUERY, SHOWN, Searcher())
    assert stream_at(60).mark(store, "s").marked_at == 60
    assert stream_at(90).mark(store, "s").marked_at == 60
    refused = stream_at(60).mark(store, "t")
    assert (refused.status.value, refused.reason) == ("refused", "no_owner")


def test_a_given_vector_is_a_query_of_its_own(store):
    book = QueryBook(INDEX, [QUERY])
    one, other = (book.find(store, "q", np.full((1, 3), n, np.float32)) for n in (1, 2))
    again = book.find(store, "q", np.full((1, 3), 1, np.float32))
    assert book.find(store, "q") is QUERY
    assert len({one.query_id, other.query_id, QUERY.query_id}) == 3
    assert again.query_id == one.query_id
    assert (one.text, one.vectors.tolist()) == ("q", [[1, 1, 1]])
