"""Every fault that a row can have: what is said of it, and what quarantine makes of it."""

import pyarrow.parquet as pq
import pytest

from experiments.data.format.folder import load_click_log
from tests.experiments.data.studio_log import (
    VECTORS,
    append,
    complaint,
    event,
    events,
    objects,
    other,
    run,
    session,
    sessions,
)

FAULTS = {
    "id of a wrong type": (
        lambda log: sessions(log, session(), other(session_id=["x"])),
        "sessions.jsonl: sessions: column session_id must be a string or a whole number (1 row; "
        "rows count from 1):\n  row 2: got ['x']",
    ),
    "time of a wrong type": (
        lambda log: sessions(log, session(), other(created_at="noon")),
        "sessions: column created_at must be a time (1 row; rows count from 1):\n"
        "  row 2: got 'noon'",
    ),
    "missing field": (
        lambda log: events(log, event(), {"event_id": "e2", "session_id": "s2"}),
        "events: column object_id must not be empty (1 row; rows count from 1):\n  row 2: got null",
    ),
    "results of a wrong type": (
        lambda log: sessions(log, session(), other(search_results="a, b")),
        "search_results must be a list of objects with object_id and rank (1 row",
    ),
    "half a character where a list should be": (
        lambda log: sessions(log, session(), other(search_results="\ud83d")),
        "search_results must be a list of objects with object_id and rank (1 row",
    ),
    "no query": (
        lambda log: sessions(log, session(), other(search_query="  ")),
        "sessions: column query_text must not be empty (1 row; rows count from 1):\n"
        "  row 2: got '  '",
    ),
    "line that is no JSON": (
        lambda log: append(log / "events.jsonl", '{"event_id": "e1"\n'),
        "events.jsonl: a line must be one whole JSON object (1 row; rows count from 1):\n  row 3",
    ),
    "session twice": (
        lambda log: sessions(log, session(), other(), other()),
        "sessions.jsonl: sessions: column session_id must stand once (1 row; rows count from 1):\n"
        "  row 3: got 's2'",
    ),
    "event twice": (
        lambda log: events(log, event(), event("e1", "s2", "a")),
        "events.jsonl: events: column event_id must stand once (1 row; rows count from 1):\n"
        "  row 2: got 'e1'",
    ),
    "event of an unknown session": (
        lambda log: events(log, event(), event("e2", "s9")),
        "events: column session_id must stand in sessions.parquet (1 row; rows count from 1):\n"
        "  row 2: got 's9'",
    ),
    "click on a result never shown": (
        lambda log: events(log, event(), event("e2", "s2", "c")),
        "events: an event's object must have been shown in its session (1 row; rows count from "
        "1):\n  row 2: got session 's2', object 'c'",
    ),
    "object without a vector": (
        lambda log: objects(log, ("a", [1, 0]), ("b", [1, 1])),
        "impressions: 1 of 5 results (20.0%) show one of 1 objects that are not among the items "
        "('c').",
    ),
    "object twice in a session": (
        lambda log: sessions(log, session(shown=("a", "b", "a")), other()),
        "impressions: an object must stand once in a session (1 row",
    ),
    "vector of another dimension": (
        lambda log: objects(log, ("a", [1, 0]), ("b", [1, 1]), ("c", [1, 1, 1])),
        "objects.csv: items: column vector must have 2 numbers (1 row; rows count from 1):\n"
        "  row 4: got 3 numbers",
    ),
    "vector with NaN": (
        lambda log: objects(log, ("a", [1, 0]), ("b", [1, 1]), ("c", [1, float("nan")])),
        "items: column vector must be finite (1 row; rows count from 1):\n  row 4",
    ),
    "vector with infinity": (
        lambda log: objects(log, ("a", [1, 0]), ("b", [1, 1]), ("c", [1, float("inf")])),
        "items: column vector must be finite (1 row; rows count from 1):\n  row 4",
    ),
    "zero vector": (
        lambda log: objects(log, ("a", [1, 0]), ("b", [1, 1]), ("c", [0, 0])),
        "items: column vector must not be zero under cosine (1 row; rows count from 1):\n  row 4",
    ),
    "vector that is no list": (
        lambda log: objects(log, ("a", [1, 0]), ("b", [1, 1]), ("c", "x")),
        "items: column vector must be a list of numbers (1 row; rows count from 1):\n  row 4",
    ),
    "time in microseconds": (
        lambda log: sessions(log, session(), other(created_at=1_700_000_100_000_000)),
        "sessions: column created_at must be UTC epoch seconds, not milliseconds (divide by 1,000) "
        "(1 row; rows count from 1):\n  row 2: got 1700000100000000",
    ),
    "time in the future": (
        lambda log: events(log, event(), event("e2", "s2", "a", at=90_000_000_000)),
        "events: column created_at must be UTC epoch seconds, not in the future (1 row",
    ),
    "id with a line break": (
        lambda log: sessions(log, session(), other(session_id="s\n2")),
        "sessions: column session_id must not contain a line break or another control character "
        "(1 row; rows count from 1):\n  row 2: got 's\\n2'",
    ),
    "id of 10,000 characters": (
        lambda log: sessions(log, session(), other(user_id="u" * 10_000)),
        "sessions: column user_id must have at most 1,000 characters (1 row",
    ),
    "id with a lone surrogate": (
        lambda log: sessions(log, session(), other(user_id="\ud83d")),
        "sessions: column user_id must be a string or a whole number (1 row",
    ),
    "query without a vector": (
        lambda log: sessions(log, session(), other(search_query="r")),
        "sessions: column query_id must stand in queries.parquet (1 row",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_says_file_row_column_rule_and_value(log, case):
    spoil, message = FAULTS[case]
    spoil(log)
    said = complaint(log)
    assert message in said
    assert "say on_error=quarantine" in said or "unknown_objects=drop_impression" in said


@pytest.mark.parametrize("case", [c for c in FAULTS if c != "object without a vector"])
def test_quarantine_keeps_the_rest_and_every_row_is_accounted_for(log, case):
    FAULTS[case][0](log)
    result = run(log, on_error="quarantine", unknown_objects="drop_session")
    found = load_click_log(log.parent / "out")
    assert 1 <= found.n_sessions <= 2
    kept = pq.read_table(log.parent / "out" / "quarantine.parquet").to_pylist()
    quarantined = sum(count.quarantined for count in result.counts.values())
    assert len(kept) == quarantined >= 1
    assert all(row["reason"] and row["row"] >= 1 for row in kept)
    for count in result.counts.values():
        assert count.n_in == count.n_out + count.quarantined + sum(count.left_out.values())
    assert result.faults


def test_a_session_that_lost_a_result_is_not_used(log):
    objects(log, ("a", [1, 0]), ("b", [1, 1]))
    result = run(log, unknown_objects="drop_session")
    assert load_click_log(log.parent / "out").session_ids.tolist() == ["s2"]
    why = "searches that show an object without a vector"
    assert result.counts["impressions"].left_out == {why: 3}
    assert result.counts["events"].left_out == {why: 1}


def test_a_bad_event_harms_itself_alone(log):
    events(log, event(), event("e2", "s2", "a"), event("e3", "s2", "c"))
    run(log, on_error="quarantine")
    found = load_click_log(log.parent / "out")
    assert (found.n_sessions, len(found.event_impression)) == (2, 2)


def test_a_bad_session_takes_its_rows_along_without_more_complaints(log):
    sessions(log, session(), other(created_at="noon"))
    result = run(log, on_error="quarantine")
    assert result.faults.count("\n  row") == 1
    assert result.counts["impressions"].quarantined == 2


def test_all_faults_are_told_at_once(log):
    sessions(log, session(), other(shown=("b", "b")))
    events(log, event(), event("e1", "s1", "a"), event("e3", "s9"))
    objects(log, *VECTORS.items(), ("d", [0, 0]))
    said = complaint(log)
    for word in (
        "once in a session",
        "event_id must stand once",
        "stand in sessions.parquet",
        "zero",
    ):
        assert word in said
