"""An import as a whole: what it writes, what it keeps out of memory, what it leaves behind."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data import ingestion
from experiments.data.format.folder import load_click_log
from experiments.data.ingestion import ingest_log, n_parts_for
from experiments.data.intake import staging
from tests.experiments.data.studio_log import (
    VECTORS,
    complaint,
    event,
    events,
    other,
    run,
    session,
    sessions,
)


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
