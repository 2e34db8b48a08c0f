"""What a search shows, as the worker reads it: the same as was registered, on every store."""

from adjuster.live.storage.leases import Lease
from tests.adjuster.live.small_shop import search


def test_a_claimed_session_shows_what_it_was_registered_with(live_store):
    shown = {"s": ("b", "é😀", "a"), "t": (), "u": ('a"b', "[]", "back\\slash")}
    live_store.register([search(name, shown=mine) for name, mine in shown.items()])
    live_store.mark(shown, 5)
    claimed = live_store.claim(Lease("first", 0.0, 10.0), 5, 9).sessions
    assert {session.session_id: session.shown for session in claimed} == shown
