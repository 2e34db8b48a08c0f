"""Click logs a line a session, with clicks by object, over `tiny_log`."""

from typing import NamedTuple

from experiments.data.format.click_log import ClickLog
from tests.experiments.replay.tiny_log import Search, tiny_log


class Session(NamedTuple):
    """One search.

    Args:
        at: Its time.
        shown: The objects shown, from the top.
        clicks: (object, time) of each click, in any order.
        user: Who searched; -1 is unknown.
        query: What for.
        irrelevant: Marked by the user as irrelevant.
    """

    at: int
    shown: tuple[int, ...]
    clicks: tuple[tuple[int, int], ...] = ()
    user: int = 0
    query: int = 0
    irrelevant: bool = False

    def as_search(self) -> Search:
        """The same with clicks by position."""
        events = [(self.shown.index(thing), at) for thing, at in self.clicks]
        return Search(self.at, self.user, self.query, list(self.shown), events, self.irrelevant)


def write_log(*sessions: Session) -> ClickLog:
    """A log of these sessions, in order of time, over six objects and six queries."""
    n_users = max(session.user for session in sessions) + 1
    searches = [session.as_search() for session in sessions]
    return tiny_log(*searches, n_objects=6, n_queries=6, n_users=n_users)
