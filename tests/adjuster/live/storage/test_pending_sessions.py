"""Sessions as columns, and back."""

from adjuster.live.storage.pending_sessions import PendingSession, PendingSessions

SESSIONS = [
    PendingSession("s1", "ann", "q", 5, False, ("a", "b"), (1, 0, 1), (7, 8, 9)),
    PendingSession("s2", "bob", "p", 6, True, (), (), ()),
    PendingSession("s3", "ann", "q", 7, False, ("c",), (), ()),
    PendingSession("s4", "ann", "q", 7, False, ("b", "c"), (1,), (4,)),
]


def test_columns_hold_what_the_sessions_hold():
    columns = PendingSessions.of(SESSIONS)
    assert list(columns) == SESSIONS
    assert columns.offsets.tolist() == [0, 2, 2, 3, 5]
    assert columns.click_impression.tolist() == [1, 0, 1, 4]
    assert columns.click_session().tolist() == [0, 0, 0, 3]
    assert list(PendingSessions.of([])) == []


def test_the_first_of_them_keep_their_clicks():
    columns = PendingSessions.of(SESSIONS)
    for n in range(len(SESSIONS) + 1):
        assert list(columns.first(n)) == SESSIONS[:n]
