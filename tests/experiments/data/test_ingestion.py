"""Every fault that a log can have: what is said of it, and what quarantine makes of it."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data import ingestion
from experiments.data.format.folder import load_click_log
from experiments.data.ingestion import ingest_log, n_parts_for
from experiments.data.intake import staging

VECTORS = {"a": [1, 0], "b": [0, 1], "c": [1, 1]}


def session(name="s1", at=1_700_000_000, shown=("a", "b", "c"), **changes):
    results = [{"object_id": item, "rank": place} for place, item in enumerate(shown)]
    record = {"session_id": name, "search_query": "q", "created_at": at, "user_id": "u"}
    return {**record, "search_results": results, **changes}


def event(name="e1", of="s1", item="b", at=1_700_000_009, **changes):
    record = {"event_id": name, "session_id": of, "object_id": item, "created_at": at}
    return {**record, "event_type": "click", **changes}


@pytest.fixture
def log(tmp_path) -> Path:
    """A sound log of two sessions, in the format of Embedding Studio."""
    folder = tmp_path / "log"
    folder.mkdir()
    sessions(folder, session(), session("s2", at=1_700_000_100, shown=("b", "a")))
    events(folder, event(), event("e2", "s2", "a"))
    objects(folder, *VECTORS.items())
    (folder / "queries.csv").write_text('object_id,vector\nq,"[1, 2]"\n')
    return folder


def sessions(folder, *records):
    write_lines(folder / "sessions.jsonl", records)


def events(folder, *records):
    write_lines(folder / "events.jsonl", records)


def objects(folder, *rows):
    lines = [f'{name},"{json.dumps(vector)}"\n' for name, vector in rows]
    (folder / "objects.csv").write_text("object_id,vector\n" + "".join(lines))


def append(path, text):
    path.write_text(path.read_text() + text)


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def run(log, **settings):
    output = log.parent / "out"
    config = IngestConfig("embedding_studio", str(log), str(output), **settings)
    return ingest_log(config)


def complaint(log, **settings):
    with pytest.raises(InputError) as raised:
        run(log, **settings)
    assert sorted(path.name for path in log.parent.iterdir()) == ["log"], "nothing is left behind"
    return str(raised.value)


def test_a_sound_log_is_written_whole(log):
    result = run(log)
    found = load_click_log(log.parent / "out")
    assert (found.n_sessions, found.n_impressions, len(found.event_impression)) == (2, 5, 2)
    assert result.faults == ""
    assert {name: count.n_out for name, count in result.counts.items()} == {
        "items": 3,
        "queries": 1,
        "sessions": 2,
        "impressions": 5,
        "events": 2,
    }
    assert sorted(path.name for path in (log.parent / "out").iterdir()) == [
        "dataset.yaml",
        "events.parquet",
        "impressions.parquet",
        "items.parquet",
        "queries.parquet",
        "sessions.parquet",
    ]


def other(**changes):
    return session("s2", **{"at": 1_700_000_100, "shown": ("b", "a"), **changes})


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
    "time in milliseconds": (
        lambda log: sessions(log, session(), other(created_at=1_700_000_100_000)),
        "sessions: column created_at must be UTC epoch seconds, not milliseconds (divide by 1,000) "
        "(1 row; rows count from 1):\n  row 2: got 1700000100000",
    ),
    "time in the future": (
        lambda log: events(log, event(), event("e2", "s2", "a", at=90_000_000_000)),
        "events: column created_at must be UTC epoch seconds, not in the future (1 row",
    ),
    "negative position": (
        lambda log: sessions(log, session(), ranked(-1, 0)),
        "impressions: column position must be >= 0 (0-based) (1 row; rows count from 1):\n"
        "  row 2: got -1",
    ),
    "gap in positions": (
        lambda log: sessions(log, session(), ranked(0, 2)),
        "impressions: column position must run 0, 1, 2 … in each session, without gaps or repeats "
        "(the first wrong row of each session) (1 row; rows count from 1):\n"
        "  row 2: got 2 instead of 1 (session 's2')",
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


def ranked(*ranks):
    results = [{"object_id": i, "rank": rank} for i, rank in zip("ba", ranks, strict=True)]
    return other(search_results=results)


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
    sessions(log, session(), ranked(0, 2))
    events(log, event(), event("e1", "s1", "a"), event("e3", "s9"))
    objects(log, *VECTORS.items(), ("d", [0, 0]))
    said = complaint(log)
    for word in ("gaps", "event_id must stand once", "stand in sessions.parquet", "zero"):
        assert word in said


def test_ids_with_emoji_are_ids_like_others(log):
    sessions(log, session("🦊"), other())
    events(log, event(of="🦊"), event("e2", "s2", "a"))
    run(log)
    assert load_click_log(log.parent / "out").session_ids.tolist() == ["🦊", "s2"]


def test_a_byte_order_mark_is_passed_over(log):
    for name in ("sessions.jsonl", "objects.csv"):
        (log / name).write_bytes(b"\xef\xbb\xbf" + (log / name).read_bytes())
    assert run(log).counts["sessions"].n_out == 2


def test_another_encoding_is_reported_by_row(log):
    text = (log / "objects.csv").read_text()
    (log / "objects.csv").write_bytes(text.replace("\nc,", "\nç,").encode("latin-1"))
    assert "objects.csv: a row must be UTF-8 text (1 row; rows count from 1):\n  row 4" in (
        complaint(log)
    )


def break_gzip(log):
    content = gzip.compress((log / "sessions.jsonl").read_bytes())
    (log / "sessions.jsonl").unlink()
    (log / "sessions.jsonl.gz").write_bytes(content[: len(content) // 2])


def break_parquet(log):
    table = pa.table({"object_id": list(VECTORS), "vector": list(VECTORS.values())})
    (log / "objects.csv").unlink()
    pq.write_table(table, log / "objects.parquet")
    content = (log / "objects.parquet").read_bytes()
    (log / "objects.parquet").write_bytes(content[:-20])


FATAL = {
    "missing file": (
        lambda log: (log / "events.jsonl").unlink(),
        "events.jsonl: the file is missing",
    ),
    "missing column": (
        lambda log: (log / "objects.csv").write_text("id,title_en\na,b\n"),
        "objects.csv: must have the columns object_id and vector (or title, text), "
        "got id, title_en",
    ),
    "truncated gzip": (break_gzip, "sessions.jsonl.gz: cannot be read to its end"),
    "truncated Parquet": (break_parquet, "objects.parquet: cannot be read to its end"),
    "empty CSV": (
        lambda log: (log / "objects.csv").write_text(""),
        "objects.csv: cannot be read to its end: Empty CSV file",
    ),
    "texts beside vectors of another dimension": (
        lambda log: (log / "queries.csv").unlink(),
        "texts become vectors of 256 numbers, which cannot be compared with the 2",
    ),
}


@pytest.mark.parametrize("on_error", ["fail", "quarantine"])
@pytest.mark.parametrize("case", FATAL)
def test_a_file_that_cannot_be_used_stops_the_import(log, case, on_error):
    spoil, message = FATAL[case]
    spoil(log)
    assert message in complaint(log, on_error=on_error)


@pytest.mark.parametrize("on_error", ["fail", "quarantine"])
def test_no_clicks_at_all_stops_the_import(log, on_error):
    (log / "events.jsonl").write_text("")
    said = complaint(log, on_error=on_error)
    assert "leaves no events; without searches, results and clicks there is nothing" in said


def test_an_empty_file_stops_the_import(log):
    (log / "sessions.jsonl").write_text("")
    (log / "events.jsonl").write_text("")
    assert "leaves no sessions and no impressions and no events" in complaint(log)


def test_searches_without_results_are_left_out_and_counted(log):
    sessions(log, session(), other(), session("s3", search_results=[]))
    result = run(log)
    assert result.counts["sessions"].left_out == {"searches without results": 1}


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(InputError, match=r"path must be a file or folder, got .*nowhere"):
        run(tmp_path / "nowhere")


def test_a_file_where_a_folder_is_needed_is_named(tmp_path):
    (tmp_path / "log").write_text("")
    with pytest.raises(InputError, match="path must be a folder for source=embedding_studio"):
        run(tmp_path / "log")


def test_an_output_with_something_else_is_refused_before_any_work(log):
    (log.parent / "out").mkdir()
    (log.parent / "out" / "thesis.txt").write_text("")
    with pytest.raises(InputError, match="must be a new or empty folder"):
        run(log, overwrite=True)


def test_the_result_does_not_depend_on_how_it_is_divided(log, monkeypatch):
    records = [session(f"s{n}", at=1_700_000_000 + n, user_id=f"u{n % 3}") for n in range(60)]
    sessions(log, *records)
    events(log, *(event(f"e{n}", f"s{n}", "abc"[n % 3]) for n in range(60)))
    run(log)
    whole = load_click_log(log.parent / "out").fingerprint
    card = run(log, overwrite=True).card
    monkeypatch.setattr(ingestion, "PART_BYTES", 500)
    monkeypatch.setattr(staging, "BUFFER_ROWS", 7)
    assert n_parts_for(log) > 10
    divided = run(log, overwrite=True)
    assert load_click_log(log.parent / "out").fingerprint == whole
    assert divided.card == card


def test_an_event_id_is_unique_across_parts(log, monkeypatch):
    monkeypatch.setattr(ingestion, "PART_BYTES", 50)
    records = [session(f"s{n}") for n in range(20)]
    sessions(log, *records)
    events(log, *(event("same", f"s{n}") for n in range(20)))
    assert "column event_id must stand once (19 rows" in complaint(log)
    result = run(log, on_error="quarantine")
    assert result.counts["events"].n_out == 1
    assert load_click_log(log.parent / "out").n_sessions == 20


def test_interrupting_leaves_nothing_behind(log):
    def stop(_):
        raise KeyboardInterrupt

    config = IngestConfig("embedding_studio", str(log), str(log.parent / "out"))
    with pytest.raises(KeyboardInterrupt):
        ingest_log(config, stop)
    assert sorted(path.name for path in log.parent.iterdir()) == ["log"]
